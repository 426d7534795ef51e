"""A training run as one file: everything that its next step depends on. Safetensors, the rest as JSON; no pickle."""

import json
import random
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..config import RunConfig
from ..errors import InputError
from ..files import replacing
from .provenance import digest, versions

FORMAT = "paullite-training-1"
KEPT = 2  # files; the one before the last is there for the day when the last is torn
# Settings that change no step. The device and the precision are compared as what "auto" came to.
FREE = "epochs workers image_memory progress output evaluate_every save_minutes dry_step device precision".split()

Tensors = dict[str, Tensor]
Facts = dict[str, Any]


def write_checkpoint(folder: Path, steps: int, tensors: Mapping[str, Tensor], facts: Facts) -> Path:
    """Write ``checkpoint-STEPS.safetensors``, with facts that JSON can hold, and then remove all but the last two.

    NaN in a tensor, a full disk, and a folder that cannot be written are an `InputError`.
    """
    path = folder / f"checkpoint-{steps:09d}.safetensors"
    while path.exists():  # torn, and in use by another program
        path = path.with_stem(path.stem + "b")
    separate = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    broken = [name for name, tensor in separate.items() if tensor.is_floating_point() and tensor.isnan().any()]
    if broken:  # a finite loss may have a gradient that is not
        found = f"found NaN in {', '.join(broken[:3])} after {steps} steps"
        raise InputError(found, "expected finite numbers; the last checkpoint stays", "use a smaller learning rate")
    header = {"format": FORMAT, "digest": digest(separate, facts), "facts": facts}
    with replacing(path) as temporary:
        save_file(separate, temporary, metadata={"paullite": json.dumps(header)})
    for old in [*checkpoints(folder)[:-KEPT], *folder.glob("checkpoint-*.part")]:  # parts of saves that were killed
        with suppress(OSError):  # Windows lets nobody remove a file that a virus scanner has open
            old.unlink(missing_ok=True)
    return path


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(folder.glob("checkpoint-*.safetensors"))


def read_newest(folder: Path) -> tuple[Path, Tensors, Facts] | None:
    """The newest checkpoint that is whole; ``None`` if there is none at all, an `InputError` if none can be read.

    A file that is torn or not ours is renamed to ``....unreadable``, and the one before it is read.
    """
    files, torn = checkpoints(folder), len(list(folder.glob("checkpoint-*.unreadable")))
    for path in reversed(files):
        try:
            return path, *read_checkpoint(path)
        except InputError:
            raise
        except ValueError as error:
            warnings.warn(f"cannot use {path} ({error}); trying the one before it", stacklevel=2)
            with suppress(OSError):  # on Windows another program may have it open
                path.replace(path.with_name(path.name + ".unreadable"))
    if files or torn:
        found = f"found {len(files) + torn} checkpoints in {folder}, and none that can be read"
        raise InputError(found, "expected one that is whole", "start again without --resume")
    return None


def read_checkpoint(path: Path) -> tuple[Tensors, Facts]:
    """Tensors and facts of one file; a `ValueError` if it is cut short, changed, or no checkpoint of this library."""
    try:
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {}).get("paullite", "{}"))
            # cloned: a view of the file would keep it open, and Windows removes no open file
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118  # no mapping
    except SafetensorError as error:
        raise ValueError(f"it is damaged: {str(error)[:80]}") from None
    except OSError as error:  # the disk, not the file: nothing is put aside
        raise InputError(f"cannot read {path} ({error})", "expected a disk that answers", "try again") from None
    if header.get("format") != FORMAT:
        raise ValueError(f"it is no checkpoint of a training run ({FORMAT})")
    if digest(tensors, header["facts"]) != header["digest"]:
        raise ValueError("it is damaged: the contents do not fit their digest")
    return tensors, header["facts"]


def random_state(device: torch.device) -> Facts:
    """The state of every source of random numbers that a run on this device draws from; JSON can hold it."""
    name, words, *rest = np.random.get_state(legacy=True)
    cuda = {"cuda": torch.cuda.get_rng_state(device).tolist()} if device.type == "cuda" else {}
    numpy = [name, np.asarray(words).tolist(), *rest]
    return {"python": random.getstate(), "numpy": numpy, "torch": torch.get_rng_state().tolist(), **cuda}


def set_random_state(device: torch.device, state: Facts) -> None:
    """Put back what `random_state` gave."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    np.random.set_state(tuple(state["numpy"]))
    torch.set_rng_state(torch.tensor(state["torch"], dtype=torch.uint8))
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(torch.tensor(state["cuda"], dtype=torch.uint8), device)


def identity(config: RunConfig, sources: Mapping[str, Any], **machine: Any) -> Facts:
    """All that the weights of a run depend on: settings, data, versions, machine; as JSON keeps it."""
    settings = {name: value for name, value in asdict(config).items() if name not in FREE}
    facts = {"phase": type(config).__name__, "settings": settings, **sources, "machine": machine}
    return dict(json.loads(json.dumps(facts | {"versions": versions()})))


def earlier_run(folder: Path, force: bool) -> list[Path]:
    """What an older run left in a folder, to be removed by the first save; an `InputError` if not ``force``."""
    older = [*checkpoints(folder), *folder.glob("run.safetensors")]
    if older and not force:
        found = f"found an earlier run in {folder} ({older[-1].name})"
        do = "go on with --resume (resume=True), replace it with --force (force=True), or choose another --output"
        raise InputError(found, "expected a folder without one", do)
    try:
        for path in older:
            path.replace(path)  # Windows refuses if another program has it open: better now than at the first save
    except OSError as error:
        raise InputError(f"cannot replace an earlier run ({error})", "expected it closed", "close it") from None
    return older
