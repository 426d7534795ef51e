"""One notebook, run again from the top in a fresh kernel, and what it has earned.

    python -m paulbook.rerunning NOTEBOOK FOLDER MINUTES [ASSIGNMENT]

is what a container calls: it leaves ``marks.json`` and ``note.txt`` in the folder.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from . import checking, marks
from .marks import Marks, asked_for, read, write, write_report

QUIET = logging.getLogger("paullite.marks")  # what went wrong stands in the table
QUIET.setLevel(logging.CRITICAL + 1)
AGAIN = """
from paulbook.rerunning import hand_in as _hand_in
_hand_in({path!r}, {student!r}, {assignment!r})
"""


def run_again(path: str | Path, *, minutes: float = 10, assignment: str = "") -> tuple[Marks | None, str]:
    """Run a notebook from the top in a fresh kernel and an empty folder, and export its marks.

    A cell that stops does not end it: the cells below it run. The notebook itself stays as it is.

    Args:
        path: of the notebook.
        minutes: after which it is ended, without marks.
        assignment: whose exercises are reported; none: what the notebook asks for.

    Returns:
        The marks, ``None`` if there are none, and a note on what went wrong, "" if nothing did.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    path, end = Path(path), time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory(prefix="paullite-marks-", ignore_cleanup_errors=True) as folder:
        out, work = Path(folder) / "marks.json", Path(folder) / "work"
        work.mkdir()
        try:
            book = nbformat.read(path, as_version=4)
            source = AGAIN.format(path=str(out), student=path.stem, assignment=assignment)
            book.cells.append(nbformat.v4.new_code_cell(source))
            NotebookClient(
                book,
                timeout_func=lambda _: max(1, round(end - time.monotonic())),
                allow_errors=True,
                kernel_name="python3",
                extra_arguments=["--log-level=50"],
                log=QUIET,
                shutdown_kernel="immediate",
                resources={"metadata": {"path": str(work)}},
            ).execute()
        except CellTimeoutError:
            return None, f"ended after {minutes:g} minutes"
        except DeadKernelError:
            return None, "its kernel died: too much memory, or it ended itself"
        except Exception as error:  # whatever is wrong with one student's notebook, the others get their turn
            first = " ".join(str(error).split())[:150]
            return None, f"cannot be run: {type(error).__name__} {first}"
        return (read(out) if out.is_file() else None), _trouble(book.cells, written=out.is_file())


def _trouble(cells: list[Any], *, written: bool) -> str:
    """Which cells of a notebook that was run have stopped. The last one is ours."""
    stopped = [
        (place, output.ename)
        for place, cell in enumerate(cells[:-1], start=1)
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    count = "1 cell" if len(stopped) == 1 else f"{len(stopped)} cells"
    said = [f"{count} stopped, first number {stopped[0][0]}: {stopped[0][1]}"] if stopped else []
    return "; ".join([*said, *([] if written else ["it checks no exercise"])])


def hand_in(path: str, student: str, assignment: str) -> None:
    """Called at the end of a notebook that is run again: export what its last report asked for, or all it checked."""
    last = marks.last_report
    who, weights = last.get("student", marks.UNNAMED), last.get("weights", {})
    who = student if who == marks.UNNAMED else who
    if assignment:
        wanted = asked_for(assignment, (), (), {})
    else:
        assignment, wanted = last.get("assignment", ""), last.get("wanted", list(checking.standings))
    write_report(path, who, assignment, wanted, weights)


def main(notebook: str, folder: str, minutes: str, assignment: str = "") -> None:
    """Run a notebook, and write what comes of it."""
    found, note = run_again(notebook, minutes=float(minutes), assignment=assignment)
    if found is not None:
        write(Path(folder) / "marks.json", found)
    Path(folder, "note.txt").write_text(note, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
