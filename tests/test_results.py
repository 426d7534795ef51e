"""The page of results is what the receipts say: no number typed in, verdicts that flip, the page up to date."""

import ast
import doctest
import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paulbook.studies import receipts
from paulbook.studies.receipts import SHIPPED, Receipt, Trial
from paulbook.studies.settings import Settings
from paulbook.studies.studies import STUDIES

from book.tools.results import words
from book.tools.results.contests import AGAINST, SHOWN, UNSAID
from book.tools.results.drawing import Drawing
from book.tools.results.page import PAGE, PICTURES, ROOT, build, write
from book.tools.results.shelf import Shelf
from paullite.files import write_csv

MODULES = sorted(path.stem for path in (ROOT / "book/tools/results").glob("*.py") if not path.stem.startswith("__"))
Means = Callable[[str, str], float]  # mean score of an arm of a study


def trial(arm: str, seed: int, mean: float, world: str) -> Trial:
    """Forty people of ten queries, whose scores lie about a mean; the seed moves it, and the arm a little."""
    people = np.random.default_rng(seed).normal(0, 0.1, 40)
    moved = mean + np.random.default_rng([seed, sum(map(ord, arm))]).normal(0, 0.004)
    hits = [round(10 * share) for share in np.clip(moved + people, 0, 1).tolist()]
    precisions = [round(0.9 * hit, 6) for hit in hits]
    facts: dict[str, list[Any]] = {
        "pids": list(range(40)),
        "queries": [10] * 40,
        "hits": hits,
        "precisions": precisions,
    }
    scores = {"rank1": round(sum(hits) / 400, 6), "map_step": round(sum(precisions) / 400, 6)}
    return Trial(arm, seed, scores, facts, {"adapt": 20.0}, {"source": "s", "target": f"{world} {seed}"})


def world_of(arm: str, changes: dict[str, Any]) -> str:
    return str(changes.get("target", "usual"))


def history(arm: str, seed: int, mean: float) -> list[dict[str, Any]]:
    """Six epochs that go up, with chance in the first row."""
    rows: list[dict[str, Any]] = [
        {"arm": arm, "seed": seed, "epoch": 0, "rank1": mean / 2, "map_step": mean / 2, "same_person_chance": 0.06}
    ]
    rows[0]["same_garment_chance"] = 0.2
    for epoch in range(1, 7):
        share = mean * (0.5 + epoch / 12)
        rows.append({"arm": arm, "seed": seed, "epoch": epoch, "rank1": share, "map_step": share * 0.9})
        rows[-1] |= {
            "loss": 3 - share,
            "pedal": 2 - share,
            "ipfl": 1 - share / 2,
            "vetoes": 2 - share,
            "negatives": 1.0,
        }
        rows[-1] |= {"agreement": share / 2, "other_camera": 0.5, "same_person": share / 2, "same_garment": share}
        rows[-1] |= {"right_vetoes": 0.2, "false_negatives": 0.05, "false_hardest": 0.1 + share / 10}
    return rows


def make(study: str, folder: Path, means: Means) -> Path:
    """A receipt of a study with its own arms and seeds, and scores as wanted."""
    arms = {name: {"title": arm.title, "changes": dict(arm.changes)} for name, arm in STUDIES[study].arms.items()}
    trials, rows = [], []
    for arm, facts in arms.items():
        for seed in STUDIES[study].seeds:
            trials.append(trial(arm, seed, means(study, arm), world_of(arm, facts["changes"])))
            if "method" not in facts["changes"]:
                rows += history(arm, seed, means(study, arm))
    command = f"paulbook experiment {study}"
    settings = Settings().facts()
    receipt = Receipt(study, STUDIES[study].question, command, settings, arms, {"torch": "1"}, {"cores": 2}, trials)
    return receipts.write(receipt, folder, rows)


def plain(study: str, arm: str) -> float:
    """PAUL above its controls, all else alike."""
    return 0.45 if "direct" in arm else 0.5 if "batch_norm" in arm else 0.6


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("receipts")
    for study in STUDIES:
        make(study, folder, plain)
    return folder


