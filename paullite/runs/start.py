"""Device, precision and processes of a run, chosen honestly."""

from __future__ import annotations

import atexit
import os

import torch
import torch.distributed as dist
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from ..config import RunConfig
from ..errors import InputError
from .team import Team


def start_accelerator(config: RunConfig) -> Accelerator:
    """Choose the device and the precision, and join the other processes if a launcher started several.

    Raises:
        InputError: the device or the precision that was asked for is not there.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(config.device, True):
        there = [name for name, here in available.items() if here] + ["cpu"]
        raise InputError(
            f"found no {config.device} device",
            f"expected one of: {', '.join(there)}",
            "use --device auto or --device cpu",
        )
    if config.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # CUDA's matrix products ask for it
    torch.use_deterministic_algorithms(config.deterministic)
    best = next((name for name, here in available.items() if here), "cpu")
    device = best if config.device == "auto" else config.device
    AcceleratorState._reset_state(reset_partial_state=True)  # it remembers the first run's choice otherwise
    return Accelerator(cpu=device == "cpu", mixed_precision=chosen_precision(config.precision, device))


def chosen_precision(asked: str, device: str) -> str:
    """What ``auto`` means on a device: bf16 where the GPU computes in it, else fp16 with a scaler, on a CPU neither.

    A GPU before Ampere (Colab's T4 among them) runs bf16 too, by way of float32 and slower; that does not count.

    Args:
        asked: auto, no, bf16 or fp16. device: cpu, cuda or mps.

    Raises:
        InputError: fp16 on a device that is no CUDA GPU.

    >>> chosen_precision("auto", "cpu"), chosen_precision("bf16", "cpu")
    ('no', 'bf16')
    """
    if asked == "fp16" and device != "cuda":
        raise InputError(f"found the precision fp16 on {device}", "expected a CUDA GPU for it", "use --precision auto")
    if asked != "auto":
        return asked
    if device != "cuda":
        return "no"
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


def team_of(accelerator: Accelerator, splits: int = 1) -> Team:
    """The processes that the launcher started: ``accelerate launch``, ``torchrun``, or none."""
    if accelerator.num_processes > 1:
        atexit.unregister(_part)
        atexit.register(_part)
    return Team(accelerator.process_index, accelerator.num_processes, splits, accelerator.device)


def _part() -> None:
    """Let the other processes know that this one goes."""
    if dist.is_initialized():
        dist.destroy_process_group()
