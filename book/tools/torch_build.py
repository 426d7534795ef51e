"""The first step of ``make``: which build of PyTorch. Needs nothing but Python.

    python -m book.tools.torch_build cpu     on Linux, the builds without GPU support, if their index can be reached
    python -m book.tools.torch_build gpu     the usual builds, which on Linux bring CUDA with them

Words after that go to pip, as ``-c constraints.txt``. What is installed already stays.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from urllib.error import URLError
from urllib.request import urlopen

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
SECONDS = 5  # to wait for the index
PACKAGES = ("torch", "torchvision")
INTEL_MAC = (
    "found a Python for Intel Macs; expected one for Apple silicon, Linux or Windows: PyTorch has had no builds "
    "for Intel Macs since its version 2.3; read the pages of the book, or run its chapters on Colab"
)
NO_CPU_BUILD = "the builds of PyTorch without GPU support cannot be reached, so the usual ones are taken (2.7 GB)"
CPU_BUILD = "taking PyTorch without GPU support; for an NVIDIA GPU: make clean, then the same again with TORCH=gpu"


def refusal(choice: str, system: str, machine: str) -> str:
    """Why nothing can be installed; empty if it can.

    >>> refusal("tpu", "Linux", "x86_64")
    'found TORCH=tpu; expected cpu or gpu; try: make TORCH=gpu'
    >>> refusal("cpu", "Darwin", "arm64")
    ''
    """
    if choice not in ("cpu", "gpu"):
        return f"found TORCH={choice}; expected cpu or gpu; try: make TORCH=gpu"
    return INTEL_MAC if (system, machine) == ("Darwin", "x86_64") else ""


def reachable(address: str = f"{CPU_INDEX}/torch/") -> bool:
    """Whether the index of the small builds answers."""
    try:
        with urlopen(address, timeout=SECONDS) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def install(words: list[str]) -> bool:
    """The small builds alone: what they depend on comes from the usual index, with the packages."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*command, *words, "--index-url", CPU_INDEX, *PACKAGES], check=False)
    return done.returncode == 0


def main(words: list[str], *, ask: Callable[[], bool] = reachable, fetch: Callable[[list[str]], bool] = install) -> int:
    """Install the small builds where they are wanted and there; 2 if nothing can be installed at all."""
    choice, *rest = words or ["cpu"]
    refused = refusal(choice, platform.system(), platform.machine())
    if refused:
        print(refused, file=sys.stderr)
        return 2
    if choice == "cpu" and platform.system() == "Linux" and find_spec("torch") is None:
        print(CPU_BUILD if ask() and fetch(rest) else NO_CPU_BUILD)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
