"""Machines on which a user has no home, or is not alone."""

import os
import sys

import pytest


def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that is started with a number for a user: no HOME, and no entry in the list of users."""
    if sys.platform == "win32":
        pytest.skip("there, a user has a home")
    import pwd

    def unknown(user: object) -> None:
        raise KeyError("uid not found")

    for name in [name for name in os.environ if name == "HOME" or name.startswith("XDG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(pwd, "getpwnam", unknown)
