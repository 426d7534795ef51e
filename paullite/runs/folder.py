"""The folder of a run: one run at a time in it, its checkpoints, and what an earlier run left there."""

import logging
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import InputError, listed
from ..files import remove, replacing, writable_folder
from . import checkpoint
from .checkpoint import Facts, Tensors
from .distributed import Team
from .provenance import differences


@dataclass
class RunFolder:
    """Where a run keeps its files, written by the first of its processes; with ``path=None`` nothing is kept."""

    path: Path | None
    team: Team
    resume: bool
    force: bool
    saved: int = -1  # steps done at the last save
    saved_at: float = field(default_factory=time.monotonic)
    older: list[Path] = field(default_factory=list)  # what the first save removes

    @contextmanager
    def opened(self) -> Iterator[None]:
        """The folder is there, locked, and holds no other run that would be lost."""
        with ExitStack() as stack:
            if self.path and self.team.leads:
                stack.enter_context(folder_lock(writable_folder(self.path)))
                if not (self.resume and any(self.path.glob("checkpoint-*"))):
                    self.older = checkpoint.earlier_run(self.path, self.force)
            yield

    def newest(self, identity: Facts) -> tuple[Path, Tensors, Facts] | None:
        """The newest readable checkpoint, if the run resumes; an `InputError` if a run of another identity made it."""
        found = checkpoint.read_newest(self.path) if self.resume and self.path and self.team.leads else None
        path = self.team.objects(found[0] if found else None)[0]  # the leader looks, and all read that file
        if path is None:
            return None
        tensors, facts = found[1:] if found else checkpoint.read_checkpoint(path)
        if not self.force and (others := differences(facts["identity"], identity)):
            do = "give them again; or go on all the same with --force (force=True); or choose another --output"
            expected = "expected the settings, data and versions that the run was begun with"
            raise InputError(f"found {path.name} made with {listed(others, 4)}", expected, do)
        self.saved = facts["steps"]
        return path, tensors, facts

    def save(self, steps: int, collect: Callable[[], tuple[Tensors, Facts]]) -> None:
        """Write what ``collect`` gives, unless this very step is saved. Every process has to call it."""
        if self.path is None or self.saved == steps:
            return
        tensors, facts = collect()
        if self.team.leads:
            remove(self.older)
            self.older = []
            checkpoint.write_checkpoint(self.path, steps, tensors, facts)
        self.saved, self.saved_at = steps, time.monotonic()

    def is_late(self, minutes: float) -> bool:
        """Whether the last save was more than so many minutes ago; never with 0."""
        return time.monotonic() - self.saved_at > 60 * minutes > 0

    def note(self, name: str, lines: Sequence[str]) -> str:
        """Write lines into a file of the folder; returns where to find them, as the end of a sentence."""
        if self.path and self.team.leads:
            with suppress(InputError), replacing(self.path / name) as temporary:
                temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")
                return f" (all of them: {self.path / name})"
        return ""

    def how_to_go_on(self) -> str:
        """What is saved, and what to type, as the end of a sentence."""
        if self.saved < 0:
            return "nothing was saved" + ", since there is no output folder" * (self.path is None)
        return f"saved in {self.path} up to step {self.saved}; go on with --resume (resume=True)"


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """A lock ``running.lock`` in a folder, for as long as a run writes there; ``running.txt`` says whose it is.

    The system gives the lock back when its process ends, however that ends. An `InputError` says who holds it. On a
    drive that knows no locks (some mounted ones) a warning says so.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, folder_lock(Path(folder)):
    ...     (Path(folder) / "running.lock").is_file()
    True
    """
    lock, owner = FileLock(folder / "running.lock"), folder / "running.txt"
    try:
        lock.acquire(blocking=False)
    except Timeout:
        who = "an unknown process"
        with suppress(OSError):  # it has not written its name yet
            who = owner.read_text(encoding="utf-8") or who
        found = f"found another run at work in {folder} ({who})"
        raise InputError(found, "expected one for each folder", "choose another --output, or wait") from None
    except (NotImplementedError, OSError) as error:
        logging.getLogger("paullite").warning("no lock in %s (%s): see that one run alone writes there", folder, error)
    try:
        with suppress(OSError):  # another program has it open, on Windows
            owner.write_text(f"process {os.getpid()} on {platform.node()}", encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            owner.unlink(missing_ok=True)
        lock.release()  # the empty file stays: removing it could let two runs lock two files of one name