@pytest.fixture(scope="module")
def built(full: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Drawing]]:
    """The page of these receipts, and its figures."""
    return build(Shelf(full), tmp_path_factory.mktemp("root"))


def page(folder: Path, root: Path = ROOT) -> str:
    return build(Shelf(folder), root)[0]


def section(text: str, title: str) -> str:
    """What stands under a heading, up to the next one."""
    return re.split(r"\n#+ ", text.split(f"{title}\n", 1)[1])[0].replace(words.SPACE, " ")


@pytest.mark.slow
def test_the_committed_page_is_what_the_committed_receipts_say() -> None:
    text, drawings = build(Shelf(SHIPPED))
    again = "run: python -m book.tools.results"
    assert (ROOT / PAGE).read_text(encoding="utf-8") == text, again
    found = {path.stem: path for path in (ROOT / PICTURES).glob("*.svg")}
    assert found.keys() == {drawing.name for drawing in drawings}, again
    for drawing in drawings:
        assert drawing.digest() in found[drawing.name].read_text(encoding="utf-8"), again
        assert found[drawing.name].stat().st_size < 60_000


def test_without_receipts_the_page_says_how_to_run_each_study(tmp_path: Path) -> None:
    text, drawings = build(Shelf(tmp_path), tmp_path)
    assert not drawings
    for study, facts in STUDIES.items():
        said = section(text, facts.question)
        assert "not run" in said and f"paulbook experiment {study}\n" in said
    assert "No study was run" in section(text, "## What we found")


@pytest.mark.slow
def test_all_studies_are_on_the_page_with_figures_and_their_numbers(full: Path, tmp_path: Path) -> None:
    (tmp_path / PAGE).parent.mkdir(parents=True)
    text = write(Shelf(full), tmp_path).read_text(encoding="utf-8")
    assert "not run" not in text.split("## Where it fails")[0]
    for study, facts in STUDIES.items():
        assert f"(results-{study})=" in text and f"```sh\npaulbook experiment {study}\n```" in text
        assert "one training on the target took 20 seconds (median)" in section(text, facts.question)
    pictures = sorted((tmp_path / PICTURES).glob("*.svg"))
    assert len(pictures) == len(STUDIES) + 4  # ablation has two, and three are of the losses
    for picture in pictures:
        block = text.split(f"results/{picture.name}\n", 1)[1]
        assert re.match(r":alt: .{40,}\n\n.{30,}\n:::\n\n<details>", block)
        assert picture.stat().st_size < 60_000


def test_figures_have_the_same_bytes_twice_and_another_digest_for_other_numbers(
    built: tuple[str, list[Drawing]], tmp_path: Path
) -> None:
    drawing = built[1][0]
    first = drawing.save(tmp_path).read_bytes()
    assert drawing.save(tmp_path).read_bytes() == first
    other = Drawing(drawing.name, drawing.alt, drawing.caption, list(drawing.rows)[1:], drawing.axes)  # type: ignore
    assert other.digest() != drawing.digest()


@pytest.mark.parametrize(
    ("batch_norm", "sentence", "claimed"),
    [
        (0.4, "PAUL is significantly better than new batch-norm statistics alone.", True),
        (0.6, "PAUL is not significantly better than new batch-norm statistics alone.", False),
        (0.8, "PAUL is significantly worse than new batch-norm statistics alone.", False),
    ],
)
def test_the_verdict_flips_with_the_numbers(tmp_path: Path, batch_norm: float, sentence: str, claimed: bool) -> None:
    make("ablation", tmp_path, lambda _, arm: batch_norm if arm == "batch_norm" else plain("", arm))
    text = page(tmp_path, tmp_path)
    found = section(text, "## What we found")
    assert f"**{sentence}**" in found
    assert (f"- {sentence}" in section(text, "### What we claim")) == claimed
    assert ("That PAUL is better than new batch-norm" in section(text, "### What we do not claim")) != claimed
    assert ("more than new batch-norm statistics do" in section(text, "### What surprised us")) != claimed
    assert (found.index(sentence) < found.index("What is significant:")) != claimed


