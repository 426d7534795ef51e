"""Files of marks: how the exercises of one notebook stand, written by the student and read by the teacher."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from paullite.errors import InputError, nearest_names
from paullite.files import replacing, writable_folder
from paullite.version import __version__

from . import checking
from .checking import Standing, all_exercises
from .exercise import Exercise

FORMAT = "paulbook marks 1"
STATES = ("not tried", "wrong", "right")
HEAD = ("format", "student", "assignment", "paullite", "exported")
UNNAMED = "your name"  # stands in the assignments until somebody puts a name in
LONGEST = 80  # characters of a name
LARGEST = 1_000_000  # bytes; a file of marks has a few thousand
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a table program would compute a cell that begins so


@dataclass(frozen=True)
class Mark:
    """One exercise: where it stands, how it stands, its points of those that can be had."""

    exercise: str
    place: str
    state: str
    tries: int
    points: float
    of: float


@dataclass(frozen=True)
class Marks:
    """What a file of marks says."""

    student: str
    assignment: str
    paullite: str
    exported: str
    marks: tuple[Mark, ...]

    @property
    def points(self) -> float:
        """Points in all."""
        return tidy(sum(mark.points for mark in self.marks))

    @property
    def of(self) -> float:
        """Points that can be had."""
        return tidy(sum(mark.of for mark in self.marks))

    def count(self, state: str) -> int:
        """Exercises in a state."""
        return sum(mark.state == state for mark in self.marks)


last_report: dict[str, Any] = {}  # what the session's last report asked for, for a teacher who runs the notebook again


def check_report(
    path: str | Path | None = None,
    *,
    student: str = "",
    assignment: str = "",
    chapters: Iterable[int] = (),
    exercises: Iterable[str] = (),
    weights: Mapping[str, float] | None = None,
) -> None:
    """Print how the exercises of this session stand, or write them to a file of marks.

    A right exercise brings its points, 1 unless said otherwise; any other brings 0. An exercise that was asked for and
    never checked is "not tried". If the file is there already, what it says of exercises that were not tried in this
    session stays.

    **A file of marks proves nothing**: whoever has it can edit it, and the answers come with this package. Who needs
    to be sure runs the notebook again (``paulbook marks FOLDER --run``) and talks with its author.

    Args:
        path: file to write, ending in .json; none: only print.
        student: a name or number, needed with a path.
        assignment: name of an assignment, whose exercises are reported.
        chapters: numbers of the chapters whose exercises are reported.
        exercises: names of exercises that are reported. Without these three: what was checked in this session.
        weights: points by name of exercise, where they are not the exercise's own.

    Raises:
        InputError: no student, an unknown name, a path with another ending, or a file that is somebody else's.

    >>> check_report()  # doctest: +ELLIPSIS
    chapter  exercise ...
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     check_report(Path(folder) / "marks.json", student="Ada", exercises=["late_ranking"])  # doctest: +ELLIPSIS
    Ada: ... of 1 points, ... of 1 exercises right. Written: ...marks.json
    """
    if path is None and not (assignment or chapters or exercises or weights):
        _print_report()
        return
    wanted = asked_for(assignment, chapters, exercises, weights or {})
    if path is None:
        _print_report(wanted)
    else:
        write_report(path, student, assignment, wanted, weights or {})


def _print_report(wanted: Iterable[str] = ()) -> None:
    print(f"{'chapter':<9}{'exercise':<28}state")
    shown = {name: checking.standings.get(name, Standing("not tried", 0)) for name in wanted or checking.standings}
    for name, exercise in all_exercises().items():
        if name in shown:
            print(f"{exercise.chapter or '-':<9}{name:<28}{shown[name].state}")
    right = sum(standing.state == "right" for standing in shown.values())
    print(f"right: {right} of {len(shown)} {'asked for' if wanted else 'tried here'}")


def asked_for(
    assignment: str, chapters: Iterable[int], exercises: Iterable[str], weights: Mapping[str, float]
) -> list[str]:
    """Names of the exercises that a report is about, in the order of the book.

    Raises:
        InputError: an assignment, chapter or exercise that is not there, or a weight that is no number of points.
    """
    if isinstance(chapters, (str, int)):
        raise InputError(f"found chapters = {chapters!r}", "expected a list of numbers", "write chapters=[1, 2]")
    if isinstance(exercises, str):
        raise InputError(f"found exercises = {exercises!r}", "expected a list", f"write exercises=[{exercises!r}]")
    known, chapters, exercises = all_exercises(), list(chapters), list(exercises)
    _all_known("assignment", [assignment] if assignment else [], {e.assignment for e in known.values()} - {""})
    _all_known("chapter with exercises", chapters, {e.chapter for e in known.values()} - {0})
    _all_known("exercise", [*exercises, *weights], known)
    for name, weight in weights.items():
        if not (isinstance(weight, (int, float)) and 0 <= weight < float("inf")):
            raise InputError(f"found a weight of {weight!r} for {name}", "expected points, 0 or more")
    if not (assignment or chapters or exercises):
        return [name for name in known if name in checking.standings]
    return [name for name, e in known.items() if name in exercises or e.chapter in chapters or _of(e, assignment)]


def _of(exercise: Exercise, assignment: str) -> bool:
    return bool(assignment) and exercise.assignment == assignment


def _all_known(what: str, names: Iterable[Any], known: Iterable[Any]) -> None:
    for name in names:
        if name not in known:
            nearest = nearest_names(name, known) if isinstance(name, str) else ", ".join(map(str, sorted(known)))
            raise InputError(f"found no {what} {name!r}", f"expected one as {nearest}")


def mark(exercise: Exercise, standing: Standing, weights: Mapping[str, float]) -> Mark:
    """The mark of one exercise: all of its points or none."""
    of = weights.get(exercise.name, exercise.points)
    points = of if standing.state == "right" else 0
    return Mark(exercise.name, exercise.place, standing.state, standing.tries, points, of)


def write_report(
    path: str | Path, student: str, assignment: str, wanted: Sequence[str], weights: Mapping[str, float]
) -> None:
    """Write the marks of this session, together with those that the file has, and say so in a line."""
    path, student = Path(path), name_of(student)
    if path.suffix != ".json":
        raise InputError(f"found {path.name}", "expected a name that ends in .json", "use marks.json")
    if not wanted:
        raise InputError("found no exercise", "expected one that was checked", "run the cells with pb.check first")
    known = all_exercises()
    now = {n: mark(known[n], checking.standings.get(n, Standing("not tried", 0)), weights) for n in wanted}
    kept = _kept(path, student, assignment)
    marks = {**now, **{name: old for name, old in kept.items() if name not in now or now[name].state == "not tried"}}
    report = Marks(student, assignment, __version__, _now(), tuple(marks[name] for name in known if name in marks))
    write(path, report)
    last_report.update(student=student, assignment=assignment, wanted=list(wanted), weights=dict(weights))
    print(
        f"{student}: {report.points:g} of {report.of:g} points, {report.count('right')} of {len(report.marks)} "
        f"exercises right. Written: {path}"
    )


def name_of(student: object) -> str:
    """A student's name or number, its blanks made even.

    Raises:
        InputError: there is none, it is too long, has characters that cannot be printed, or begins as a formula does.

    >>> name_of(" Ada   Lovelace ")
    'Ada Lovelace'
    """
    name = " ".join(str(student).split())
    if not name:
        raise InputError("found no student", "expected a name or number", 'add student="..."')
    if len(name) > LONGEST or not name.isprintable() or name.startswith(FORMULA):
        begins = f"up to {LONGEST} printable characters, the first none of {' '.join(FORMULA[:4])}"
        raise InputError(f"found the student {name[:LONGEST]!r}", f"expected {begins}", "write the name as in a list")
    return name


def _kept(path: Path, student: str, assignment: str) -> dict[str, Mark]:
    """What an earlier export to the same file says."""
    if not path.exists():
        return {}
    earlier = read(path)
    tried = any(mark.tries for mark in earlier.marks)
    if tried and (earlier.student not in (student, UNNAMED) or earlier.assignment != assignment):
        whose = f"{earlier.student}, {earlier.assignment or 'no assignment'},"
        do = "write to another file, or remove this one if it is yours"
        raise InputError(f"found the marks of {whose} in {path}", f"expected {student}'s", do)
    if earlier.assignment != assignment:
        return {}
    return {mark.exercise: mark for mark in earlier.marks}


def write(path: Path, report: Marks) -> None:
    """Write a file of marks, whole or not at all."""
    writable_folder(path.parent)
    head = {"format": FORMAT, **{name: getattr(report, name) for name in HEAD[1:]}}
    facts = {**head, "points": report.points, "of": report.of, "exercises": [asdict(mark) for mark in report.marks]}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: str | Path) -> Marks:
    """Read a file of marks; the total is added up anew, and every name is one of the book.

    Raises:
        InputError: it is none, parts of it are missing, it names an exercise that the book has not, or one twice, whose
            points would count twice.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("too large")
        text = path.read_text(encoding="utf-8-sig")
        facts = json.loads(text)
        if facts["format"] != FORMAT:
            raise ValueError(f"its format is {facts['format']!r}")
        marks = tuple(_mark(row) for row in facts["exercises"])
        twice = [name for name, times in Counter(mark.exercise for mark in marks).items() if times > 1]
        if twice:
            raise ValueError(f"{', '.join(twice)} more than once")
        student, assignment, version, exported = (str(facts[name])[:LONGEST] for name in HEAD[1:])
        if assignment not in {exercise.assignment for exercise in all_exercises().values()}:
            raise ValueError(f"found the assignment {assignment!r}")
        return Marks(name_of(student), assignment, version, exported, marks)
    except (OSError, ValueError, OverflowError, KeyError, TypeError, AttributeError) as error:
        what = f"{type(error).__name__} {error}"
        raise InputError(f"{path} is no file of marks ({what})", "expected one of pb.check_report(path)") from None


def _mark(row: Mapping[str, Any]) -> Mark:
    found = Mark(
        str(row["exercise"]),
        str(row["place"]),
        str(row["state"]),
        int(row["tries"]),
        tidy(float(row["points"])),
        tidy(float(row["of"])),
    )
    exercise = all_exercises().get(found.exercise)
    if exercise is None or found.place != exercise.place:
        raise ValueError(f"found the exercise {found.exercise[:LONGEST]!r} of {found.place[:LONGEST]!r}")
    if found.of < 0 or found.tries < 0:
        raise ValueError(f"{found.exercise} has {found.of:g} points and {found.tries} tries")
    if found.state not in STATES or found.points != (found.of if found.state == "right" else 0):
        raise ValueError(f"{found.exercise} is {found.state} with {found.points:g} of {found.of:g} points")
    return found


def cell(value: Any) -> Any:
    """A cell of a table that a table program will not take for a formula.

    >>> cell("=1+1"), cell("Ada"), cell(-1)
    ("'=1+1", 'Ada', -1)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def tidy(number: float) -> float:
    """A whole number without .0, for a table."""
    return int(number) if number == int(number) else number


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
