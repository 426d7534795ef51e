"""The comparison of chapters really compares: one changed number in a copy of a notebook is found."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.chapters import CHAPTERS, code_cells, read, tags

ROOT = Path(__file__).parent.parent


def with_printed_number(notebook) -> tuple[int, re.Match[str]]:
    """Place of the first compared cell that prints a number, and the number's last digit."""
    for place, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []) if cell.cell_type == "code" else []:
            digit = re.search(r"\d\b", output.get("text", ""))
            if digit and "nbval-ignore-output" not in tags(cell):
                return place, digit
    raise AssertionError("no cell prints a number")


def run(path: Path) -> subprocess.CompletedProcess[str]:
    sanitize = ROOT / "tests" / "nbval_sanitize.cfg"
    options = ["--nbval", "--nbval-current-env", f"--nbval-sanitize-with={sanitize}", "-q"]
    options += ["-p", "tests.nbval_rules", "-p", "no:cacheprovider", "--rootdir", str(path.parent)]
    command = [sys.executable, "-m", "pytest", *options, str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.kernel
@pytest.mark.slow
def test_one_changed_digit_is_found(tmp_path: Path) -> None:
    notebook = read(CHAPTERS[0])
    place, digit = with_printed_number(notebook)
    notebook.cells = notebook.cells[: place + 1]
    nbformat.write(notebook, tmp_path / "same.ipynb")
    cell = notebook.cells[place]
    output = next(o for o in cell.outputs if re.search(r"\d\b", o.get("text", "")))
    other = str((int(digit[0]) + 1) % 10)
    output.text = output.text[: digit.start()] + other + output.text[digit.end() :]
    nbformat.write(notebook, tmp_path / "changed.ipynb")

    same, changed = run(tmp_path / "same.ipynb"), run(tmp_path / "changed.ipynb")

    assert same.returncode == 0, same.stdout
    assert changed.returncode == 1 and f"Cell {len(code_cells(notebook)) - 1}" in changed.stdout, changed.stdout
