"""A user without a home, a second user of the machine, a package that was copied and not installed."""

import os
import tempfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

import paullite as pl
from paullite.data.paperdolls.cache import default_folder, spare_folder
from paullite.files import expanded, read_history, writable_folder, write_csv
from paullite.runs import provenance
from tests.places import no_home
from tests.runs import adapt_config, dolls, start_net


def test_without_a_home_pictures_are_kept_in_the_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    no_home(monkeypatch)
    monkeypatch.delenv("PAULLITE_CACHE", raising=False)
    assert default_folder() == spare_folder() and spare_folder().parent == Path(tempfile.gettempdir())
    monkeypatch.setenv("PAULLITE_CACHE", "~/pictures")
    assert default_folder() == spare_folder()
    with pytest.raises(pl.InputError, match="found ~/runs and no home folder"):
        expanded("~/runs")


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has a temporary folder for each user")
def test_two_users_do_not_share_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one's cannot be written by the second."""
    found = []
    for user in (54321, 54322):
        monkeypatch.setattr(os, "getuid", lambda user=user: user)
        found.append(spare_folder().name)
    assert found == ["paullite-54321", "paullite-54322"]


def test_a_home_is_written_out_in_every_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert writable_folder("~/runs") == tmp_path / "runs" and not list((tmp_path / "runs").iterdir())
    write_csv(tmp_path / "runs" / "history.csv", [{"epoch": 1}])
    assert read_history("~/runs") == read_history("~/runs/history.csv") == [{"epoch": 1.0}]


@pytest.mark.slow
def test_a_copied_package_trains(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing says which version is installed, neither of this package nor of those that were copied with it."""

    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(provenance, "version", absent)
    assert provenance.versions()["paullite"] == pl.__version__ and provenance.versions()["torch"] == "unknown"
    for resume in (False, True):
        run = pl.adapt(adapt_config(output=tmp_path / "run", epochs=1), dolls(), start=start_net(), resume=resume)
        assert len(run.history) == 1
