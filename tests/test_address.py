"""The address of this copy of the repository: the remote, else _config.yml; and what notebooks and pages make of it."""

import doctest
import subprocess
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from book.extension import address
from book.tools import edition, notebooks
from tests import prose

FORK = "https://github.com/Somebody/paul.book"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an address in its settings, and no repository yet."""
    monkeypatch.delenv(address.VARIABLE, raising=False)
    (tmp_path / "_config.yml").write_text("repository: {url: https://github.com/Original/paullite/}\n")
    return tmp_path


def clone(folder: Path, remote: str) -> None:
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    subprocess.run(["git", "remote", "add", "origin", remote], cwd=folder, check=True)


def test_the_examples_hold() -> None:
    found = doctest.testmod(address)
    assert found.attempted and not found.failed


@pytest.mark.parametrize(
    "remote",
    [
        FORK,
        f"{FORK}.git",
        "https://me:ghp_secret@github.com/Somebody/paul.book.git",
        "git@github.com:Somebody/paul.book.git",
        "ssh://git@github.com:22/Somebody/paul.book",
        "git@GitHub.com:Somebody/paul.book.git/",
    ],
)
def test_a_fork_leads_to_itself(copy: Path, remote: str) -> None:
    clone(copy, remote)
    assert address.repository(copy) == FORK


@pytest.mark.parametrize(
    "remote",
    ["../paullite", "/a/folder/paullite", "https://example.org/github.com/a", "https://github.com/only-a-name"],
)
def test_without_a_remote_on_github_the_settings_have_it(copy: Path, remote: str) -> None:
    assert address.repository(copy) == "https://github.com/Original/paullite"
    clone(copy, remote)
    assert address.repository(copy) == "https://github.com/Original/paullite"


def test_a_folder_inside_another_repository_is_none_of_its_own(copy: Path) -> None:
    clone(copy, FORK)
    (copy / "inside").mkdir()
    (copy / "inside" / "_config.yml").write_text("repository: {url: https://github.com/Original/paullite}\n")
    assert address.repository(copy / "inside") == "https://github.com/Original/paullite"


def test_the_variable_comes_first_and_must_be_an_address(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone(copy, FORK)
    monkeypatch.setenv(address.VARIABLE, "https://github.com/Original/book/")
    assert address.repository(copy) == "https://github.com/Original/book"
    monkeypatch.setenv(address.VARIABLE, "Original/book")
    with pytest.raises(ValueError, match="found PAULLITE_REPOSITORY=Original/book; expected https://"):
        address.repository(copy)


def test_notebooks_of_a_fork_begin_with_the_fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make beginnings` writes the address into badge and first cell, once; the outputs stay."""
    path = tmp_path / "notebooks" / "01_task_and_score.ipynb"
    path.parent.mkdir()
    path.write_bytes(notebooks.chapters(["01"])[0].read_bytes())
    before = notebooks.read(path)
    monkeypatch.setenv(address.VARIABLE, FORK)
    assert notebooks.begin(path) and not notebooks.begin(path)
    after = notebooks.read(path)
    assert "github/Somebody/paul.book/blob/v" in after.cells[0].source
    assert f"git+{FORK}@v" in after.cells[1].source and after.cells[1].source.count(FORK) == 2
    assert [c.get("outputs") for c in after.cells] == [c.get("outputs") for c in before.cells]
    assert [c.source for c in after.cells[2:]] == [c.source for c in before.cells[2:]]


def test_a_badge_costs_no_time_to_read_and_is_not_in_the_student_edition() -> None:
    def made(text: str) -> nbformat.NotebookNode:
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])

    plain = "# A title\n\nSome words."
    book = made(address.with_badge(plain, address.badge(FORK, "v1", "notebooks/a.ipynb")))
    assert "colab.research" in book.cells[0].source
    assert notebooks.words(book) == notebooks.words(made(plain)) == 4
    assert prose.measured(book) == prose.measured(made(plain))
    edition.strip_notebook(book)
    assert book.cells[0].source == plain


def test_pages_lead_to_the_fork(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Buttons, the site's own address, and the line to clone."""
    monkeypatch.syspath_prepend(Path(address.__file__).parent)
    from book.extension import site_fixes

    clone(copy, FORK)
    config = SimpleNamespace(html_theme_options={}, html_baseurl="", ogp_site_url="", ogp_image="", ogp_image_alt="")
    app = SimpleNamespace(srcdir=copy, config=config)
    site_fixes.derive_addresses(app, config)
    assert config.html_theme_options["repository_url"] == FORK
    assert config.html_baseurl == config.ogp_site_url == "https://somebody.github.io/paul.book/"
    page = [f"# A\n\n{address.badge(FORK, 'v1', 'b.ipynb')}\n\ngit clone @REPOSITORY@\ncd @FOLDER@\n"]
    site_fixes.write_address(app, "a", page)
    assert page == [f"# A\n\ngit clone {FORK}\ncd paul.book\n"]
