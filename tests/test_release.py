"""The release checklist: tag, first cell, Colab button and citation name one version, and the check of it can fail."""

import shutil
from pathlib import Path

import pytest

import paullite as pl
from book.tools import notebooks, release

NAMES = ("pyproject.toml", "CITATION.cff", "CHANGELOG.md", "_config.yml")


def test_everything_names_the_same_version() -> None:
    assert release.disagreements() == []


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the checklist reads, with one chapter and without git."""
    for name in NAMES:
        shutil.copy(release.ROOT / name, tmp_path / name)
    (tmp_path / "notebooks").mkdir()
    shutil.copy(notebooks.chapters(["01"])[0], tmp_path / "notebooks")
    for module in (release, notebooks):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path / "notebooks")
    assert release.disagreements() == []
    return tmp_path


@pytest.mark.parametrize(
    ("name", "found", "instead", "said"),
    [
        ("pyproject.toml", f'version = "{pl.__version__}"', 'version = "9.9.9"', "pyproject.toml does not say"),
        ("CITATION.cff", f"version: {pl.__version__}", "version: 9.9.9", "CITATION.cff says version 9.9.9"),
        ("CITATION.cff", "date-released: ", "date-released: 1999-01-01 # ", "CITATION.cff says released 1999-01-01"),
        ("CHANGELOG.md", f"## {pl.__version__}", "## 9.9.9", "CHANGELOG.md begins with 9.9.9"),
        ("notebooks/01_task_and_score.ipynb", f"@v{pl.__version__}", "@v9.9.9", "does not install v"),
    ],
)
def test_a_place_that_differs_is_named(copy: Path, name: str, found: str, instead: str, said: str) -> None:
    path = copy / name
    text = path.read_text(encoding="utf-8")
    assert found in text
    path.write_text(text.replace(found, instead, 1), encoding="utf-8")
    assert said in "\n".join(release.disagreements())


def test_what_is_left_to_do_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main() == 0
    said = capsys.readouterr().out
    assert f"git push origin main v{pl.__version__}" in said
    assert ("write the public address" in said) == ("/OWNER/" in notebooks.repository())
