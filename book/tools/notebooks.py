"""``make notebooks``: every chapter and assignment run from the top, cleaned, written back; and the status page.

    python -m book.tools.notebooks run          all of them
    python -m book.tools.notebooks run 03 04    some chapters
    python -m book.tools.notebooks run assignment_02
    python -m book.tools.notebooks begin        first cell and Colab badge of all of them; nothing is run
    python -m book.tools.notebooks status       only the status page, from what the notebooks say

A notebook is written only if all its cells ran. Its seconds stand in its own metadata.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

import paullite as pl
from book.extension import address

from .reading import SECONDS, WORDS_PER_MINUTE, code_cells, reading_minutes, tags

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "notebooks"
ASSIGNMENTS = ROOT / "book" / "assignments"
STATUS = ROOT / "book" / "reference" / "status.md"
BOOK = {"PAULLITE_BOOK": "1", "TQDM_DISABLE": "1"}  # figures as frames, no progress bars
TOTALS = (ROOT / "book" / "intro.md", ROOT / "README.md")  # pages that state how long the whole book takes
EXERCISE = re.compile(r"^### Exercise .*?\n+\*?(?:No code, )?(\d+) minutes", re.MULTILINE)
BUDGET = re.compile(r"(\*\*Budget\*\*:)\s+\d+ minutes to read, \d+ for the exercises")
TOTAL = re.compile(r"(<!-- total -->).*?(<!-- /total -->)", re.DOTALL)


def repository() -> str:
    """The public address: that of the remote `origin`, else of `_config.yml`."""
    return address.repository(ROOT)


def first_cell(where: str = "") -> str:
    """What every chapter begins with: on Colab it installs both packages, and then it prints device and versions."""
    source = f"git+{where or repository()}@v{pl.__version__}"
    return f"""# On Colab this installs the library and the book's package. Elsewhere it does nothing.
from importlib.util import find_spec

if find_spec("paullite") is None or find_spec("paulbook") is None:
    %pip install -q --no-deps "{source}"
    %pip install -q --no-deps "paulbook @ {source}#subdirectory=book"

import paulbook as pb
import paullite as pl

pb.ready()"""


def chapters(names: list[str]) -> list[Path]:
    """The notebooks whose number is asked for; all of them if none is."""
    return [p for p in sorted(FOLDER.glob("[0-9][0-9]_*.ipynb")) if not names or p.name[:2] in names]


def assignments(names: list[str]) -> list[Path]:
    """The notebooks of the assignments asked for by name; all of them if none is."""
    return [p for p in sorted(ASSIGNMENTS.glob("assignment_*.ipynb")) if not names or p.stem in names]


def asked_for(names: list[str]) -> list[Path]:
    """Chapters by number and assignments by name; everything if no name is given."""
    found = chapters(names) + assignments(names)
    if names and not found:
        sys.exit(f"found nothing named {' '.join(names)}; expected numbers as 01 02, or names as assignment_02")
    return found


def read(path: Path) -> NotebookNode:
    """A notebook, in the newest format."""
    return nbformat.read(path, as_version=4)


def run(path: Path) -> float:
    """Put the first cell in step, run all cells in the notebook's folder, clean, write back. Returns the seconds."""
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", "--no-cache", str(path)], check=True)
    notebook = read(path)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    put_beginning(notebook, path)
    state_budget(notebook)
    began = time.perf_counter()
    NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    seconds = time.perf_counter() - began
    clean(notebook, seconds)
    write(notebook, path)
    return seconds


def write(notebook: NotebookNode, path: Path) -> None:
    """Replace a notebook by a whole new one."""
    temporary = path.with_suffix(".tmp")
    nbformat.write(notebook, temporary)
    temporary.replace(path)


def badge(path: Path, where: str = "") -> str:
    """The button of one notebook, which opens it on Colab as it was released."""
    folder = "notebooks" if path.parent.name == "notebooks" else "book/assignments"
    return address.badge(where or repository(), f"v{pl.__version__}", f"{folder}/{path.name}")


def put_beginning(notebook: NotebookNode, path: Path) -> None:
    """Badge and first code cell, with the address of this copy of the repository."""
    notebook.cells[0].source = address.with_badge(notebook.cells[0].source, badge(path))
    for cell in code_cells(notebook):
        if "first-cell" in tags(cell):
            cell.source = first_cell()
            cell.metadata["tags"] = ["first-cell", "nbval-ignore-output"]


def begin(path: Path) -> bool:
    """Bring badge and first cell of a notebook up to date; whether anything changed. Outputs stay."""
    notebook = read(path)
    before = [cell.source for cell in notebook.cells]
    put_beginning(notebook, path)
    if [cell.source for cell in notebook.cells] == before:
        return False
    name_cells(notebook)
    write(notebook, path)
    return True


def name_cells(notebook: NotebookNode) -> None:
    """Ids that follow from the cells' text, so that they stay from run to run."""
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        stem = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[stem] = seen.get(stem, 0) + 1
        cell.id = stem if seen[stem] == 1 else f"{stem}-{seen[stem]}"


