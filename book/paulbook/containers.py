"""A notebook of somebody else, run in a container that has no network and sees one folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

from paullite.errors import InputError
from paullite.version import __version__

from .marks import LARGEST, Marks, read

IMAGE = f"paulbook:{__version__}"
BUILD = f"docker build -t {IMAGE} -f book/grading/Dockerfile ."
SEEN = "/work"  # the one folder, as the container calls it
SPARE = 60  # seconds for the start and the end of a container, beside those of the notebook
WALLS = ("--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--pids-limit=512", "--memory=4g")


def lacking(image: str = IMAGE) -> str:
    """What a container lacks here, in words; nothing if one can be started."""
    if shutil.which("docker") is None:
        return "Docker is not installed"
    if not _succeeds("docker", "version"):
        return "Docker is installed, but its daemon does not answer"
    if not _succeeds("docker", "image", "inspect", image):
        return f"there is no image {image}"
    return ""


def run_again(path: Path, *, minutes: float, assignment: str, image: str = IMAGE) -> tuple[Marks | None, str]:
    """The marks of a notebook that runs in a container, and a note, as `paulbook.rerunning.run_again` gives them.

    The container sees a copy of the notebook, and nothing else of this machine. What it leaves is read as carefully as
    a file that a student handed in, since the student's code could have written it.
    """
    name = f"paulbook-{uuid.uuid4().hex[:12]}"
    with tempfile.TemporaryDirectory(prefix="paulbook-", ignore_cleanup_errors=True) as folder:
        work = Path(folder)
        shutil.copy(path, work / path.name)
        inside = ("python", "-m", "paulbook.rerunning", f"{SEEN}/{path.name}", SEEN, f"{minutes:g}", assignment)
        command = [
            "docker",
            "run",
            "--rm",
            f"--name={name}",
            *WALLS,
            *_user(),
            f"--volume={work}:{SEEN}",
            image,
            *inside,
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=60 * minutes + SPARE, check=False)
        except subprocess.TimeoutExpired:
            _succeeds("docker", "kill", name)
            return None, f"ended after {minutes:g} minutes"
        if not _own_file(work / "note.txt"):
            return None, f"its container ended with {done.returncode}: too much memory, or it ended itself"
        return _left(work)


def _left(work: Path) -> tuple[Marks | None, str]:
    """What a container has left in its folder."""
    note = (work / "note.txt").read_bytes()[:LARGEST].decode(errors="replace")
    note = "".join(letter for letter in note if letter.isprintable())[:300]
    if not _own_file(work / "marks.json"):
        return None, note
    try:
        return read(work / "marks.json"), note
    except InputError as error:
        return None, str(error).split(";")[0].replace(str(work), "")


def _own_file(path: Path) -> bool:
    """Whether it is a file of that folder, and no link to another one of this machine."""
    return path.is_file() and not path.is_symlink()


def _user() -> list[str]:
    """As who asks, so that the folder can be written to and removed; HOME is where anybody may write."""
    if not hasattr(os, "getuid"):
        return []
    return [f"--user={os.getuid()}:{os.getgid()}", "--env=HOME=/tmp"]


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