def test_verdicts_are_corrected_over_the_study_and_the_primary_comparison_is_named(
    full: Path, built: tuple[str, list[Drawing]]
) -> None:
    text, _ = built
    line = Shelf(full).compare("ablation", "batch_norm", "paul")["map_step"]  # type: ignore[index]
    assert line.family == 7 and line.corrected > line.p > 0  # type: ignore[operator]
    said = section(text, "### What does each part of PAUL add to the controls?")
    assert "**Primary comparison**: *PAUL: both* minus *batch-norm statistics only*, +" in said
    least = 100 * line.detectable()  # type: ignore[operator]
    assert f"With 5 seeds, a true difference of about {least:.1f} points is found with 80 % power" in said
    family = [one["map_step"] for study in STUDIES for one in Shelf(full).family(study)]
    many = section(text, "## How to read this page")
    assert f"hold {len(family)} comparisons in mAP" in many
    assert f"{sum(one.p < 0.05 for one in family)} of their p values" in many  # type: ignore[operator]
    assert f"{sum(one.significant for one in family)} are significant" in many


def test_no_interval_of_a_score_leaves_its_range() -> None:
    """On the committed page, which has three seeds that lie far apart."""
    text = (ROOT / PAGE).read_text(encoding="utf-8").replace(words.SPACE, " ")
    cells = re.findall(r"\| -?[\d.]+ \[(-?[\d.]+), (-?[\d.]+)\] \|", text)
    assert len(cells) > 50 and all(0 <= float(end) <= 100 for ends in cells for end in ends)


def test_where_paul_hurts_is_named_with_its_numbers(built: tuple[str, list[Drawing]], tmp_path: Path) -> None:
    for study in ("ablation", "harm"):
        make(study, tmp_path, lambda _, arm: 0.3 if arm == "sharp" else plain("", arm))
    text = page(tmp_path, tmp_path)
    found, together = section(text, "## What we found"), section(text, "### All worlds together")
    assert "significantly worse in 1" in found and "Worse: K = 1, s = 60 (-" in found
    assert "In 1 of them its mean mAP is below" in together and "[K = 1, s = 60](#results-harm) | -" in together
    assert "Worse:" not in section(built[0], "## What we found")


def test_numbers_are_those_of_the_receipt(full: Path, built: tuple[str, list[Drawing]]) -> None:
    text, receipt = built[0], receipts.read(full / "kinds.json")
    mine, base = ([t.scores["rank1"] for t in receipt.of(arm)] for arm in ("stripes", "paul"))
    gains = ", ".join(f"{round(100 * (a - b), 1) + 0.0:+.1f}" for a, b in zip(mine, base, strict=True))
    said = section(text, "### Do patches that learn their places beat patches that do not?")
    assert f"| fixed stripes | {100 * np.mean(mine):.1f} [" in said
    assert f"| fixed stripes | {gains} |" in said


def test_chance_and_vetoes_by_epoch(full: Path, built: tuple[str, list[Drawing]]) -> None:
    text = built[0].replace(words.SPACE, " ")
    rows = [row for row in receipts.history(full / "ablation.json") if row["epoch"] == 6]
    last = np.mean([row["same_person"] for row in rows if row["arm"] == "pedal"])
    assert f"{100 * last:.1f} % with *PEDAL only*" in text and "Chance is 6.0 %" in text
    assert "5.0 % of the anchors were pushed from their person" in text
    vetoes = [row["vetoes"] for row in rows if row["arm"] == "paul"]
    assert f"| 6 | {np.mean(vetoes):.2f} | {20 * len(vetoes) / np.sum(vetoes):.1f} % |" in text


