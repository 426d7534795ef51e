"""The three projects: each program runs alone and as it stands, calls the library, and trains what it says."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from paulbook.studies.compare import compare
from paulbook.studies.receipts import read as read_record

import paullite as pl

PAGE = (Path(__file__).parents[1] / "book" / "projects.md").read_text(encoding="utf-8")
BRIEFS = {title[6]: text for title, text in re.findall(r"^## (Brief [ABC]): (.*?)(?=^## |\Z)", PAGE, re.M | re.S)}


def program_of(brief: str) -> str:
    """The one program of a brief."""
    (program,) = re.findall(r"```python\n(.*?)```", BRIEFS[brief], re.DOTALL)
    return str(program)


@pytest.fixture(scope="module", params="ABC")
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The names that a student has after running one program."""
    names: dict = {"__name__": "__main__"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp(request.param))
        exec(compile(program_of(request.param), f"projects.md, brief {request.param}", "exec"), names)
        assert not list(Path.cwd().iterdir())  # nothing is left where the student works
    return names


@pytest.mark.slow
def test_a_network_that_has_learned(finished: dict) -> None:
    before, after = finished["before"], finished["after"]
    assert all(w.isfinite().all() for w in after.state_dict().values())
    for part in ("backbone", "reduction"):
        pairs = zip(getattr(before, part).parameters(), getattr(after, part).parameters(), strict=True)
        assert any(not torch.equal(a, b) for a, b in pairs), part
    features = after.eval()(torch.zeros(2, 3, *after.size)).features
    assert features.isfinite().all() and features.shape[1:] == (6, 64)


@pytest.mark.slow
def test_a_record_with_a_score_and_one_to_compare_with(finished: dict) -> None:
    record, folder = read_record(finished["record"]), Path(finished["record"]).parent
    assert [trial.seed for trial in record.trials] == [0, 1] and record.versions["torch"]
    for trial in record.trials:
        assert 0 <= trial.scores["rank1"] <= 1 and 0 < trial.scores["map_step"] < 1
        assert len(trial.people["pids"]) == 12
    assert record.trials[0].people != record.trials[1].people  # another seed is another training
    (other,) = [path for path in folder.glob("*.json") if path != Path(finished["record"])]
    words = compare(str(other), str(finished["record"]))
    assert "seeds 0, 1: same test people and queries" in words and "cannot be said" in words


@pytest.mark.slow
def test_without_a_loss_of_ones_own_the_program_trains_paul(finished: dict) -> None:
    if "learn" not in finished:
        pytest.skip("only brief C has a loss of one's own")
    mine = finished["learn"](0.0, 1).state_dict()
    theirs = pl.adapt(replace(finished["config"], seed=1), finished["images"], start=finished["before"]).net
    for name, weight in theirs.state_dict().items():
        assert torch.allclose(weight, mine[name], atol=1e-4), name


@pytest.mark.parametrize("brief", "ABC")
def test_a_program_calls_the_library_and_no_exercise_and_nothing_private(brief: str) -> None:
    tree = ast.parse(program_of(brief))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {getattr(node, "module", None) or alias.name for node in imported for alias in node.names}
    outside = {module for module in modules if not module.startswith(("paullite", "paulbook.studies."))}
    assert outside <= {"dataclasses", "pathlib", "tempfile", "torch", "torch.nn.functional"}, outside
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.Attribute) and node.attr.startswith("_")), ast.unparse(node)
    assert "paullite" in modules and "paulbook.studies.single" in modules


@pytest.mark.parametrize("brief", "ABC")
def test_what_is_the_students_is_marked(brief: str) -> None:
    assert len(re.findall(r"# yours|Yours\.", program_of(brief))) >= 4


@pytest.mark.parametrize("brief", "ABC")
def test_a_brief_has_its_parts_and_its_marks_sum_to_twenty(brief: str) -> None:
    text = BRIEFS[brief]
    parts = ("**Question.**", "**Bring**", "**Steps.**", "**Traps.**", "| criterion | points | full | half | none |")
    assert [part for part in parts if part not in text] == []
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")][2:]
    assert all(len(row) == 5 and all(cell.strip() for cell in row) for row in rows)
    assert sum(int(row[1]) for row in rows) == 20
    hours = [int(h) for h in re.findall(r"\((\d+) h\)", text)]
    assert 15 <= sum(hours) <= 20, hours