def clean(notebook: NotebookNode, seconds: float) -> None:
    """Leave only what a reader sees: no times, no ids at random, no stderr."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "paullite": {"seconds": round(seconds)},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    name_cells(notebook)
    for cell in notebook.cells:
        kept = tags(cell)
        cell.metadata = nbformat.from_dict({"tags": kept} if kept else {})
        if cell.cell_type == "code":
            cell.outputs = _clean_outputs(cell.outputs)


def _clean_outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Without stderr and metadata; what was printed in one piece, however it arrived."""
    kept: list[NotebookNode] = []
    for output in (o for o in outputs if o.get("name") != "stderr"):
        if "metadata" in output:
            output.metadata = nbformat.from_dict({})
        if output.output_type == "stream" and kept and kept[-1].output_type == "stream":
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def words(notebook: NotebookNode) -> int:
    """Words of its text, without formulas and code."""
    text = "\n".join(address.without_badge(c.source) for c in notebook.cells if c.cell_type == "markdown")
    text = re.sub(r"```.*?```|\$\$.*?\$\$|\$[^$]*\$|<[^>]*>", " ", text, flags=re.DOTALL)
    return len(re.findall(r"[A-Za-z][\w'-]*", text))


def exercise_minutes(notebook: NotebookNode) -> int:
    """Minutes for the exercises, as each of them says."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return sum(int(minutes) for minutes in EXERCISE.findall(text))


def state_budget(notebook: NotebookNode) -> None:
    """Write the minutes into the chapter's line of budget."""
    first = notebook.cells[0]
    minutes = f"{reading_minutes(notebook):.0f} minutes to read, {exercise_minutes(notebook)} for the exercises"
    first.source = BUDGET.sub(rf"\g<1> {minutes}", first.source)


def keep_budgets(paths: list[Path]) -> None:
    """The line of budget of every chapter, counted anew."""
    for path in paths:
        book = read(path)
        state_budget(book)
        nbformat.write(book, path)


def hours(paths: list[Path]) -> str:
    """How long the whole book takes, in one sentence."""
    books = [read(path) for path in paths]
    reading, trying = (sum(map(count, books)) / 60 for count in (reading_minutes, exercise_minutes))
    seconds = sum(book.metadata.get("paullite", {}).get("seconds", 0) for book in books)
    return (
        f"The {len(paths)} chapters take about {reading:.0f} hours to read and {trying:.0f} more for the exercises; "
        f"all of them compute for {seconds / 60:.0f} minutes on two processor cores."
    )


def status_table(paths: list[Path]) -> str:
    """One row a chapter: what it takes to read and to run it, and how much of it is checked."""
    head = (
        "chapter | words with hints | minutes to read | minutes of exercises | seconds to run | code cells | compared"
    )
    rows = [f"| {head} |", "|---|---|---|---|---|---|---|"]
    for path in paths:
        book = read(path)
        cells = code_cells(book)
        title = next(c.source for c in book.cells if c.cell_type == "markdown").splitlines()[0].lstrip("# ")
        compared = sum("nbval-ignore-output" not in tags(cell) for cell in cells)
        minutes = (round(reading_minutes(book)), exercise_minutes(book))
        seconds = book.metadata.get("paullite", {}).get("seconds", "not run")
        row = (f"[{title}](../../notebooks/{path.name})", words(book), *minutes, seconds, len(cells), compared)
        rows.append(f"| {' | '.join(map(str, row))} |")
    return "\n".join(rows)


def counted() -> str:
    """How the minutes to read are counted, in words."""
    return (
        f"The minutes to read count {WORDS_PER_MINUTE} words per minute, {SECONDS['formula']} seconds per line of "
        f"mathematics, {SECONDS['code']} per line of code that is shown, {SECONDS['still']} per figure and "
        f"{SECONDS['moving']} per figure that moves. Folded hints and solutions are left out, and each exercise states "
        "its own minutes."
    )


def write_status(paths: list[Path]) -> None:
    """The part of the status page between its two marks."""
    names = ("torch", "torchvision", "timm", "numpy", "pillow", "matplotlib", "jupyter-book", "nbval", "ipywidgets")
    made = ", ".join(f"{name} {version(name).split('+')[0]}" for name in names)
    median = statistics.median(len(cell.source.splitlines()) for path in paths for cell in code_cells(read(path)))
    versions = f"paullite {pl.__version__}, Python {platform.python_version()}, {made}"
    text = f"""{status_table(paths)}

{hours(paths)} {counted()} Half of
all code cells have {median:.0f} lines or fewer.

The stored outputs were made on {os.cpu_count()} processor cores with {versions}."""
    before, rest = STATUS.read_text(encoding="utf-8").split("<!-- status -->")
    after = rest.split("<!-- /status -->")[1]
    STATUS.write_text(f"{before}<!-- status -->\n\n{text}\n\n<!-- /status -->{after}", encoding="utf-8")
    for page in TOTALS:
        stated = TOTAL.sub(rf"\g<1>{hours(paths)}\g<2>", page.read_text(encoding="utf-8"))
        page.write_text(stated, encoding="utf-8")


def main() -> int:
    """Run what is asked for; the first chapter that stops ends it with its cell and error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "begin", "status"))
    parser.add_argument("chapters", nargs="*", help="numbers, as 01 02, or names, as assignment_02; all if none")
    args = parser.parse_args()
    os.environ.update(BOOK)
    if args.what == "begin":
        changed = [path.name for path in asked_for(args.chapters) if begin(path)]
        print(f"{repository()}: {' '.join(changed) or 'nothing'} changed")
        return 0
    for path in asked_for(args.chapters) if args.what == "run" else []:
        try:
            print(f"{path.name}: {run(path):.0f} seconds", flush=True)
        except CellExecutionError as error:
            print(f"{path.name} stopped, and was left as it is:\n{error}", file=sys.stderr)
            return 1
    if args.what == "status" or not args.chapters:
        keep_budgets(chapters([]))
        write_status(chapters([]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
