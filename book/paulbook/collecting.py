"""For teachers: the marks of many students in one table, from their files or by running their notebooks again."""

from __future__ import annotations

import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from paullite.files import writable_folder, write_csv

from paullite.errors import InputError

from . import checking, marks
from .marks import Marks, asked_for, cell, read, write_report

Say = Callable[[str], None]
QUIET = logging.getLogger("paullite.marks")  # what went wrong stands in the table
QUIET.setLevel(logging.CRITICAL + 1)
AGAIN = """
from paulbook.collecting import hand_in as _hand_in
_hand_in({path!r}, {student!r}, {assignment!r})
"""


def collect(
    folder: str | Path,
    output: str | Path,
    *,
    run: bool = False,
    minutes: float = 10,
    assignment: str = "",
    force: bool = False,
    say: Say = print,
) -> Path:
    """Write one table, a row for each file of marks, or with ``run`` for each notebook.

    Notebooks run one after another in the order of their names, each in a process and an empty folder of its own. One
    that stops, hangs or dies gets a row that says so, and the next one runs.

    **To run a student's notebook is to run foreign code, with all that you may do.** Do it in a container or on a
    machine that holds nothing else.

    Args:
        folder: searched with all folders in it.
        output: the table, ending in .csv.
        run: run the notebooks, instead of believing the files.
        minutes: for one notebook.
        assignment: with ``run``: report the exercises of this assignment, whatever the notebook asks for.
        force: replace a table that is there.
        say: is told each row.

    Returns:
        The table's path.

    Raises:
        InputError: no such folder, nothing in it, a table that is there already, or no nbclient.
    """
    folder, output = Path(folder), Path(output)
    if not folder.is_dir():
        raise InputError(f"found no folder {folder}", "expected one with what was handed in")
    if output.suffix != ".csv":
        raise InputError(f"found --output {output}", "expected a name that ends in .csv", "use marks.csv")
    if output.exists() and not force:
        raise InputError(f"found {output}", "expected a new table", "use another --output, or --force to replace it")
    if assignment:
        asked_for(assignment, (), (), {})
    writable_folder(output.parent)
    rows = _run_all(folder, minutes, assignment, say) if run else _read_all(folder, output, say)
    if not rows:
        what = "notebook" if run else "file of marks"
        raise InputError(f"found no {what} in {folder}", f"expected a {what} of each student", "see the folder")
    write_csv(output, [{name: cell(value) for name, value in row.items()} for row in _marked_twice(rows)])
    return output


def _row(file: str, found: Marks | None, note: str) -> dict[str, Any]:
    """A row of the table; the columns after the note are the exercises."""
    row: dict[str, Any] = {"student": "", "assignment": "", "points": "", "of": "", "right": "", "wrong": ""}
    row |= {"not tried": "", "paullite": "", "exported": "", "file": file, "note": note}
    if found is None:
        return row
    row |= {name: getattr(found, name) for name in ("student", "assignment", "points", "of", "paullite", "exported")}
    if found.student == marks.UNNAMED:
        row["note"] = "; ".join(filter(None, [note, "no name was put in"]))
    row |= {state: found.count(state) for state in ("right", "wrong", "not tried")}
    return row | {mark.exercise: mark.points for mark in found.marks}


def _line(row: dict[str, Any]) -> str:
    points = f"{row['points']:g} of {row['of']:g}" if row["points"] != "" else "no marks"
    return f"{row['student'] or '?':<24} {points:>12}  {row['file']}{'  ' + row['note'] if row['note'] else ''}"


def _marked_twice(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say in the notes which students are there more than once."""
    who = Counter((row["student"], row["assignment"]) for row in rows)
    for row in rows:
        if row["student"] and who[row["student"], row["assignment"]] > 1:
            row["note"] = "; ".join(filter(None, [row["note"], "this student is there more than once"]))
    return rows


def _files(folder: Path, *endings: str) -> Iterable[Path]:
    found = (path for path in sorted(folder.rglob("*")) if path.suffix in endings and path.is_file())
    return (path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _read_all(folder: Path, output: Path, say: Say) -> list[dict[str, Any]]:
    rows = []
    found: Marks | None
    for path in _files(folder, ".json", ".csv"):
        found, note = None, ""
        try:
            found = read(path)
        except InputError as error:
            if "marks" not in path.name or path.resolve() == output.resolve():
                continue  # data or settings that were handed in with it
            note = str(error).split(";")[0]
        rows.append(_row(path.relative_to(folder).as_posix(), found, note))
        say(_line(rows[-1]))
    return rows


def _run_all(folder: Path, minutes: float, assignment: str, say: Say) -> list[dict[str, Any]]:
    if not 0 < minutes < 1e6:
        raise InputError(f"found --minutes {minutes:g}", "expected more than 0")
    try:
        import ipykernel  # noqa: F401
        import nbclient  # noqa: F401
    except ImportError as error:
        lacking, do = f"found no {error.name}", "pip install nbclient ipykernel"
        raise InputError(lacking, "expected it, to run notebooks", do) from None
    rows = []
    for path in _files(folder, ".ipynb"):
        found, note = run_again(path, minutes=minutes, assignment=assignment)
        rows.append(_row(path.relative_to(folder).as_posix(), found, note))
        say(_line(rows[-1]))
    return rows


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
