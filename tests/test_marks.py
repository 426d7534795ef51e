"""Files of marks: written whole, nothing lost, read back; and the table of a class, from files or by running again."""

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import paulbook as pb
import pytest
from paulbook import checking, containers, marks
from paulbook.checking import all_exercises
from paulbook.cli import main
from paulbook.collecting import collect
from paulbook.rerunning import run_again

import paullite as pl

EXERCISES = all_exercises()
CHECK = "import paulbook as pb\n"
RIGHT = CHECK + 'pb.check("late_ranking", [0, 1, 1, 1])'
WRONG = CHECK + 'pb.check("late_ranking", [1, 0])'
REPORT = 'pb.check_report("my marks.json", student="{}", exercises=["late_ranking", "average_precision"])'


@pytest.fixture(autouse=True)
def fresh_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "standings", {})
    monkeypatch.setattr(marks, "last_report", {})


def answer(name: str, *answers: object) -> None:
    for one in answers:
        pb.check(name, one)


def table(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_what_is_written_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new" / "marks.json"
    answer("late_ranking", ..., [1, 0], [0, 1])
    pb.check_report(path, student="Ünal,  A.", chapters=[1])
    assert capsys.readouterr().out.splitlines()[-1].startswith("Ünal, A.: 1 of 3 points, 1 of 3 exercises right.")
    found = marks.read(path)
    assert (found.student, found.assignment, found.paullite) == ("Ünal, A.", "", pl.__version__)
    assert [(m.exercise, m.place, m.state, m.tries, m.points, m.of) for m in found.marks] == [
        ("average_precision", "1", "not tried", 0, 0, 1),
        ("late_ranking", "1", "right", 2, 1, 1),
        ("comparable_pairs", "1", "not tried", 0, 0, 1),
    ]
    assert (found.points, found.of, found.count("right"), found.exported[-3:]) == (1, 3, 1, "UTC")
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """A table program on Windows saves one."""
    path = tmp_path / "marks.json"
    answer("late_ranking", [0, 1])
    pb.check_report(path, student="Ada", chapters=[1])
    before = marks.read(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert marks.read(path) == before


def test_without_a_path_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    answer("late_ranking", [0, 1])
    capsys.readouterr()
    pb.check_report()
    assert capsys.readouterr().out.endswith("right: 1 of 1 tried here\n")
    pb.check_report(chapters=[1], exercises=["find_leak"])
    said = capsys.readouterr().out
    assert "find_leak" in said and said.endswith("right: 1 of 4 asked for\n")


def test_which_exercises_and_how_many_points(tmp_path: Path) -> None:
    answer("late_ranking", [0, 1])
    path = tmp_path / "a.json"
    pb.check_report(path, student="A", weights={"late_ranking": 2.5})
    assert [(m.exercise, m.points, m.of) for m in marks.read(path).marks] == [("late_ranking", 2.5, 2.5)]
    pb.check_report(tmp_path / "b.json", student="A", assignment="assignment_02")
    assert {m.exercise: m.of for m in marks.read(tmp_path / "b.json").marks} == {
        "rank1_by_camera": 4,
        "split_people": 4,
    }


def test_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later session adds to the file. What it did not try stays; what it tried counts as it is now."""
    path = tmp_path / "marks.json"
    answer("late_ranking", [0, 1])
    pb.check_report(path, student="A", chapters=[1])
    monkeypatch.setattr(checking, "standings", {})
    answer("late_ranking", ...)
    answer("find_leak", EXERCISES["find_leak"].solution)
    pb.check_report(path, student="A", chapters=[2])
    found = {m.exercise: m.state for m in marks.read(path).marks}
    assert found["late_ranking"] == found["find_leak"] == "right" and found["average_precision"] == "not tried"
    answer("late_ranking", [1, 0])
    pb.check_report(path, student="A", chapters=[1])
    found = {m.exercise: m.state for m in marks.read(path).marks}
    assert found["late_ranking"] == "wrong" and found["find_leak"] == "right"


def test_a_second_export_counts_nothing_twice(tmp_path: Path) -> None:
    """For the same exercises, and for lists that overlap: each exercise once, with its points once."""
    path = tmp_path / "marks.json"
    answer("late_ranking", [0, 1])
    for names in (["late_ranking"], ["late_ranking"], ["average_precision", "late_ranking"]):
        pb.check_report(path, student="A", exercises=names, weights={"late_ranking": 2})
        found = marks.read(path)
        assert [m.exercise for m in found.marks] == sorted(names)
        assert (found.points, found.of) == (2, 1 + len(names))


def test_a_file_that_names_an_exercise_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "marks.json"
    answer("late_ranking", [0, 1])
    pb.check_report(path, student="A")
    found = marks.read(path)
    marks.write(path, replace(found, marks=found.marks * 2))
    with pytest.raises(pl.InputError, match="late_ranking more than once"):
        marks.read(path)


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "marks.json"
    answer("late_ranking", [0, 1])
    pb.check_report(path, student="A")
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(pl.InputError, match="no space"):
        pb.check_report(path, student="A")
    monkeypatch.undo()
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["marks.json"]


def test_a_name_that_is_put_in_later(tmp_path: Path) -> None:
    path = tmp_path / "marks.json"
    answer("late_ranking", [0, 1])
    pb.check_report(path, student="your name")
    pb.check_report(path, student="Ada")
    assert marks.read(path).student == "Ada"
    with pytest.raises(pl.InputError, match="found the marks of Ada, no assignment, in"):
        pb.check_report(path, student="Eve")
    assert marks.read(path).student == "Ada"


BAD = [
    ({"path": "marks.txt", "student": "A"}, "ends in .json"),
    ({"path": "marks.csv", "student": "A"}, "ends in .json"),
    ({"path": "marks.json"}, "found no student"),
    ({"path": "marks.json", "student": "=1+1"}, "found the student '=1+1'"),
    ({"path": "marks.json", "student": "A" * 81}, "up to 80 printable"),
    ({"path": "marks.json", "student": "  "}, "found no student"),
    ({"path": "marks.json", "student": "A"}, "found no exercise"),
    ({"path": "marks.json", "student": "A", "chapters": [99]}, "found no chapter with exercises 99"),
    ({"path": "marks.json", "student": "A", "chapters": "12"}, "write chapters="),
    ({"path": "marks.json", "student": "A", "exercises": ["late_rankin"]}, "late_ranking"),
    ({"path": "marks.json", "student": "A", "exercises": "late_ranking"}, "expected a list"),
    ({"path": "marks.json", "student": "A", "assignment": "assignment_2"}, "assignment_02"),
    ({"path": "marks.json", "student": "A", "weights": {"late_ranking": -1}}, "found a weight of -1"),
    ({"path": "marks.json", "student": "A", "weights": {"nothing": 1}}, "found no exercise 'nothing'"),
]


@pytest.mark.parametrize(("given", "said"), BAD)
def test_bad_input_is_one_line_and_writes_nothing(
    given: dict, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pl.InputError) as error:
        pb.check_report(**given)
    assert said in str(error.value) and "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", "not json", '{"format": "other", "exercises": []}', '{"format": "paulbook marks 1"}']
)
def test_a_file_that_is_no_file_of_marks_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "marks.json"
    path.write_text(text, encoding="utf-8")
    answer("late_ranking", [0, 1])
    with pytest.raises(pl.InputError, match="is no file of marks"):
        pb.check_report(path, student="A")
    assert path.read_text(encoding="utf-8") == text


def test_points_that_do_not_fit_the_state_are_found(tmp_path: Path) -> None:
    path = tmp_path / "marks.json"
    answer("late_ranking", [1, 0])
    pb.check_report(path, student="A")
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["exercises"][0]["points"] = 1
    path.write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(pl.InputError, match="late_ranking is wrong with 1 of 1 points"):
        marks.read(path)


def handed_in(folder: Path, student: str, answers: object) -> Path:
    checking.standings.clear()
    answer("late_ranking", answers)
    path = folder / student / "marks.json"
    pb.check_report(path, student=student, exercises=["late_ranking"])
    return path


def test_the_table_of_a_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "class", tmp_path / "table.csv"
    handed_in(folder, "Ada", [0, 1])
    handed_in(folder, "Ben", [1, 0])
    handed_in(folder, "Ada again", [0, 1]).write_text(
        (folder / "Ada" / "marks.json").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (folder / "Eve").mkdir()
    (folder / "Eve" / "marks.json").write_text("{broken", encoding="utf-8")
    (folder / "Eve" / "data.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "marks.json").write_text("{", encoding="utf-8")
    assert main(["marks", str(folder), "--output", str(out)]) == 2  # the table is there, and a name is there twice
    assert "found Ada more than once" in capsys.readouterr().err
    rows = table(out)
    assert [(r["student"], r["points"], r["file"]) for r in rows] == [
        ("Ada", "1", "Ada/marks.json"),
        ("Ada", "1", "Ada again/marks.json"),
        ("Ben", "0", "Ben/marks.json"),
        ("", "", "Eve/marks.json"),
    ]
    assert rows[0]["note"] == rows[1]["note"] == "this student is there more than once"
    assert "is no file of marks" in rows[3]["note"] and rows[2]["late_ranking"] == "0"


def test_a_table_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handed_in(tmp_path, "Ada", [0, 1])
    out = tmp_path / "marks.csv"
    out.write_text("my own remarks", encoding="utf-8")
    assert main(["marks", str(tmp_path), "--output", str(out)]) == 2
    assert out.read_text(encoding="utf-8") == "my own remarks"
    assert main(["marks", str(tmp_path), "--output", str(out), "--force"]) == 0
    assert [row["student"] for row in table(out)] == ["Ada"]
    capsys.readouterr()
    for args in (
        ["nowhere"],
        [str(tmp_path), "--output", "a.txt"],
        [str(tmp_path / "Ada"), "--run", "--output", "b.csv"],
    ):
        assert main(["marks", *args]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def notebook(path: Path, *cells: str) -> Path:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(book, path)
    return path


@pytest.mark.kernel
@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kernels end otherwise there")
def test_notebooks_are_run_again_and_none_stops_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    notebook(folder / "ada.ipynb", RIGHT, REPORT.format("Ada"))
    notebook(folder / "ben.ipynb", "1 / 0", WRONG, REPORT.format("Ben"))
    notebook(folder / "cy.ipynb", RIGHT)  # without a report
    notebook(folder / "dan.ipynb", CHECK, "import os; os._exit(1)")
    (folder / "fay.ipynb").write_text("no notebook", encoding="utf-8")
    notebook(folder / "gus.ipynb", "1 + 1")
    said: list[str] = []
    before = {path: path.read_bytes() for path in folder.iterdir()}
    out = collect(folder, tmp_path / "t.csv", run=True, container="never", say=said.append)
    rows = {row["file"]: row for row in table(out)}
    assert list(rows) == [f"{name}.ipynb" for name in ("ada", "ben", "cy", "dan", "fay", "gus")]
    assert [(r["student"], r["points"], r["of"]) for r in rows.values()][:3] == [
        ("Ada", "1", "2"),
        ("Ben", "0", "2"),
        ("cy", "1", "1"),
    ]
    assert rows["ada.ipynb"]["note"] == ""
    assert rows["ben.ipynb"]["note"] == "1 cell stopped, first number 1: ZeroDivisionError"
    assert "kernel died" in rows["dan.ipynb"]["note"] and rows["dan.ipynb"]["points"] == ""
    assert "cannot be run" in rows["fay.ipynb"]["note"] and "checks no exercise" in rows["gus.ipynb"]["note"]
    assert said[0].startswith("No container (you asked for none)") and len(said) == 7
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.kernel
@pytest.mark.slow
def test_a_notebook_that_never_ends_is_ended(tmp_path: Path) -> None:
    path = notebook(tmp_path / "eve.ipynb", "import time\nwhile True: time.sleep(1)")
    assert run_again(path, minutes=0.1) == (None, "ended after 0.1 minutes")


@pytest.mark.kernel
@pytest.mark.slow
def test_who_put_no_name_in_is_known_by_the_file(tmp_path: Path) -> None:
    found, _ = run_again(notebook(tmp_path / "ada.ipynb", RIGHT, REPORT.format("your name")))
    assert found is not None and found.student == "ada"
    handed_in(tmp_path / "class", "your name", [0, 1])
    assert table(collect(tmp_path / "class", tmp_path / "t.csv"))[0]["note"] == "no name was put in"


@pytest.mark.kernel
@pytest.mark.slow
def test_a_notebook_is_marked_by_the_teachers_list(tmp_path: Path) -> None:
    """Whoever takes a task out of the notebook does not make it smaller."""
    path = notebook(tmp_path / "ada.ipynb", RIGHT)
    found, note = run_again(path, assignment="assignment_02")
    assert found is not None and (found.points, found.of, note) == (0, 8, "")


def test_without_nbclient_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nbclient", None)
    with pytest.raises(pl.InputError, match="pip install nbclient ipykernel"):
        collect(tmp_path, tmp_path / "t.csv", run=True, container="never")


def spoilt(path: Path, **changes: object) -> Path:
    """A file of marks with other words in its head or in its first exercise."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    for name, value in changes.items():
        (facts if name in facts and name not in ("points", "of") else facts["exercises"][0])[name] = value
    path.write_text(json.dumps(facts), encoding="utf-8")
    return path


BELIEVED = [
    ({"exercise": "student"}, "found the exercise 'student'"),
    ({"exercise": '=HYPERLINK("http://example.org")'}, "found the exercise '=HYPERLINK"),
    ({"place": "7"}, "found the exercise 'late_ranking' of '7'"),
    ({"of": 1e999, "points": 1e999}, "cannot convert float infinity"),
    ({"of": -1, "points": -1}, "late_ranking has -1 points"),
    ({"tries": -3}, "and -3 tries"),
    ({"student": "=cmd()"}, "found the student '=cmd()'"),
    ({"student": "A\u202eda"}, "found the student"),
    ({"assignment": "=1"}, "found the assignment '=1'"),
]


@pytest.mark.parametrize(("changes", "said"), BELIEVED)
def test_names_are_those_of_the_book_and_no_formula(changes: dict, said: str, tmp_path: Path) -> None:
    path = spoilt(handed_in(tmp_path / "class", "Ada", [0, 1]), **changes)
    with pytest.raises(pl.InputError, match="is no file of marks") as error:
        marks.read(path)
    assert said in str(error.value)
    rows = table(collect(tmp_path / "class", tmp_path / "t.csv"))
    assert rows[0]["student"] == "" and "is no file of marks" in rows[0]["note"]
    assert not any(value.startswith(marks.FORMULA) for row in rows for value in (*row, *row.values()))


def test_points_of_ones_own_are_noted_and_the_table_may_be_json(tmp_path: Path) -> None:
    answer("late_ranking", [0, 1])
    pb.check_report(tmp_path / "class" / "marks.json", student="Ada", weights={"late_ranking": 9})
    out = collect(tmp_path / "class", tmp_path / "t.json")
    (row,) = json.loads(out.read_text(encoding="utf-8"))
    assert (row["student"], row["points"], row["note"]) == ("Ada", 9, "late_ranking counts 9")


DOCKER = """#!{python}
import json, os, shutil, subprocess, sys
open({log!r}, "a").write(json.dumps(sys.argv[1:]) + chr(10))
words = sys.argv[1:]
if words[0] == "version" or words[:2] == ["image", "inspect"]:
    sys.exit({absent})
volume = next(word for word in words if word.startswith("--volume="))[9:]
outside = volume.rsplit(":", 1)[0]
inside = [word.replace("/work", outside) for word in words[words.index("python") + 1 :]]
sys.exit(subprocess.run([{python!r}, *inside]).returncode)
"""


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, absent: int = 0) -> Path:
    """A program called docker that keeps what it is asked, and runs it here; the file of what it was asked."""
    log = folder / "asked.jsonl"
    (folder / "bin").mkdir()
    program = folder / "bin" / "docker"
    program.write_text(DOCKER.format(python=sys.executable, log=str(log), absent=absent), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
    return log


@pytest.mark.kernel
@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_notebooks_run_in_a_container_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, said = stand_in(tmp_path, monkeypatch), []
    (tmp_path / "class").mkdir()
    notebook(tmp_path / "class" / "ada.ipynb", RIGHT, REPORT.format("Ada"))
    (row,) = table(collect(tmp_path / "class", tmp_path / "t.csv", run=True, say=said.append))
    assert (row["student"], row["points"], row["of"], row["note"]) == ("Ada", "1", "2", "")
    assert said[0] == "Each notebook runs in a container without a network."
    asked = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    run = next(words for words in asked if words[0] == "run")
    assert set(containers.WALLS) <= set(run) and "--network=none" in run and containers.IMAGE in run
    assert sum(word.startswith("--volume=") for word in run) == 1 and str(tmp_path / "class") not in " ".join(run)


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_where_no_container_can_be_had_it_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert containers.lacking() == "Docker is not installed"
    stand_in(tmp_path, monkeypatch, absent=1)
    assert containers.lacking() == "Docker is installed, but its daemon does not answer"
    with pytest.raises(pl.InputError, match="no container: Docker is installed, but.*docker build"):
        collect(tmp_path, tmp_path / "t.csv", run=True, container="always")


def test_what_a_container_leaves_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("a\x00b\n" + 1000 * "c", encoding="utf-8")
    (tmp_path / "marks.json").write_text("{}", encoding="utf-8")
    found, note = containers._left(tmp_path)
    assert found is None and note.startswith("/marks.json is no file of marks")
    (tmp_path / "marks.json").unlink()
    (tmp_path / "marks.json").symlink_to(tmp_path / "note.txt")
    found, note = containers._left(tmp_path)
    assert found is None and note == "ab" + 298 * "c"


def test_the_image_is_that_of_this_version() -> None:
    dockerfile = Path(__file__).parent.parent / "book" / "grading" / "Dockerfile"
    assert f"docker build -t {containers.IMAGE}" in dockerfile.read_text(encoding="utf-8")
