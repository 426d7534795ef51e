"""Tensors from a file of weights, without running any code that is in it."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from .errors import InputError
from .files import expanded


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """All tensors of a weight file, on the CPU: safetensors, or a foreign .pth or .tar; else an `InputError`.

    A foreign file is read by ``torch.load(weights_only=True)``, which builds tensors and nothing else; they may stand
    behind the key ``state_dict`` or ``model``, and each behind ``module.``, as those of several GPUs do. Those of a
    safetensors file are views of the file: copy what you keep.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch.save({"epoch": 3, "state_dict": {"a": torch.ones(2)}}, Path(folder) / "foreign.pth")
    ...     read_weights(Path(folder) / "foreign.pth")
    {'a': tensor([1., 1.])}
    """
    path = expanded(path)
    if not path.is_file():
        do = f"of a run, give {path}/run.safetensors" if path.is_dir() else "check the path"
        raise InputError(f"found no file {path}", "expected a weight file", do)
    try:
        found = load_file(path) if is_safetensors(path) else torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        problem = f"damaged or of another kind ({type(error).__name__}: {str(error).partition('. ')[0][:80]})"
        expected = "expected a whole .safetensors file, or a .pth file that holds tensors only"
        raise InputError(f"cannot read {path} as weights, {problem}", expected) from None
    for wrapper in ("state_dict", "model"):
        found = found.get(wrapper, found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise InputError(f"found no weights by name in {path}", "expected a dictionary of tensors")
    return {key.removeprefix("module."): value for key, value in found.items()}


def is_safetensors(path: str | Path) -> bool:
    """Whether a file is in safetensors: it starts with the length of its JSON header, and the header with a brace."""
    with open(path, "rb") as file:
        return file.read(9)[8:] == b"{"


def load_weights(net: nn.Module, weights: Mapping[str, Tensor], *, owner: str, extra: bool = False) -> None:
    """Copy tensors into a module, whose names they bear; only counters of batches may be absent.

    With ``extra`` there may be more of them than the module has, as a classifier. If they do not fit ``owner``, that is
    an `InputError` and nothing is changed.
    """
    own = net.state_dict()
    needed = {key: value.shape for key, value in own.items() if not key.endswith("num_batches_tracked")}
    wrong = [key for key, shape in needed.items() if key not in weights or weights[key].shape != shape]
    wrong += [] if extra else [key for key in weights if key not in own]
    if wrong:
        problem = f"{len(wrong)} of {len(needed)} entries missing, unknown or of another shape, first {wrong[0]}"
        do = "check --backbone and the sizes, or give the file that belongs to them"
        raise InputError(f"found weights that do not fit {owner}: {problem}", "expected its own", do)
    net.load_state_dict(weights, strict=False)
