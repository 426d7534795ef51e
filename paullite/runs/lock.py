"""One run at a time in a folder."""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path
from threading import Event, Thread

import psutil

from ..errors import InputError

NAME = "running.lock"
SIGN, SILENT = 10.0, 60.0  # seconds between two signs of life; after how many without one a run counts as gone


class FolderLock:
    """A file ``running.lock`` in a folder, for as long as a run writes there.

    The file names the process and is touched every ten seconds. A lock is taken over if its process is gone from this
    machine, or if another machine made it (a Colab session that ended, a shared drive) and gave no sign for a minute.

    Raises:
        InputError: another run is at work in the folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, FolderLock(Path(folder)):
    ...     (Path(folder) / NAME).is_file()
    True
    """

    def __init__(self, folder: Path) -> None:
        self.path, self.ended = folder / NAME, Event()

    def __enter__(self) -> FolderLock:
        if not self._made():
            self._refuse_if_alive()
            self.path.unlink(missing_ok=True)
            if not self._made():  # somebody was quicker
                self._refuse_if_alive()
        Thread(target=self._give_signs, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.path.unlink(missing_ok=True)

    def _made(self) -> bool:
        """Make the file, unless there is one: the system lets one process alone succeed."""
        text = json.dumps({"process": os.getpid(), "machine": platform.node(), "born": _born(os.getpid())})
        try:
            with open(self.path, "x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            return False
        return True

    def _refuse_if_alive(self) -> None:
        try:
            owner = json.loads(self.path.read_text(encoding="utf-8"))
            silent = time.time() - self.path.stat().st_mtime
        except (OSError, ValueError):  # gone by now, or cut short when its run was
            return
        here = owner["machine"] == platform.node()
        if _born(owner["process"]) == owner["born"] if here else silent < SILENT:
            place = "this machine" if here else f"the machine {owner['machine']}"
            raise InputError(
                f"found another run at work in {self.path.parent} (process {owner['process']} on {place})",
                "expected one run for each folder",
                f"choose another --output, or wait until it ends; if you know that it has ended, delete {self.path}",
            )

    def _give_signs(self) -> None:
        while not self.ended.wait(SIGN):
            try:
                os.utime(self.path)
            except OSError:  # the folder went away; the next save will say so
                return


def _born(process: int) -> float | None:
    """When a process of this machine was started, since numbers are used again; ``None`` if there is no such one."""
    try:
        return psutil.Process(process).create_time()
    except psutil.Error:
        return None