def test_failures_are_read_from_their_rows(tmp_path: Path) -> None:
    rows = [
        {"by": "view", "group": group, "queries": queries, "rank1": score, "map_step": score / 2, "seed": seed}
        for seed in (0, 1)
        for group, queries, score in (("back", 10 + 20 * seed, 0.25 + 0.5 * seed), ("front", 5, 0.75))
    ]
    rows.append({"shared": "camera", "wrong_first_places": 8, "share": 0.5, "chance": 0.125})
    write_csv(tmp_path / "failures-groups.csv", rows)
    text = section(page(tmp_path, tmp_path), "## Where it fails")
    assert "lowest for back (62.5 %, 40 queries), highest for front (75.0 %, 10 queries)" in text
    assert "| back | 40 | 62.5 | 31.2 |" in text and "| camera | 50.0 | 12.5 |" in text and "worst.png" not in text
    header = "by,group,queries,rank1,map_step\n"
    (tmp_path / "failures-groups.csv").write_text(f"{header}view,back,10,0.25,0.125\nview,front,5,0.75,0.5\n")
    (tmp_path / "book/assets").mkdir(parents=True)
    (tmp_path / "book/assets/worst.png").touch()
    text = section(page(tmp_path, tmp_path), "## Where it fails")
    assert "lowest for back (25.0 %, 10 queries)" in text and "worst.png\n:alt: Queries" in text


def test_one_training_on_real_people_decides_nothing(tmp_path: Path) -> None:
    arms = {f"dolls/{name}": {"title": name, "changes": {}} for name in ("direct", "batch_norm", "paul")}
    means = dict(zip(arms, (0.2, 0.3, 0.6), strict=True))
    trials = [trial(arm, 0, mean, "market") for arm, mean in means.items()]
    settings = {
        "pretrain": {"backbone": "small", "size": [128, 64], "epochs": 6},
        "adapt": {"epochs": 3},
        "target": {"name": "Market-1501", "people": 7, "images": 70, "all_people": 751},
        "source": {"dolls": {"people": 11, "images": 110}},
    }
    receipts.write(Receipt("market1501", "Real?", "paullite real", settings, arms, {}, {}, trials), tmp_path)
    text = section(page(tmp_path, tmp_path), "## Real people")
    assert text.count("<br>cannot be said") == 4 and "significant" not in text
    assert "paullite real" in text and "| | mAP, % | rank-1, % |" in text.replace("|  |", "| |")
    paul, control = ({score: 100 * trials[place].scores[score] for score in ("map_step", "rank1")} for place in (2, 1))
    assert re.search(rf"\| paul \| {paul['map_step']:.1f} \[.*\| {paul['rank1']:.1f} \[", text)
    gains = [f"{paul[score] - control[score]:+.1f}" for score in paul]
    assert re.search(rf"\| paul minus batch-norm \| \{gains[0]} \[.*\| \{gains[1]} \[", text)
    assert "drawn people (11 people, 110 images)" in text and "70 images of 7 of the 751 training people" in text


def test_sentences_hold_no_number_of_their_own() -> None:
    """Text on the page has no digits but those of names, and of what intervals, tests and power are by definition."""
    names = re.compile(
        r"[Rr]ank-1|95 %|80 %|5 %|Market-1501|market1501|utf-8|chapter9_paul|P=\d|shift=[\d.]+|source=\d+|"
        r"#[0-9a-fA-F]{6}|^rank1$"
    )
    for path in (ROOT / "book/tools/results").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        skipped = {id(part) for node in ast.walk(tree) for part in not_prose(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
                assert not re.search(r"\d", names.sub("", node.value)), (path.name, node.value)


def not_prose(node: ast.AST) -> list[ast.AST]:
    """Docstrings, and how a number is written."""
    if isinstance(node, ast.FormattedValue) and node.format_spec:
        return list(ast.walk(node.format_spec))
    described = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    return [node.body[0].value] if described else []  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", MODULES)
def test_examples_of_the_tool(module: str) -> None:
    assert doctest.testmod(importlib.import_module(f"book.tools.results.{module}")).failed == 0


def test_every_kind_of_verdict_has_its_sentence_and_its_place() -> None:
    assert set(words.HEADLINES) == set(words.ORDER)
    assert sorted((*AGAINST, *UNSAID, *SHOWN)) == sorted(words.ORDER)
