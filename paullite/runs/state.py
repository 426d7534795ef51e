"""A training run as one file: everything that its next step depends on. Safetensors, the rest as JSON; no pickle."""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..errors import InputError
from .files import replacing
from .provenance import digest

FORMAT = "paullite-training-1"
KEPT = 2  # files; the one before the last is there for the day when the last is torn

Tensors = dict[str, Tensor]
Facts = dict[str, Any]


class Stateful(Protocol):
    """Anything whose state is tensors by name: a network, a memory."""

    def state_dict(self) -> Mapping[str, Tensor]:
        """The tensors."""

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> object:
        """Take them back."""


def write_state(folder: Path, steps: int, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Path:
    """Write ``checkpoint-STEPS.safetensors`` and remove all but the last two.

    Args:
        folder: of the run. steps: steps done since the start.
        tensors: by name.
        facts: what JSON can hold.

    Raises:
        InputError: the disk is full or the folder cannot be written; older files stay.
    """
    path = folder / f"checkpoint-{steps:09d}.safetensors"
    whole = _apart(tensors)
    header = {"format": FORMAT, "digest": digest(whole, facts), "facts": facts}
    with replacing(path) as temporary:
        save_file(whole, temporary, metadata={"paullite": json.dumps(header)})
    for old in [*state_files(folder)[:-KEPT], *folder.glob("checkpoint-*.part")]:  # parts of saves that were killed
        old.unlink(missing_ok=True)
    return path


def _apart(tensors: Mapping[str, Tensor]) -> Tensors:
    """On the CPU, each in memory of its own, as safetensors wants them; copied only where they are not."""
    whole: Tensors = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        plain = tensor.detach().cpu().contiguous()
        place = plain.untyped_storage().data_ptr()
        whole[name] = plain.clone() if place in seen else plain
        seen.add(place)
    return whole


def state_files(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(folder.glob("checkpoint-*.safetensors"))


def has_states(folder: Path) -> bool:
    """Whether a run has been saved in a folder, even if no file can be read."""
    return any(folder.glob("checkpoint-*"))


def read_newest(folder: Path) -> tuple[Path, Tensors, Facts] | None:
    """The newest checkpoint that is whole; ``None`` if there is none at all.

    A file that is torn or not ours is renamed to ``....unreadable``, one line says so, and the one before it is read.

    Raises:
        InputError: there are checkpoints, and none can be read.
    """
    files, torn = state_files(folder), len(list(folder.glob("checkpoint-*.unreadable")))
    for path in reversed(files):
        try:
            return path, *read_state(path)
        except InputError:
            raise
        except ValueError as error:
            aside = path.rename(path.with_name(path.name + ".unreadable"))
            warnings.warn(f"cannot use {path} ({error}); now {aside.name}; trying the one before it", stacklevel=2)
    if files or torn:
        raise InputError(
            f"found {len(files) + torn} checkpoints in {folder}, and none that can be read",
            "expected one that is whole",
            "start anew without --resume",
        )
    return None


def read_state(path: Path) -> tuple[Tensors, Facts]:
    """Tensors and facts of one file.

    Raises:
        ValueError: it is cut short, changed, or no checkpoint of this library.
    """
    try:
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {}).get("paullite", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    except SafetensorError as error:
        raise ValueError(f"it is damaged: {str(error)[:80]}") from None
    except OSError as error:  # the disk, not the file: nothing is put aside
        raise InputError(f"cannot read {path} ({error})", "expected a disk that answers", "try again") from None
    if header.get("format") != FORMAT:
        raise ValueError(f"it is no checkpoint of a training run ({FORMAT})")
    if digest(tensors, header["facts"]) != header["digest"]:
        raise ValueError("it is damaged: the contents do not fit their digest")
    return tensors, header["facts"]


def random_state() -> tuple[Tensors, Facts]:
    """The state of every source of random numbers of this process."""
    name, words, *rest = np.random.get_state(legacy=True)
    tensors = {"torch": torch.get_rng_state(), "numpy": torch.from_numpy(np.asarray(words).astype(np.int64))}
    if torch.cuda.is_available():
        tensors |= {f"cuda{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    return tensors, {"python": random.getstate(), "numpy": [name, *rest]}


def set_random_state(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Put back what `random_state` gave."""
    torch.set_rng_state(tensors["torch"])
    name, *rest = facts["numpy"]
    np.random.set_state((name, tensors["numpy"].numpy().astype(np.uint32), *rest))
    version, words, gauss = facts["python"]
    random.setstate((version, tuple(words), gauss))
    devices = [tensors[f"cuda{i}"] for i in range(len(tensors)) if f"cuda{i}" in tensors]
    if devices and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(devices[: torch.cuda.device_count()])


def optimiser_state(optimiser: torch.optim.Optimizer) -> tuple[Tensors, Facts]:
    """Momenta by the number of their parameter, and the settings of every group."""
    state = optimiser.state_dict()
    tensors: Tensors = {}
    plain: dict[str, dict[str, Any]] = {}
    for number, values in state["state"].items():
        tensors |= {f"{number}.{key}": value for key, value in values.items() if isinstance(value, Tensor)}
        plain[str(number)] = {key: value for key, value in values.items() if not isinstance(value, Tensor)}
    return tensors, {"groups": state["param_groups"], "plain": plain}


def set_optimiser_state(
    optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]
) -> None:
    """Put back what `optimiser_state` gave."""
    state: dict[int, dict[str, Any]] = {int(number): dict(values) for number, values in facts["plain"].items()}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        state[int(number)][key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": facts["groups"]})
