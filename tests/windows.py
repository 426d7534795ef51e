"""Windows' rules about files, imitated: what this process has open or mapped is neither replaced nor removed."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest


def held() -> Iterator[str]:
    """Every file that this process has open or mapped into memory."""
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            yield os.readlink(f"/proc/self/fd/{number}")
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        yield from line.split(maxsplit=5)[5:]


def refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of ``os`` that refuses to touch such a file."""

    def patched(*paths: Any, **options: Any) -> Any:
        names = {os.path.realpath(path) for path in paths}
        if names & set(held()):
            raise PermissionError(13, "the file is in use by another process", *map(str, paths[:1]))
        return function(*paths, **options)

    return patched


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the rest of the test, open files stay where they are."""
    if not Path("/proc/self/maps").is_file():
        pytest.skip("needs Linux' list of open files")
    for name in ("replace", "rename", "unlink", "remove"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
