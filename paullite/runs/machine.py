"""Device, precision and processes of a run, and what Ctrl-C does to it; the process is left as it was found."""

import atexit
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np
import torch
import torch.distributed as dist
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState

from ..config import RunConfig
from ..errors import InputError
from .distributed import Team

# Ctrl-C; the end that a launcher or a scheduler sets; a connection or a window that is closed
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
PATIENCE = 1.0  # seconds in which a terminal and a launcher may both send the same wish


@contextmanager
def accelerated(config: RunConfig) -> Iterator[tuple[Accelerator, Team]]:
    """Device and precision as the settings say (an `InputError` if not there), and the processes that were launched.

    At the end the process is as it was: deterministic algorithms, environment, the states that accelerate shares
    between all its objects (the user's own live ``Accelerator`` among them), the current GPU, and every random state.
    """
    device = chosen_device(config.device)
    precision = chosen_precision(config.precision, device.type)
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng([device] if device.type == "cuda" else []))
        stack.callback(random.setstate, random.getstate())
        stack.callback(np.random.set_state, np.random.get_state())
        stack.callback(torch.set_deterministic_debug_mode, torch.get_deterministic_debug_mode())  # warn_only included
        stack.enter_context(mock.patch.dict(os.environ))  # puts the entries back, nothing else
        for state in (PartialState, AcceleratorState, GradientState):  # none inside, until there is an Accelerator
            stack.enter_context(mock.patch.dict(state._shared_state, clear=True))
        if device.index is not None:
            stack.enter_context(torch.cuda.device(device))
        if config.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # CUDA's matrix products ask for it
        torch.use_deterministic_algorithms(config.deterministic)
        accelerator = Accelerator(cpu=device.type == "cpu", mixed_precision=precision)
        if accelerator.num_processes > 1:
            atexit.unregister(_leave)
            atexit.register(_leave)  # lets the other processes know that this one goes
        rank, size = accelerator.process_index, accelerator.num_processes
        yield accelerator, Team(rank, size, config.bn_splits, accelerator.device)


def chosen_device(asked: str) -> torch.device:
    """The device of a name, ``auto`` being a GPU where there is one; an `InputError` if it is not there.

    >>> chosen_device("cpu")
    device(type='cpu')
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if asked == "auto":
        asked = next(name for name, here in available.items() if here)
    device = torch.device(asked)
    if not available[device.type] or (device.index or 0) >= max(torch.cuda.device_count(), 1):
        there = [f"cuda:{i}" for i in range(torch.cuda.device_count())] + ["mps"] * available["mps"] + ["cpu"]
        raise InputError(f"found no device {asked}", f"expected one of: {', '.join(there)}", "use --device auto")
    return device


def chosen_precision(asked: str, device: str) -> str:
    """What ``auto`` means on a device: bf16 where the GPU computes in it, else fp16 with a scaler, on a CPU neither.

    A GPU before Ampere (Colab's T4 among them) runs bf16 too, by way of float32 and slower; that does not count.

    >>> chosen_precision("auto", "cpu"), chosen_precision("bf16", "cpu")
    ('no', 'bf16')
    """
    if asked == "fp16" and device != "cuda":
        raise InputError(f"found the precision fp16 on {device}", "expected a CUDA GPU for it", "use --precision auto")
    if asked != "auto" or device != "cuda":
        return "no" if asked == "auto" else asked
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


class Stopped(KeyboardInterrupt):
    """A run was stopped by the user; the message says what is saved and how to go on."""


@dataclass
class Interrupts:
    """While ``waiting``, a first Ctrl-C (or one of `SIGNALS`) sets ``asked``; one that comes a second later stops it.

    Whoever sets ``waiting`` looks at ``asked`` often enough. Outside the main thread no signal arrives.
    """

    asked: float = 0.0  # when the user asked to stop; 0 for never
    waiting: bool = False
    before: dict[int, Any] = field(default_factory=dict)

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            # what is ignored stays so, as nohup wants it; None could not be put back
            self.before = {n: how for n in SIGNALS if (how := signal.getsignal(n)) not in (signal.SIG_IGN, None)}
            for number in self.before:
                signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def leave_children_to_the_loader(self) -> None:
        """Let the next batch notice that a worker died. Torch's own handler would raise in the middle of a step."""
        if self.before and hasattr(signal, "SIGCHLD") and callable(signal.getsignal(signal.SIGCHLD)):
            self.before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def _note(self, number: int, frame: object) -> None:
        if not self.waiting or (self.asked and time.monotonic() - self.asked > PATIENCE):
            raise KeyboardInterrupt
        self.asked = self.asked or time.monotonic()
