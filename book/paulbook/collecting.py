"""For teachers: the marks of many students in one table, from their files or by running their notebooks again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from paullite.errors import InputError
from paullite.files import replacing, writable_folder, write_csv

from . import containers, marks
from .checking import all_exercises
from .marks import Marks, asked_for, cell, read
from .rerunning import run_again

Where = Literal["auto", "always", "never"]
Runner = Callable[[Path], tuple[Marks | None, str]]

Say = Callable[[str], None]


def collect(
    folder: str | Path,
    output: str | Path,
    *,
    run: bool = False,
    minutes: float = 10,
    assignment: str = "",
    container: Where = "auto",
    image: str = "",
    force: bool = False,
    say: Say = print,
) -> Path:
    """Write one table, a row for each file of marks, or with ``run`` for each notebook.

    Notebooks run one after another in the order of their names, each in a process and an empty folder of its own, and
    in a container without a network where Docker and its image are there. One that stops, hangs or dies gets a row that
    says so, and the next one runs.

    **To run a student's notebook is to run foreign code.** Without a container it has all that you may do; a line
    says so before the first one runs.

    Args:
        folder: searched with all folders in it.
        output: the table, ending in .csv or .json.
        run: run the notebooks, instead of believing the files.
        minutes: for one notebook.
        assignment: with ``run``: report the exercises of this assignment, whatever the notebook asks for.
        container: with ``run``: "auto" takes one if it can, "always" is an error if it cannot, "never" takes none.
        image: of the container, if not ``paulbook.containers.IMAGE``.
        force: replace a table that is there.
        say: is told each row.

    Returns:
        The table's path.

    Raises:
        InputError: no such folder, nothing in it, a table that is there already, no nbclient, no container where it was
            asked for; or a student who is there more than once, which the table, written all the same, shows.
    """
    folder, output = Path(folder), Path(output)
    if not folder.is_dir():
        raise InputError(f"found no folder {folder}", "expected one with what was handed in")
    if output.suffix not in (".csv", ".json"):
        raise InputError(f"found --output {output}", "expected a name that ends in .csv or .json", "use marks.csv")
    if output.exists() and not force:
        raise InputError(f"found {output}", "expected a new table", "use another --output, or --force to replace it")
    if assignment:
        asked_for(assignment, (), (), {})
    writable_folder(output.parent)
    if run:
        rows = _run_all(folder, _runner(minutes, assignment, container, image or containers.IMAGE, say), say)
    else:
        rows = _read_all(folder, output, say)
    if not rows:
        what = "notebook" if run else "file of marks"
        raise InputError(f"found no {what} in {folder}", f"expected a {what} of each student", "see the folder")
    twice = _marked_twice(rows)
    _write(output, rows)
    if twice:
        found = f"found {', '.join(twice)} more than once in {folder}"
        raise InputError(found, f"expected one hand-in of each; {output} shows their files", "remove all but one")
    return output


def _write(output: Path, rows: list[dict[str, Any]]) -> None:
    """The table; in CSV no cell and no heading is one that a table program would compute."""
    if output.suffix == ".csv":
        write_csv(output, [{cell(name): cell(value) for name, value in row.items()} for row in rows])
        return
    with replacing(output) as temporary:
        temporary.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _row(file: str, found: Marks | None, note: str) -> dict[str, Any]:
    """A row of the table; the columns after the note are the exercises."""
    row: dict[str, Any] = {"student": "", "assignment": "", "points": "", "of": "", "right": "", "wrong": ""}
    row |= {"not tried": "", "paullite": "", "exported": "", "file": file, "note": note}
    if found is None:
        return row
    row |= {name: getattr(found, name) for name in ("student", "assignment", "points", "of", "paullite", "exported")}
    own = [f"{mark.exercise} counts {mark.of:g}" for mark in found.marks if mark.of != _points(mark.exercise)]
    unnamed = "no name was put in" if found.student == marks.UNNAMED else ""
    row["note"] = "; ".join(filter(None, [note, unnamed, *own]))
    row |= {state: found.count(state) for state in ("right", "wrong", "not tried")}
    return row | {mark.exercise: mark.points for mark in found.marks}


def _points(exercise: str) -> float:
    """What the book gives for it."""
    return all_exercises()[exercise].points


def _line(row: dict[str, Any]) -> str:
    points = f"{row['points']:g} of {row['of']:g}" if row["points"] != "" else "no marks"
    return f"{row['student'] or '?':<24} {points:>12}  {row['file']}{'  ' + row['note'] if row['note'] else ''}"


def _marked_twice(rows: list[dict[str, Any]]) -> list[str]:
    """Say in the notes which students are there more than once; their names."""
    who = Counter((row["student"], row["assignment"]) for row in rows if row["student"] != marks.UNNAMED)
    for row in rows:
        if row["student"] and who[row["student"], row["assignment"]] > 1:
            row["note"] = "; ".join(filter(None, [row["note"], "this student is there more than once"]))
    return sorted({student for (student, _), times in who.items() if student and times > 1})


def _files(folder: Path, *endings: str) -> Iterable[Path]:
    found = (path for path in sorted(folder.rglob("*")) if path.suffix in endings and path.is_file())
    return (path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _read_all(folder: Path, output: Path, say: Say) -> list[dict[str, Any]]:
    rows = []
    found: Marks | None
    for path in _files(folder, ".json"):
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


def _run_all(folder: Path, runner: Runner, say: Say) -> list[dict[str, Any]]:
    rows = []
    for path in _files(folder, ".ipynb"):
        rows.append(_row(path.relative_to(folder).as_posix(), *runner(path)))
        say(_line(rows[-1]))
    return rows


def _runner(minutes: float, assignment: str, container: Where, image: str, say: Say) -> Runner:
    """What runs one notebook: a container where there is one, or a kernel on this machine; which of them is said."""
    if not 0 < minutes < 1e6:
        raise InputError(f"found --minutes {minutes:g}", "expected more than 0")
    lacking = "you asked for none" if container == "never" else containers.lacking(image)
    if not lacking:
        say("Each notebook runs in a container without a network.")
        return lambda path: containers.run_again(path, minutes=minutes, assignment=assignment, image=image)
    if container == "always":
        raise InputError(f"no container: {lacking}", "expected Docker and its image", containers.BUILD)
    try:
        import ipykernel  # noqa: F401
        import nbclient  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"found no {error.name}", "expected it, to run notebooks", "pip install nbclient ipykernel"
        ) from None
    say(f"No container ({lacking}): the notebooks run on this machine, with all that you may do.")
    return lambda path: run_again(path, minutes=minutes, assignment=assignment)
