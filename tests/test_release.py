"""The release checklist: tag, first cell, Colab button and citation name one version, and the check of it can fail."""

import re
import shutil
from pathlib import Path

import pytest

import paullite as pl
from book.extension import address
from book.tools import notebooks, release

NAMES = ("paullite/version.py", "pyproject.toml", "book/pyproject.toml", "CITATION.cff", "CHANGELOG.md", "_config.yml")
VERSION = f'version = "{pl.__version__}"'
DATE = "2031-05-06"


def test_everything_names_the_same_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the address that the first cells have: in a fresh fork that is still the address of the original."""
    first = notebooks.code_cells(notebooks.read(notebooks.chapters(["01"])[0]))[0].source
    monkeypatch.setenv(address.VARIABLE, re.search(r"git\+(https://\S+)@v", first)[1])
    assert release.disagreements() == []


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the checklist reads, with one chapter and without git: the address is that of `_config.yml`."""
    monkeypatch.delenv(address.VARIABLE, raising=False)
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(release.ROOT / name, tmp_path / name)
    (tmp_path / "notebooks").mkdir()
    shutil.copy(notebooks.chapters(["01"])[0], tmp_path / "notebooks")
    for module in (release, notebooks):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path / "notebooks")
    monkeypatch.setattr(notebooks, "ASSIGNMENTS", tmp_path / "book" / "assignments")
    change(tmp_path / "_config.yml", address.configured(tmp_path), f"https://github.com/{address.PLACEHOLDER}/paullite")
    notebooks.begin(notebooks.chapters([])[0])
    assert release.disagreements() == []
    return tmp_path


def change(path: Path, found: str, instead: str) -> None:
    """Replace the first of a text in a file, which must be there."""
    text = path.read_text(encoding="utf-8")
    assert found in text, (path.name, found)
    path.write_text(text.replace(found, instead, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "found", "instead", "said"),
    [
        ("paullite/version.py", pl.__version__, "9.9.9", "paullite/version.py does not say"),
        ("pyproject.toml", f'version = "{pl.__version__}"', 'version = "9.9.9"', "pyproject.toml does not say"),
        (
            "book/pyproject.toml",
            f'version = "{pl.__version__}"',
            'version = "9.9.9"',
            "book/pyproject.toml does not say",
        ),
        ("book/pyproject.toml", f"paullite=={pl.__version__}", "paullite==9.9.9", "does not ask for paullite=="),
        ("CITATION.cff", f"version: {pl.__version__}", "version: 9.9.9", "CITATION.cff says version 9.9.9"),
        ("CITATION.cff", "license: ", "date-released: 1999-01-01\nlicense: ", "CITATION.cff says released 1999-01-01"),
        ("CHANGELOG.md", f"## {pl.__version__}", "## 9.9.9", "CHANGELOG.md begins with 9.9.9"),
        ("CHANGELOG.md", f"## {pl.__version__} (", f"## {pl.__version__} (soon, ", "expected YYYY-MM-DD or unreleased"),
        ("notebooks/01_task_and_score.ipynb", f"@v{pl.__version__}", "@v9.9.9", "does not install v"),
        ("notebooks/01_task_and_score.ipynb", f"/blob/v{pl.__version__}/", "/blob/main/", "badge of 01_task_and_score"),
    ],
)
def test_a_place_that_differs_is_named(copy: Path, name: str, found: str, instead: str, said: str) -> None:
    change(copy / name, found, instead)
    assert said in "\n".join(release.disagreements())


def test_a_date_stands_in_changelog_and_citation(copy: Path) -> None:
    heading = next(line for line in (copy / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    change(copy / "CHANGELOG.md", heading, f"## {pl.__version__} ({DATE})")
    assert f"CHANGELOG.md {DATE}" in "\n".join(release.disagreements())
    citation = copy / "CITATION.cff"
    citation.write_text(re.sub(r"date-released: .*\n", "", citation.read_text()) + f"date-released: {DATE}\n")
    assert release.disagreements() == [] and not [step for step in release.to_do() if "write the date" in step]


def test_what_is_left_to_do_is_said(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main() == 1
    said = capsys.readouterr()
    assert f"git push origin main v{pl.__version__}" in said.out
    assert "write the public address" in said.out and "placeholder" in said.err
    dated = re.search(rf"^## {re.escape(pl.__version__)} \(\d", (copy / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert ("write the date into CHANGELOG.md" in said.out) == (dated is None)


def test_the_checklist_names_the_doi_until_it_is_there(copy: Path) -> None:
    def named() -> bool:
        return any("doi" in step and "CITATION.cff" in step for step in release.to_do())

    citation = copy / "CITATION.cff"
    citation.write_text(re.sub(r"^#? ?doi: .*\n", "", citation.read_text(), flags=re.MULTILINE))
    assert named()
    citation.write_text(citation.read_text() + "doi: 10.5281/zenodo.1\n")
    assert not named()


def test_a_placeholder_is_an_error(copy: Path) -> None:
    change(copy / "_config.yml", address.PLACEHOLDER, "somebody")
    assert "run: make beginnings" in "\n".join(release.disagreements())
    assert notebooks.begin(notebooks.chapters([])[0]) and release.main() == 0
    change(copy / "_config.yml", "somebody", address.PLACEHOLDER)
    assert release.main() == 1
