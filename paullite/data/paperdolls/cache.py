"""Drawn pictures kept in one file: drawn once, memory-mapped by every process afterwards."""

import getpass
import os
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from platformdirs import user_cache_path
from tqdm import tqdm

from ...errors import InputError
from .raster import Pixels

_ADVICE = "set the environment variable PAULLITE_CACHE to a folder that you may write to and that has space"


@dataclass(frozen=True)
class CachedPictures:
    """Opens a picture by its made-up name. Only the file's name travels to worker processes, never the pixels."""

    file: str  #: a ``.npy`` file of pictures x height x width x 3 bytes
    rows: Mapping[str, int] = field(repr=False, compare=False)  #: which picture of the file belongs to a name

    def __call__(self, path: str) -> Image.Image:
        if path not in self.rows:
            raise InputError(f"no drawn picture is called {path}", "expected a path of the same data set")
        return Image.fromarray(np.array(open_array(self.file)[self.rows[path]]))


@lru_cache(maxsize=64)
def open_array(file: str) -> Pixels:
    """The file as a memory-mapped array, once per process; an `InputError` if it is gone or damaged."""
    try:
        return np.lib.format.open_memmap(file, mode="r")
    except (OSError, ValueError, EOFError) as error:
        found = f"cannot read {file} ({error})"
        raise InputError(found, "expected the drawn pictures", "make the PaperDolls again") from None


def cached_array(name: str, shape: tuple[int, ...], draw: Callable[[], Iterable[Pixels]], folder: Path | None) -> str:
    """The path of a file that holds an array of this shape; ``name`` must change with all that changes the pixels.

    ``draw`` is called if the file is missing or damaged. Where a ``folder`` (``None``: `default_folder`) cannot be
    written, the system's temporary one takes its place with a warning, or else there is an `InputError`.
    """
    file = (folder or default_folder()) / name
    try:
        if not _is_whole(file, shape):
            _write(file, shape, draw)
        return str(file)
    except OSError as error:
        if _is_whole(file, shape):  # another process was quicker; Windows keeps a file that is in use as it is
            return str(file)
        problem = f"cannot write {file} ({error})"
    spare = spare_folder()
    if file.parent == spare:
        raise InputError(problem, "expected a folder to keep pictures in", _ADVICE)
    warnings.warn(f"{problem}; keeping the pictures in {spare}; {_ADVICE}", stacklevel=4)
    return cached_array(name, shape, draw, spare)


def default_folder() -> Path:
    """``PAULLITE_CACHE`` if it is set, else where the system keeps caches: ``~/.cache/paullite`` on Linux."""
    chosen = os.environ.get("PAULLITE_CACHE")
    try:
        return (Path(chosen) if chosen else user_cache_path("paullite", appauthor=False)).expanduser()
    except RuntimeError:  # a user without a home, as in some containers
        return spare_folder()


def spare_folder() -> Path:
    """A folder in the system's temporary one that is this user's own: another one could not write there."""
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    return Path(tempfile.gettempdir()) / f"paullite-{user}"


def _is_whole(file: Path, shape: tuple[int, ...]) -> bool:
    """Whether the file is there and whole. A file that was cut short cannot be mapped, so this is quick."""
    try:
        array = np.lib.format.open_memmap(str(file), mode="r")
    except (OSError, ValueError, EOFError):
        return False
    return array.shape == shape and array.dtype == np.uint8


def _write(file: Path, shape: tuple[int, ...], draw: Callable[[], Iterable[Pixels]]) -> None:
    """Draw into a temporary file and give it its name at the end: nobody ever sees half a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as out:
            np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
            for picture in tqdm(draw(), total=shape[0], desc="drawing", leave=False, disable=shape[0] <= 500):
                out.write(picture.tobytes())
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
    open_array.cache_clear()  # an older, damaged file may still be mapped
