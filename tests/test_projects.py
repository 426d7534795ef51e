"""The starting points of the projects in chapter 12: each runs alone, from the imports and its own cells."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import paulbook as pb
import pytest
import torch
from paulbook.chapters import chapter12
from paulbook.studies.compare import compare
from paulbook.studies.receipts import read as read_receipt

import paullite as pl
from tests.chapters import code_cells, read, tags

pytestmark = pytest.mark.slow

CHAPTER = Path(__file__).parents[1] / "notebooks" / "12_after_paul.ipynb"
BRIEFS = {"project-data": "Brief A", "project-backbone": "Brief B", "project-loss": "Brief C"}


def cells_of(tag: str) -> list[str]:
    """The imports at the top of the chapter, then the cells of one brief."""
    cells = code_cells(read(CHAPTER))
    imports = next(c.source for c in cells if "first-cell" not in tags(c))
    assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(imports).body)
    return [imports, *(c.source for c in cells if tag in tags(c))]


@pytest.fixture(scope="module", params=BRIEFS)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The names that a student has after running one brief's cells."""
    names: dict = {"pl": pl, "pb": pb, "__name__": request.param}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp(request.param))
        sources = cells_of(request.param)
        assert len(sources) >= 3
        for source in sources:
            exec(compile(source, request.param, "exec"), names)
        assert not list(Path.cwd().iterdir())  # nothing is left where the student works
    return names


def test_a_network_that_has_learned(finished: dict) -> None:
    before, after = finished["before"], finished["after"]
    assert all(w.isfinite().all() for w in after.state_dict().values())
    for part in ("backbone", "reduction"):
        pairs = zip(getattr(before, part).parameters(), getattr(after, part).parameters(), strict=True)
        assert any(not torch.equal(a, b) for a, b in pairs), part
    features = after.eval()(torch.zeros(2, 3, *after.size)).features
    assert features.isfinite().all() and features.shape[1:] == (6, 64)


def test_a_receipt_with_a_score_and_one_to_compare_with(finished: dict) -> None:
    receipt, folder = read_receipt(finished["receipt"]), Path(finished["receipt"]).parent
    assert [trial.seed for trial in receipt.trials] == [0, 1] and receipt.versions["torch"]
    for trial in receipt.trials:
        assert 0 <= trial.scores["rank1"] <= 1 and 0 < trial.scores["map_step"] < 1
        assert len(trial.people["pids"]) == 12
    assert receipt.trials[0].people != receipt.trials[1].people  # another seed is another training
    (other,) = [path for path in folder.glob("*.json") if path != Path(finished["receipt"])]
    words = compare(str(other), str(finished["receipt"]))
    assert "seeds 0, 1: same test people and queries" in words and "seeds, 95 % CI" in words
    assert max(map(len, chapter12.outcome(other, finished["receipt"]).splitlines())) <= 84


def test_without_a_loss_of_ones_own_the_loop_is_pauls(finished: dict) -> None:
    if "learn" not in finished:
        pytest.skip("the loop by hand is brief C's")
    mine = finished["learn"](0.0, 1).state_dict()
    theirs = pl.adapt(replace(finished["config"], seed=1), finished["images"], start=finished["before"]).net
    for name, weight in theirs.state_dict().items():
        assert torch.allclose(weight, mine[name], atol=1e-4), name


def test_what_is_the_students_is_marked() -> None:
    """Each brief says in its cells where the student's own things go."""
    for tag in BRIEFS:
        assert re.search(r"# yours|Yours", "\n".join(cells_of(tag)[1:])), tag


@pytest.mark.parametrize("title", BRIEFS.values())
def test_brief_has_its_parts_and_marks_sum_to_twenty(title: str) -> None:
    text = "\n".join(c.source for c in read(CHAPTER).cells if c.cell_type == "markdown")
    brief = re.split(r"^#{2,3} ", text[text.index(f"### {title}") + 4 :], flags=re.MULTILINE)[0]
    for part in (
        "**Question.**",
        "**Bring**",
        "**Steps.**",
        "**Traps.**",
        "| criterion | points | full | half | none |",
    ):
        assert part in brief, part
    rows = [line.strip("|").split("|") for line in brief.splitlines() if line.startswith("|")][2:]
    assert all(len(row) == 5 and all(cell.strip() for cell in row) for row in rows)
    assert sum(int(row[1]) for row in rows) == 20
    hours = [int(h) for h in re.findall(r"\((\d+) h\)", brief)]
    assert 15 <= sum(hours) <= 20, hours
