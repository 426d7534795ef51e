"""What goes between program and device in a step of `paullite.adapt`: how often it waits, and the bytes it sends."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from paullite import PRESETS, adapt
from paullite.config import AdaptConfig
from paullite.data import PaperDolls
from paullite.data.items import Split
from paullite.data.reading import PixelReader, stored_size
from paullite.losses import PaulLoss, paul
from paullite.models import PatchNet
from paullite.step import Step
from tests.benchmarks.loading import view_pairs
from tests.benchmarks.step import net_of
from tests.benchmarks.timing import Row, table

GOAL = 1  # waits in a step
BYTES_GOAL = 0.13  # of two views in float32: one image in bytes is an eighth
ASKED = torch.ops.aten._local_scalar_dense.default  # what .item(), float() and bool() of a tensor come down to
COPIES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
SMALL = 4 * (9 + 1 + 6) + 8 + 1  # bytes for each image: its colours' map and contrast, its place, its row, its flip


class Traffic(TorchDispatchMode):
    """Counts numbers that are asked for, copies to the CPU, and bytes that are sent to another device."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = 0
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in COPIES:
            given, made = (args[0], result) if func is COPIES[0] else (args[1], args[0])
            self.waits += given.device.type != "cpu" and made.device.type == "cpu"
            self.bytes += given.nbytes * (given.device.type == "cpu" and made.device.type != "cpu")
        self.waits += func is ASKED
        return result


def in_a_step(
    start: PatchNet, config: AdaptConfig, split: Split, loss: Callable[[Step], PaulLoss | Tensor] = paul
) -> tuple[int, int]:
    """Waits and sent bytes of a step of a real run, from its loss to the next one's: the most of all steps."""
    traffic, seen = Traffic(), []

    def marked(step: Step) -> PaulLoss | Tensor:
        seen.append((traffic.waits, traffic.bytes))
        return loss(step)

    quiet = {"epochs": 1, "evaluate_every": 0, "progress": False, "dry_step": False, "workers": 0}
    with traffic:
        adapt(replace(config, **quiet), split, start=start, loss=marked)
    between = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(seen)]
    return max(waits for waits, _ in between), max(sent for _, sent in between)


def bytes_of_batch(net: PatchNet, config: AdaptConfig, split: Split) -> tuple[int, int]:
    """Bytes of a batch that is read anew and sent, and of both its views in float32, as version 1 sent them."""
    reader = PixelReader(split, stored_size(split, net.size), torch.device("cpu"))
    pixels, _ = next(reader.batches([list(range(config.batch))]))
    _, originals, surrogates = next(view_pairs(net, split, config, image_memory=0).epoch(0))
    return pixels.nbytes + SMALL * len(pixels), originals.nbytes + surrogates.nbytes


def run(split: Split | None = None, device: str = "cpu", preset: str = "paperdolls", batch: int = 42) -> str:
    """The table. On a GPU the bytes are those that really went there, on a CPU those that would."""
    torch.manual_seed(0)
    split, start = split or PaperDolls("target").unlabelled().take(range(4 * batch)), net_of(PRESETS[preset].pretrain)
    config = replace(PRESETS[preset].adapt, batch=batch, k=min(10, len(split) - 2), device=device)
    lines = []
    for name, memory in {"kept": config.image_memory, "read anew": 0}.items():
        own = replace(config, image_memory=memory)
        waits, sent = in_a_step(start, own, split)
        expected, old = bytes_of_batch(start, own, split)
        sent = sent or (expected if memory == 0 else SMALL * batch)
        lines.append(Row(f"waits in a step, images {name}", ratio=float(waits), goal=GOAL, note="counted"))
        note = f"{sent / 1e6:.3f} MB; two views in float32 {old / 1e6:.1f} MB"
        lines.append(Row(f"bytes to the device, images {name}", ratio=sent / old, goal=BYTES_GOAL, note=note))
    return table(f"Traffic of a step on {device}, preset {preset}, {batch} + {batch} images", lines)
