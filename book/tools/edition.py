"""``make html EDITION=student``: the sources of the book without solutions, and without what is for teachers only.

    python -m book.tools.edition FOLDER    writes them to a folder; its notebooks can be handed out

Exercises, their stubs and hints stay. Taken out are folded solutions, the folded answers of questions without code, the
guide for instructors, what stands between ``<!-- teacher -->`` and ``<!-- /teacher -->`` on a page, and the buttons
that lead to the repository, whose notebooks have it all. The book itself is left as it is.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

from book.extension.address import repository, without_badge

ROOT = Path(__file__).parent.parent.parent
SOURCES = ("_config.yml", "_toc.yml", "book", "notebooks")
LINKED = ("paullite", "tests", "README.md")  # read by the build: links, a card, a program
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", "*.py", "*.toml", "marks*.json", "instructor.md", "locale")
TEACHERS = "book/reference/instructor"
BUTTONS = ("use_repository_button", "use_edit_page_button")
NOTE = """
```{note}
This is the **student edition**: every exercise with its hints, without solutions and answers. Where a page speaks of
the rocket or of a folded solution, that is in the other edition. To run a chapter, load its notebook with the arrow at
the top of its page, and open it on your computer or in Colab (*File, Upload notebook*).
```
"""
NOTED = ("book/intro.md", "book/reference/how_to_use.md")

# In the order in which they stand: headings, folded parts with their summaries, and code, whose # is no heading
PARTS = re.compile(
    r"^#{1,3} +(?P<heading>[^\n]*)$"
    r"|<details>\s*<summary>(?P<summary>.*?)</summary>.*?</details>\n?"
    r"|^(?P<fence>```+|~~~+).*?^(?P=fence)",
    re.MULTILINE | re.DOTALL,
)
FOR_TEACHERS = re.compile(r"<!-- teacher -->.*?<!-- /teacher -->\n?", re.S)
LINK = re.compile(r"\[([^\]]*)\]\([^)\s]*instructor\.(?:md|html)[^)\s]*\)")
REFERENCE = re.compile(r"\{doc\}`(?:([^`<]*?)\s*<)?[^`<>]*instructor>?`")


def write(folder: Path) -> None:
    """Write the sources of the student edition to an empty folder."""
    for name in SOURCES:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, folder / name, ignore=_ignored)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / name)
    for path in folder.rglob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        strip_notebook(notebook)
        nbformat.write(notebook, path)
    for path in folder.rglob("*.md"):
        path.write_text(strip_page(path.read_text(encoding="utf-8")), encoding="utf-8")
    for name in NOTED:
        _put_note(folder / name)
    _change_settings(folder)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name, target_is_directory=(ROOT / name).is_dir())


def _ignored(folder: str, names: list[str]) -> set[str]:
    """Programs are left out, but for those that Sphinx needs for the build."""
    return set() if Path(folder).name in ("explorer", "extension", "vendor") else set(LEFT_OUT(folder, names))


def strip_notebook(notebook: NotebookNode) -> None:
    """Take the answers out of a notebook, and the button that opens them. Empty cells go; outputs stay."""
    exercise = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source, exercise = strip_text(without_badge(cell.source), exercise)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code" or cell.source.strip()]


def strip_text(text: str, exercise: bool = False) -> tuple[str, bool]:
    r"""A text without its folded answers.

    Args:
        text: Markdown.
        exercise: whether it begins inside an exercise.

    Returns:
        The text, and whether it ends inside an exercise.

    >>> fold = "<details><summary>{}</summary>...</details>\n"
    >>> strip_text("### Exercise 1.1: AP\n" + fold.format("Hint 1") + fold.format("Solution"))
    ('### Exercise 1.1: AP\n<details><summary>Hint 1</summary>...</details>\n', True)
    """
    inside = exercise

    def kept(part: re.Match[str]) -> str:
        nonlocal inside
        if part["heading"] is not None:
            inside = part["heading"].startswith("Exercise")
        if part["summary"] is None:
            return part[0]
        summary = part["summary"].strip()
        answer = summary.startswith(("Solution", "Answer")) or (inside and not summary.startswith("Hint"))
        return "" if answer else part[0]

    stripped = PARTS.sub(kept, text)
    if stripped == text:
        return text, inside
    return re.sub(r"\n{3,}", "\n\n", stripped).rstrip("\n") + ("\n" if text.endswith("\n") else ""), inside


def strip_page(text: str) -> str:
    """A page without what is for teachers, and without links to their guide."""
    text = FOR_TEACHERS.sub("", strip_text(text)[0])
    text = LINK.sub(r"\1", text)
    return REFERENCE.sub(lambda found: found[1] or "the instructor's guide", text)


def _put_note(path: Path) -> None:
    """Say below the title which edition this is."""
    text, put = re.subn(
        r"^(# .*\n)", lambda title: title[1] + NOTE, path.read_text(encoding="utf-8"), count=1, flags=re.M
    )
    if not put:
        sys.exit(f"found no title in {path.name}; expected a line that begins with #")
    path.write_text(text, encoding="utf-8")


def _change_settings(folder: Path) -> None:
    """No page for teachers, and no button that leads to notebooks with solutions."""
    config = yaml.safe_load((folder / "_config.yml").read_text(encoding="utf-8"))
    config["title"] = f"{config['title']}: student edition"
    config["repository"]["url"] = repository(ROOT)  # the folder has no remote to ask
    config["launch_buttons"] = {"colab_url": "", "binderhub_url": "", "notebook_interface": "jupyterlab"}
    config["html"].update(dict.fromkeys(BUTTONS, False))
    (folder / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    toc = (folder / "_toc.yml").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in toc if line.strip() != f"- file: {TEACHERS}"]
    (folder / "_toc.yml").write_text("".join(kept), encoding="utf-8")


def main() -> int:
    """Write the sources of the student edition."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder that is not there yet")
    folder = parser.parse_args().folder
    if folder.exists():
        print(f"found {folder}; expected a folder that is not there yet; choose another", file=sys.stderr)
        return 2
    write(folder)
    print(f"The sources of the student edition: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
