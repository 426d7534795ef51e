"""What a run was made of: versions, data, weights. Enough to say in one line how two runs differ."""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.items import Split
from ..version import __version__

LOOKED_AT = 16  # images of a data set whose pixels enter its fingerprint
PACKAGES = ("torch", "torchvision", "timm", "numpy", "pillow")


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on; "unknown" where a package was copied and not installed."""
    found = {"python": platform.python_version(), "paullite": __version__} | dict.fromkeys(PACKAGES, "unknown")
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def fingerprint(split: Split) -> str:
    """A short name for the images of a split: names, order, people and cameras of all, and the pixels of sixteen.

    The folder in which they lie does not matter, so a data set that is mounted elsewhere keeps its fingerprint.

    >>> from paullite.data import PaperDolls
    >>> dolls = PaperDolls("target", identities=2, test_identities=2)
    >>> fingerprint(dolls.train) == fingerprint(dolls.train), fingerprint(dolls.train) == fingerprint(dolls.query)
    (True, False)
    """
    names = [os.path.abspath(path) for path in split.paths]
    with suppress(ValueError):  # no images, or images on two drives, which have no folder in common
        above = os.path.commonpath({os.path.dirname(name) for name in names})
        names = [os.path.relpath(name, above) for name in names]
    found = hashlib.sha256(json.dumps([names, split.pids, split.camids]).encode())
    for item in split.spread(LOOKED_AT):
        found.update(np.asarray(item.image).tobytes())
    return found.hexdigest()[:16]


def digest(tensors: Mapping[str, Tensor], facts: object = None) -> str:
    """SHA-256 over named tensors, bit by bit, and over facts that JSON can hold.

    >>> plus, minus = torch.zeros(2), -torch.zeros(2)
    >>> digest({"a": plus}) == digest({"a": plus.clone()}), digest({"a": plus}) == digest({"a": minus})
    (True, False)
    """
    found = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        found.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is not the same in two descriptions, as words.

    >>> differences({"settings": {"lr": 0.1, "k": 3}}, {"settings": {"lr": 0.2, "k": 3}})
    ['lr 0.1 (now 0.2)']
    """
    a, b = dict(_flat(then)), dict(_flat(now))
    names = [name for name in dict.fromkeys([*a, *b]) if a.get(name) != b.get(name)]
    return [f"{name.split('.', 1)[-1]} {a.get(name)} (now {b.get(name)})" for name in names]


def _flat(facts: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        yield from _flat(value, f"{before}{name}.") if isinstance(value, Mapping) else [(before + name, value)]
