"""Does this machine have what paullite needs?"""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

import torch

from ..config import PRESETS
from ..data.paperdolls.cache import default_folder
from ..errors import InputError
from ..files import writable_folder
from ..models import PatchNet
from ..pretraining import build_net
from ..runs.machine import chosen_device


@dataclass(frozen=True)
class Report:
    """Lines of (fine or not, what, what was found)."""

    lines: tuple[tuple[bool, str, str], ...]

    @property
    def ok(self) -> bool:
        """Nothing is missing."""
        return all(fine for fine, _, _ in self.lines)

    def __str__(self) -> str:
        return "\n".join(f"{'ok' if fine else 'NO':<4}{what:<14}{found}" for fine, what, found in self.lines)


def examine() -> Report:
    """Look at versions, devices, memory, the cache folder, the weights that come along, and time one training step.

    >>> isinstance(examine().ok, bool)
    True
    """
    checks: tuple[Callable[[], list[tuple[bool, str, str]]], ...] = (packages, _machine, _cache, _weights, _step)
    return Report(tuple(line for check in checks for line in check()))


def packages() -> list[tuple[bool, str, str]]:
    """Python and every package that is needed: fine or not, name, version found and what to type if it is too old."""
    try:
        every = requires("paullite") or []
    except PackageNotFoundError:  # a folder on the path, not installed
        every = ["torch", "timm", "numpy"]
    needs = [need.partition(">=") for need in every if "extra ==" not in need]
    return [(True, "python", platform.python_version()), *(_package(name.strip(), least) for name, _, least in needs)]


def _package(name: str, least: str) -> tuple[bool, str, str]:
    try:
        found = version(name)
    except PackageNotFoundError:
        return False, name, f"missing; pip install '{name}>={least}'"
    fine = _numbers(found) >= _numbers(least)
    return fine, name, found if fine else f"{found}, needs {least}; pip install -U '{name}>={least}'"


def _numbers(text: str) -> tuple[int, ...]:
    """The leading numbers of a version: 2.15.0+cu132 -> (2, 15, 0)."""
    return tuple(int(part) for part in text.split("+")[0].split(".") if part.isdigit())


def _machine() -> list[tuple[bool, str, str]]:
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none (not needed)"
    device = "Apple GPU (mps)" if torch.backends.mps.is_available() else gpu
    return [(True, "processor", f"{os.cpu_count()} cores, {torch.get_num_threads()} used"), (True, "GPU", device)]


def _cache() -> list[tuple[bool, str, str]]:
    try:
        folder = writable_folder(default_folder())
    except InputError as error:
        return [(False, "cache", f"{error}; set PAULLITE_CACHE to another folder")]
    free = shutil.disk_usage(folder).free / 1e9
    return [(free > 0.2, "cache", f"{folder}, {free:.1f} GB free" + ("" if free > 0.2 else "; 0.2 GB are needed"))]


def _weights() -> list[tuple[bool, str, str]]:
    from ..networks import shipped_net

    try:
        net = shipped_net()
    except InputError as error:
        return [(False, "weights", str(error))]
    return [(True, "weights", f"P = {net.patches}, D = {net.feature_dim}, backbone {net.backbone.name}")]


def _step() -> list[tuple[bool, str, str]]:
    """One training step of the demo's network where a run would compute, after one to warm up."""
    preset, place = PRESETS["paperdolls"], chosen_device("auto")
    try:
        net = build_net(preset.pretrain, None).to(place)
        batch = torch.zeros(2 * preset.adapt.batch, 3, *preset.pretrain.size, device=place)
        _forward_backward(net, batch)
        began = time.perf_counter()
        _forward_backward(net, batch)
    except RuntimeError as error:  # a driver that does not fit, or a GPU that is full
        return [(False, "training", f"on {place.type}: {str(error).splitlines()[0]}; use --device cpu")]
    speed = len(batch) / (time.perf_counter() - began)
    return [(True, "training", f"{speed:.0f} images a second on {place.type} with the demo's network")]


def _forward_backward(net: PatchNet, batch: torch.Tensor) -> None:
    total = net(batch).features.sum()
    total.backward()
    total.item()  # waits until a GPU is done
