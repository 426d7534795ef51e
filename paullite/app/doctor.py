"""Does this machine have what paullite needs?"""

import operator
import os
import platform
import shutil
import time
from importlib.metadata import PackageNotFoundError, requires, version

import torch

from ..config import PRESETS
from ..data.paperdolls.cache import default_folder, spare_folder
from ..errors import InputError
from ..files import writable_folder
from ..networks import shipped_net
from ..pretraining import build_net
from ..runs.machine import chosen_device

Line = tuple[bool, str, str]  # fine or not, what, what was found


def examine() -> list[Line]:
    """Look at versions, devices, memory, the cache folder, the weights that come along, and time one training step.

    >>> [what for fine, what, found in examine()][-4:]
    ['GPU', 'cache', 'weights', 'training']
    """
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none (not needed)"
    device = "Apple GPU (mps)" if torch.backends.mps.is_available() else gpu
    cores = f"{os.cpu_count()} cores, {torch.get_num_threads()} used"
    return [*packages(), (True, "processor", cores), (True, "GPU", device), _cache(), _weights(), _step()]


def packages() -> list[Line]:
    """Python and every package that is needed: fine or not, name, version found and what to type if it is too old."""
    try:
        every = requires("paullite") or []
    except PackageNotFoundError:  # a folder on the path, not installed
        every = ["torch", "timm", "numpy"]
    needs = [need.partition(">=") for need in every if "extra ==" not in need]
    return [(True, "python", platform.python_version()), *(_package(name.strip(), least) for name, _, least in needs)]


def _package(name: str, least: str) -> Line:
    try:
        found = version(name)
    except PackageNotFoundError:
        return False, name, f"missing; pip install '{name}>={least}'"
    # 2.15.0+cu132 -> [2, 15, 0]
    numbers = ([int(part) for part in text.split("+")[0].split(".") if part.isdigit()] for text in (found, least))
    fine = operator.ge(*numbers)
    return fine, name, found if fine else f"{found}, needs {least}; pip install -U '{name}>={least}'"


def _cache() -> Line:
    try:
        try:
            folder = writable_folder(default_folder())
        except InputError:  # the pictures are kept there, too, then
            folder = writable_folder(spare_folder())
    except InputError as error:
        return False, "cache", f"{error}; set PAULLITE_CACHE to another folder"
    free = shutil.disk_usage(folder).free / 1e9
    return free > 0.2, "cache", f"{folder}, {free:.1f} GB free" + ("" if free > 0.2 else "; 0.2 GB are needed")


def _weights() -> Line:
    try:
        net = shipped_net()
    except InputError as error:
        return False, "weights", str(error)
    return True, "weights", f"P = {net.patches}, D = {net.feature_dim}, backbone {net.backbone.name}"


def _step() -> Line:
    """One training step of the demo's network where a run would compute, after one to warm up."""
    preset, place = PRESETS["paperdolls"], chosen_device("auto")
    try:
        net = build_net(preset.pretrain, None).to(place)
        batch = torch.zeros(2 * preset.adapt.batch, 3, *preset.pretrain.size, device=place)
        for _ in range(2):
            began = time.perf_counter()
            total = net(batch).features.sum()
            total.backward()
            total.item()  # waits until a GPU is done
    except RuntimeError as error:  # a driver that does not fit, or a GPU that is full
        return False, "training", f"on {place.type}: {str(error).splitlines()[0]}; use --device cpu"
    speed = len(batch) / (time.perf_counter() - began)
    return True, "training", f"{speed:.0f} images a second on {place.type} with the demo's network"
