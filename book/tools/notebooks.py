"""``make notebooks``: every chapter run from the top, cleaned, written back; and the status page.

    python -m book.tools.notebooks run          all chapters
    python -m book.tools.notebooks run 03 04    some
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
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

import paullite as pl

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "notebooks"
STATUS = ROOT / "book" / "reference" / "status.md"
BOOK = {"PAULLITE_BOOK": "1", "TQDM_DISABLE": "1"}  # figures as frames, no progress bars
WORDS_A_MINUTE = 130  # of technical text, the figures looked at


def repository() -> str:
    """The public address; `_config.yml` is the one place that knows it."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return str(config["repository"]["url"])


def first_cell() -> str:
    """What every chapter begins with: install on Colab, else nothing; then one line on device and versions."""
    return f"""# On Colab this installs paullite. Elsewhere it does nothing.
import importlib.util

if importlib.util.find_spec("paullite") is None:
    %pip install -q --no-deps "git+{repository()}@v{pl.__version__}"

import paullite as pl

pl.teaching.ready()"""


def chapters(names: list[str]) -> list[Path]:
    """The notebooks whose number is asked for; all of them if none is."""
    found = [p for p in sorted(FOLDER.glob("[0-9][0-9]_*.ipynb")) if not names or p.name[:2] in names]
    if names and not found:
        sys.exit(f"found no chapter {' '.join(names)}; expected numbers as 01 02; look into notebooks/")
    return found


def read(path: Path) -> NotebookNode:
    """A notebook, in the newest format."""
    return nbformat.read(path, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Its code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


def run(path: Path) -> float:
    """Put the first cell in step, run all cells in the notebook's folder, clean, write back. Returns the seconds."""
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", "--no-cache", str(path)], check=True)
    notebook = read(path)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
        if "first-cell" in tags(cell):
            cell.source = first_cell()
            cell.metadata["tags"] = ["first-cell", "nbval-ignore-output"]
    began = time.perf_counter()
    NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    ).execute()
    seconds = time.perf_counter() - began
    clean(notebook, seconds)
    temporary = path.with_suffix(".tmp")
    nbformat.write(notebook, temporary)
    temporary.replace(path)
    return seconds


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
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        kept = tags(cell)
        cell.metadata = nbformat.from_dict({"tags": kept} if kept else {})
        stem = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[stem] = seen.get(stem, 0) + 1
        cell.id = stem if seen[stem] == 1 else f"{stem}-{seen[stem]}"
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
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```|\$\$.*?\$\$|\$[^$]*\$|<[^>]*>", " ", text, flags=re.DOTALL)
    return len(re.findall(r"[A-Za-z][\w'-]*", text))


def status_table(paths: list[Path]) -> str:
    """One row a chapter: what it takes to read and to run it, and how much of it is checked."""
    lines = [
        "| chapter | words with hints | minutes to read | seconds to run | code cells | of these compared |",
        "|---|---|---|---|---|---|",
    ]
    for path in paths:
        book = read(path)
        cells = code_cells(book)
        title = next(c.source for c in book.cells if c.cell_type == "markdown").splitlines()[0].lstrip("# ")
        compared = sum("nbval-ignore-output" not in tags(cell) for cell in cells)
        minutes = max(1, round(words(book) / WORDS_A_MINUTE))
        seconds = book.metadata.get("paullite", {}).get("seconds", "not run")
        row = (f"[{title}](../../notebooks/{path.name})", words(book), minutes, seconds, len(cells), compared)
        lines.append(f"| {' | '.join(map(str, row))} |")
    return "\n".join(lines)


def write_status(paths: list[Path]) -> None:
    """The part of the status page between its two marks."""
    names = ("torch", "torchvision", "timm", "numpy", "pillow", "matplotlib", "jupyter-book", "nbval", "ipywidgets")
    made = ", ".join(f"{name} {version(name).split('+')[0]}" for name in names)
    median = statistics.median(len(cell.source.splitlines()) for path in paths for cell in code_cells(read(path)))
    versions = f"paullite {pl.__version__}, Python {platform.python_version()}, {made}"
    text = f"""{status_table(paths)}

Half of all code cells have {median:.0f} lines or fewer. Reading times count {WORDS_A_MINUTE} words a minute.

The stored outputs were made on {os.cpu_count()} processor cores with {versions}."""
    before, rest = STATUS.read_text(encoding="utf-8").split("<!-- status -->")
    after = rest.split("<!-- /status -->")[1]
    STATUS.write_text(f"{before}<!-- status -->\n\n{text}\n\n<!-- /status -->{after}", encoding="utf-8")


def main() -> int:
    """Run what is asked for; the first chapter that stops ends it with its cell and error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "status"))
    parser.add_argument("chapters", nargs="*", help="numbers, as 01 02; all if none")
    args = parser.parse_args()
    os.environ.update(BOOK)
    for path in chapters(args.chapters) if args.what == "run" else []:
        try:
            print(f"{path.name}: {run(path):.0f} seconds", flush=True)
        except CellExecutionError as error:
            print(f"{path.name} stopped, and was left as it is:\n{error}", file=sys.stderr)
            return 1
    if args.what == "status" or not args.chapters:
        write_status(chapters([]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
