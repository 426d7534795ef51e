"""A time limit on the reader's code."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

AGAIN = 1.0  # seconds until code that caught the first interrupt, by a bare except, meets the next


class TimeIsUp(BaseException):
    """The limit is over. No `Exception`, so that ``except Exception`` in the reader's code lets it through."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeIsUp` in the code below once so many seconds have passed.

    In the main thread of Linux and macOS, which is where Jupyter runs its cells, an alarm of the operating system ends
    whatever runs, even a sleep. On Windows, and in other threads, a second thread plants the exception, which takes
    effect between two steps of Python. A single call into compiled code that does not come back can therefore not be
    interrupted: one huge product of matrices anywhere, and on Windows also ``time.sleep``.

    >>> with suppress(TimeIsUp), time_limit(0.05):
    ...     while True:
    ...         pass
    """
    main = threading.current_thread() is threading.main_thread()
    with (alarm if main and hasattr(signal, "setitimer") else watchdog)(seconds):
        yield


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """The limit by a signal: the main thread of Linux and macOS alone."""
    handler = signal.signal(signal.SIGALRM, _raise)
    before = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        with suppress(TimeIsUp):  # one that was on its way already
            signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *before)


def _raise(number: int, frame: FrameType | None) -> None:
    raise TimeIsUp


@contextmanager
def watchdog(seconds: float) -> Iterator[None]:
    """The limit by a second thread: everywhere in CPython, but only between two steps of Python."""
    watched, done = threading.get_ident(), threading.Event()

    def watch() -> None:
        wait = seconds
        while not done.wait(wait):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(watched), ctypes.py_object(TimeIsUp))
            wait = AGAIN

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        with suppress(TimeIsUp):  # one that was on its way already arrives here at the latest
            done.set()
            thread.join()
        done.set()
