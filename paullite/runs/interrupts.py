"""Ctrl-C in the middle of a step: the step is finished first, so that what is saved is whole."""

import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Any

# Ctrl-C; the end that a launcher or a scheduler sets; a connection or a window that is closed
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
PATIENCE = 1.0  # seconds in which a terminal and a launcher may both send the same wish


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
