"""The page of results is what the records say: no number typed, verdicts that flip, two worlds apart, up to date."""

import doctest
import importlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jinja2 import nodes
from paulbook.studies import receipts
from paulbook.studies.compare import compare
from paulbook.studies.families import base_of, comparisons
from paulbook.studies.receipts import SHIPPED, Receipt, Trial
from paulbook.studies.settings import Settings
from paulbook.studies.studies import ALL, STUDIES
from scipy import stats

from book.tools.results import formats
from book.tools.results import page as tool
from book.tools.results.comparisons import LISTED, groups_of
from book.tools.results.drawing import Forest, digest, save
from book.tools.results.page import PAGE, PICTURES, ROOT, TEMPLATES, build, environment, facts_of, render, write
from book.tools.results.records import FIRST, Records
from book.tools.results.signals import choices_of
from book.tools.results.worlds import is_first_world
from paullite.errors import InputError
from paullite.files import write_csv

MODULES = sorted(path.stem for path in (ROOT / "book/tools/results").glob("*.py") if not path.stem.startswith("__"))
Means = Callable[[str, str], float]  # mean score of an arm of a study
LEAD = re.compile(r"^1\. (.*?)(?=^1\. |^:::|\Z)", re.MULTILINE | re.DOTALL)  # one of the first sentences


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


def history(arm: str, seed: int, mean: float) -> list[dict[str, Any]]:
    """Six epochs that go up, with chance in the first row."""
    start = {"arm": arm, "seed": seed, "epoch": 0, "rank1": mean / 2, "map_step": mean / 2}
    rows: list[dict[str, Any]] = [{**start, "same_person_chance": 0.06, "same_garment_chance": 0.2}]
    for epoch in range(1, 7):
        share = mean * (0.5 + epoch / 12)
        row = {"arm": arm, "seed": seed, "epoch": epoch, "rank1": share, "map_step": share * 0.9}
        row |= {"loss": 3 - share, "pedal": 2 - share, "ipfl": 1 - share / 2, "vetoes": 2 - share, "negatives": 1.0}
        row |= {"agreement": share / 2, "other_camera": 0.5, "same_person": share / 2, "same_garment": share}
        rows.append({**row, "right_vetoes": 0.2, "false_negatives": 0.05, "false_hardest": 0.1 + share / 10})
    return rows


def make(study: str, folder: Path, means: Means, world: str = "new", seeds: Sequence[int] = ()) -> Path:
    """A record of a study with its own arms and seeds, and scores as wanted."""
    arms = {name: {"title": arm.title, "changes": dict(arm.changes)} for name, arm in ALL[study].arms.items()}
    trials, rows = [], []
    for arm, facts in arms.items():
        for seed in seeds or ALL[study].seeds:
            trials.append(trial(arm, seed, means(study, arm), f"{world} {facts['changes'].get('target', '')}"))
            if "method" not in facts["changes"]:
                rows += history(arm, seed, means(study, arm))
    command, settings = f"paulbook experiment {study}", Settings().facts()
    machine = {"cores": 2, "threads": 1}
    record = Receipt(study, ALL[study].question, command, settings, arms, {"torch": "1"}, machine, trials)
    return receipts.write(record, folder, rows)


def plain(study: str, arm: str) -> float:
    """PAUL above its controls, all else alike."""
    return 0.45 if "direct" in arm else 0.5 if "batch_norm" in arm or "camera_mean" in arm else 0.6


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every study in a made-up world."""
    folder = tmp_path_factory.mktemp("records")
    for study in STUDIES:
        make(study, folder, plain)
    return folder


@pytest.fixture(scope="module")
def read(full: Path) -> Records:
    """The records of that world, compared once."""
    return Records(full)


@pytest.fixture(scope="module")
def whole(read: Records) -> str:
    """The page of that world."""
    return text_of(build(read)[0])


@pytest.fixture(scope="module")
def first() -> str:
    """The page of the first drawn world."""
    return page(FIRST)


def page(folder: Path, root: Path = Path("nowhere")) -> str:
    return text_of(build(Records(folder), root)[0])


def text_of(page: str) -> str:
    return page.replace(formats.SPACE, " ")


def section(text: str, title: str) -> str:
    """What stands under a heading, up to the next one."""
    return re.split(r"\n#+ ", text.split(f"{title}\n", 1)[1])[0]


def lead(text: str) -> list[str]:
    """The sentences that the page begins with."""
    return [" ".join(one.split()) for one in LEAD.findall(text.split("\n## ", 1)[0])]


# ---- up to date, in every state


@pytest.mark.slow
def test_the_committed_page_is_what_the_committed_records_say() -> None:
    text, drawings = build(Records(SHIPPED))
    again = "run: python -m book.tools.results"
    assert (ROOT / PAGE).read_text(encoding="utf-8") == text, again
    found = {path.stem: path for path in (ROOT / PICTURES).glob("*.svg")}
    assert found.keys() == {drawing.name for drawing in drawings}, again
    for drawing in drawings:
        assert digest(drawing) in found[drawing.name].read_text(encoding="utf-8"), again
        assert found[drawing.name].stat().st_size < 150_000


@pytest.mark.parametrize("run", [(), ("ablation",), ("ablation", "kinds"), ("negatives",), ("harm",), ("passages",)])
def test_any_studies_make_a_page_that_names_the_others(full: Path, tmp_path: Path, run: tuple[str, ...]) -> None:
    for study in run:
        for path in full.glob(f"{study}*"):
            shutil.copy(path, tmp_path)
    text = page(tmp_path)
    absent = [study for study in STUDIES if study not in run]
    assert f"**Not run on this world yet:** {', '.join(f'`{study}`' for study in absent)}." in text
    said = section(text, "### Studies that have not been run on this world")
    for study in STUDIES:
        assert f"(results-{study})=\n" in text, "links to a study must lead somewhere"
        assert (f"`paulbook experiment {study}` |" in said) == (study in absent)
        assert (f"\n### {STUDIES[study].question}\n" in text) == (study in run)
    assert len(lead(text)) == 5
    assert ("forest.svg" in text) == bool(run)


def test_what_was_not_run_leads_to_records_of_the_first_world(tmp_path: Path) -> None:
    said = page(tmp_path)
    assert "receipts/v1" in said and "paulbook compare v1/kinds:stripes v1/kinds:paul\n" in said
    pairs = re.findall(r"^paulbook compare (\S+) (\S+)$", said, re.MULTILINE)
    assert len(pairs) == len(STUDIES) - 1  # passages came with the second world
    for a, b in pairs:
        assert "seeds" in compare(a, b)


def test_two_worlds_are_never_mixed(tmp_path: Path) -> None:
    make("ablation", tmp_path, plain)
    assert not is_first_world(Records(tmp_path))
    make("kinds", tmp_path, plain, world="old")
    with pytest.raises(InputError, match="found other training images in kinds than in ablation, both with seed 0"):
        Records(tmp_path)
    assert is_first_world(Records(FIRST))


def test_trainings_in_one_world_are_told_only_of_their_own_world(whole: str, first: str) -> None:
    assert "worlds alone" not in whole + first
    assert "over trainings in one of these" in (ROOT / PAGE).read_text(encoding="utf-8")


def test_the_page_of_other_records_goes_elsewhere(
    read: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "ASIDE", tmp_path / "aside")
    before = (ROOT / PAGE).read_bytes()
    assert write(read) == tmp_path / "aside" / PAGE
    assert (ROOT / PAGE).read_bytes() == before


# ---- what is on it


@pytest.mark.slow
def test_all_studies_are_on_the_page_with_figures_and_their_numbers(read: Records, tmp_path: Path) -> None:
    text = text_of(write(read, tmp_path).read_text(encoding="utf-8"))
    assert "Every study of the list was run." in text and "Not run" not in text
    for study, facts in STUDIES.items():
        said = section(text, f"### {facts.question}")
        assert f"```sh\npaulbook experiment {study}\n```" in said and "20 seconds (median)" in said
    pictures = sorted((tmp_path / PICTURES).glob("*.svg"))
    assert {path.stem for path in pictures} == {"forest", *LISTED["curves"]} | {
        f"inside-{name}" for name in ("same-person", "same-garment", "false-negatives")
    }
    for picture in pictures:
        block = text.split(f"results/{picture.name}\n", 1)[1]
        assert re.match(r":alt: .{40,}\n\n.{30,}\n:::\n", block)
        assert picture.stat().st_size < 150_000
    assert re.search(r"mAP over share that belongs to the passages: PAUL from 5\d\.\d % to", text)


def test_the_forest_has_a_row_for_every_study(read: Records) -> None:
    groups = groups_of(read)
    rows = [row for group in groups.values() for row in group.rows]
    assert {row.study for row in rows} == {*STUDIES}
    assert len(rows) == sum(len(group["rows"]) for group in LISTED["groups"])
    assert sum(row.study == "passages" for row in rows) == 3


def test_what_is_listed_is_among_the_comparisons_of_its_study(read: Records) -> None:
    """Else its p value would not be corrected as the others of the study are."""
    for group in LISTED["groups"]:
        for row in group["rows"]:
            family = map(set, comparisons(read.studies[row["study"]]))
            assert {row["ours"], row["theirs"]} in family, row
    for study, facts in LISTED["curves"].items():
        assert facts["arms"].keys() <= STUDIES[study].arms.keys() and "paul" in facts["arms"]
        assert [*facts["arms"].values()] == sorted(facts["arms"].values())


def test_figures_have_the_same_bytes_twice_and_another_digest_for_other_numbers(read: Records, tmp_path: Path) -> None:
    drawing = build(read)[1][0]
    once = save(drawing, tmp_path).read_bytes()
    assert save(drawing, tmp_path).read_bytes() == once
    assert isinstance(drawing, Forest)
    assert digest(Forest(drawing.name, drawing.groups[1:])) != digest(drawing)


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (0.4, "**PAUL is significantly better than the best control that needs no training**"),
        (0.6, "**PAUL is not significantly better than the best control that needs no training**"),
        (0.8, "**PAUL is significantly worse than the best control that needs no training**"),
    ],
)
def test_the_verdict_flips_with_the_numbers(tmp_path: Path, control: float, said: str) -> None:
    make("ablation", tmp_path, lambda _, arm: control if arm == "camera_mean" else plain("", arm))
    found = next(one for one in lead(page(tmp_path)) if "best control that needs" in one)
    assert found.startswith(said)
    assert ("direct transfer, camera mean subtracted" if control > 0.4 else "batch-norm statistics") in found


def test_what_speaks_against_the_method_comes_first(whole: str, tmp_path: Path) -> None:
    assert lead(whole)[0].startswith("**None of the 10 parts and choices")  # all alike, so none helps
    make("ablation", tmp_path, lambda _, arm: {"pedal": 0.5, "ipfl": 0.5, "image": 0.4}.get(arm, plain("", arm)))
    make("rivals", tmp_path, lambda _, arm: 0.7 if arm == "cluster" else plain("", arm), seeds=(0, 1, 2, 3))
    shown = lead(page(tmp_path))
    assert shown[0].startswith("**Among methods without labels**")
    assert "significantly worse than clusters as pseudo-labels, -" in shown[0]
    assert "**Of 3 parts and choices of the method, all help significantly**: IPFL beside PEDAL (+" in " ".join(shown)
    assert ["has not been run" in one for one in shown] == [False] * 4 + [True]


def test_no_verdict_below_three_seeds(tmp_path: Path) -> None:
    make("ablation", tmp_path, plain, seeds=(0, 1))
    text = page(tmp_path)
    assert "too few seeds for a verdict" in lead(text)[0] and "| cannot be said |" in text
    assert not re.search(r"\| (yes|no), p", text.split("## Where PAUL hurts")[0])


def test_where_paul_hurts_is_named_with_its_numbers(tmp_path: Path) -> None:
    for study in ("ablation", "harm"):
        make(study, tmp_path, lambda _, arm: 0.3 if arm == "sharp" else plain("", arm))
    text = page(tmp_path)
    together = section(text, "### All worlds and settings together")
    assert "below that of the control in 1, the worst first:" in together
    assert re.search(r"\| \[K = 1, s = 60\]\(#results-harm\) \| batch-norm.* \| -\d", together)
    assert "and in 1 of these it is significantly worse." in lead(text)[0]


# ---- its numbers


def test_no_number_comes_from_anywhere_but_the_records() -> None:
    """Everything that a filter prints is marked and taken out; what is left holds no digit but those of names."""
    records, marked = Records(FIRST), environment()
    for name, write_it in formats.FORMATS.items():
        marked.filters[name] = lambda *given, _write=write_it: f"\ue000{_write(*given)}\ue001"
    text = text_of(re.sub("\ue000[^\ue001]*\ue001", "", render(facts_of(records), marked)))
    names = [str(arm["title"]) for record in records.studies.values() for arm in record.arms.values()]
    names += [text for study, facts in STUDIES.items() for text in (facts.question, study)]
    names += [record.question for record in records.studies.values()]
    names += [row["note"] for choice in choices_of(records).values() for row in choice.rows]  # how many are constant
    names += [str(row["group"]) for row in records.rows("failures-groups") if "group" in row]
    for name in sorted(names, key=len, reverse=True):
        for variant in (name, formats.capital(name)):
            text = text.replace(variant, "")
    assert not re.search(r"\d", NAMES.sub("", text)), re.findall(r".{0,60}\d.{0,30}", NAMES.sub("", text))


NAMES = re.compile(r"^1\. |[Rr]ank-?1\b|\b95 %|\b80 %|\b5 %|Market-1501|market1501|\bv1\b", re.MULTILINE)


def test_templates_hold_no_number() -> None:
    found = environment()
    for path in TEMPLATES.iterdir():
        tree = found.parse(path.read_text(encoding="utf-8"))
        texts = [node.data for node in tree.find_all(nodes.TemplateData)]
        texts += [node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)]
        assert [text for text in texts if re.search(r"\d", NAMES.sub("", text))] == [], path.name


@pytest.mark.parametrize("study", ["ablation", "kinds", "negatives", "rivals", "surrogates"])
def test_every_number_of_a_table_is_that_of_the_record(first: str, study: str) -> None:
    """Means, intervals, differences and corrected p values, computed here once more from the bare file and scipy."""
    facts = json.loads((FIRST / f"{study}.json").read_text(encoding="utf-8"))
    record = receipts.read(f"v1/{study}")
    base, family = base_of(record), [frozenset(pair) for pair in comparisons(record)]
    scores = {
        arm: np.array([t["scores"]["map_step"] for t in facts["trials"] if t["arm"] == arm]) for arm in facts["arms"]
    }
    p = {pair: stats.ttest_rel(*(scores[arm] for arm in sorted(pair))).pvalue for pair in family}
    said = section(first, f"### {facts['question']}")
    rows = [arm for arm in facts["arms"] if "/" not in arm]
    assert len(rows) > 2
    for arm in rows:
        shown, seeds = (cells_of(part, facts["arms"][arm]["title"]) for part in said.split("| mean of mAP, %"))
        assert shown[0] == f"{100 * scores[arm].mean():.1f}"
        assert numbers(seeds[0]) == pytest.approx([100 * end for end in on_logits(scores[arm])], abs=0.051)
        assert numbers(seeds[1]) == pytest.approx((100 * scores[arm]).tolist(), abs=0.051)
        if arm == base:
            assert shown[1:] == ["", ""]
            continue
        test = stats.ttest_1samp(100 * (scores[arm] - scores[base]), 0)
        ends = test.confidence_interval()
        gain = 100 * (scores[arm] - scores[base]).mean()
        assert numbers(shown[1]) == pytest.approx([gain, ends.low, ends.high], abs=0.051)
        p_value = holm(list(p.values()))[family.index(frozenset((arm, base)))]
        assert shown[2].startswith("yes" if p_value < 0.05 else "no, p = ")
        assert numbers(shown[2]) == pytest.approx([p_value], abs=0.006)


def numbers(cell: str) -> list[float]:
    return [float(number) for number in re.findall(r"[+-]?[\d.]+", cell)]


def on_logits(scores: np.ndarray) -> tuple[float, float, float]:
    """Mean and interval of a score, computed on the logit scale by the delta method."""
    mean = scores.mean()
    half = stats.t.ppf(0.975, len(scores) - 1) * stats.sem(scores) / (mean * (1 - mean))
    centre = np.log(mean / (1 - mean))
    return (mean, *(1 / (1 + np.exp(-(centre + side * half))) for side in (-1, 1)))


def holm(p: list[float]) -> list[float]:
    """Holm's correction by the book: the smallest times their number, the next times one less, never falling."""
    found, least = dict.fromkeys(range(len(p)), 0.0), 0.0
    for place, index in enumerate(sorted(found, key=p.__getitem__)):
        least = max(least, min(1.0, (len(p) - place) * p[index]))
        found[index] = least
    return list(found.values())


def cells_of(text: str, title: str) -> list[str]:
    """The first row of that title, without it."""
    row = next(line for line in text.splitlines() if line.startswith(f"| {title} |"))
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


def test_a_changed_record_changes_the_page(tmp_path: Path, first: str) -> None:
    for study in ("negatives", "kinds"):
        shutil.copy(FIRST / f"{study}.json", tmp_path)
    path = tmp_path / "negatives.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    people = next(t for t in facts["trials"] if (t["arm"], t["seed"]) == ("hardest", 0))
    people["scores"]["map_step"] -= 0.1
    people["people"]["precisions"][0] -= 0.1 * sum(people["people"]["queries"])
    path.write_text(json.dumps(facts), encoding="utf-8")
    changed = page(tmp_path)
    old, new = (section(text, f"### {STUDIES['negatives'].question}") for text in (first, changed))
    gone = set(old.splitlines()) - set(new.splitlines())
    assert any(line.startswith(f"| {facts['arms']['hardest']['title']} |") for line in gone)
    assert any("Primary comparison" in line for line in gone)
    others = [section(text, f"### {STUDIES['kinds'].question}").rsplit("\n(", 1)[0] for text in (first, changed)]
    assert others[0] == others[1]


def test_no_interval_of_a_score_leaves_its_range(first: str) -> None:
    """On the page of the first world, which has three seeds that lie far apart."""
    cells = re.findall(r"\| [\d.]+ \[(-?[\d.]+), (-?[\d.]+)\] \|", first)
    assert len(cells) > 50 and all(0 <= float(end) <= 100 for ends in cells for end in ends)


def test_verdicts_are_corrected_over_the_study_and_counted(read: Records, whole: str) -> None:
    primary = read.compare("ablation", *STUDIES["ablation"].primary)["map_step"]  # type: ignore[index, misc]
    assert primary.family == len(STUDIES["ablation"].arms)  # all but one with the base, and patches with whole images
    said = section(whole, f"### {STUDIES['ablation'].question}")
    assert "*PAUL: both* minus *batch-norm statistics, camera mean subtracted* is +" in said
    least = 100 * primary.detectable()  # type: ignore[operator]
    assert f"With 10 seeds, a true difference of {least:.1f} points would be found with 80 % power" in said
    family = [one["map_step"] for study in STUDIES for one in read.family(study)]
    many = section(whole, "## How to read this page").replace("\n", " ")
    assert f"hold {len(family)} comparisons in mAP" in many
    assert f"{sum(one.p < 0.05 for one in family)} of their p values" in many  # type: ignore[operator]
    assert f"{sum(one.significant for one in family)} are significant" in many


# ---- its other sections


def test_chance_and_vetoes_by_epoch(full: Path, whole: str) -> None:
    text = whole
    rows = [row for row in receipts.history(full / "ablation.json") if row["epoch"] == 6]
    last = np.mean([row["same_person"] for row in rows if row["arm"] == "pedal"])
    assert f"{100 * last:.1f} % with *PEDAL only*" in text and "(chance: 6.0 %)" in text
    assert "5.0 % of the anchors were pushed away from their own person" in text
    vetoes = [row["vetoes"] for row in rows if row["arm"] == "paul"]
    assert f"| 6 | {np.mean(vetoes):.2f} | {20 * len(vetoes) / np.sum(vetoes):.1f} % |" in text


def test_failures_are_read_from_their_rows(tmp_path: Path) -> None:
    make("failures", tmp_path, plain)
    rows = [
        {
            "net": "paul",
            "by": "view",
            "group": group,
            "queries": queries,
            "rank1": score,
            "map_step": score,
            "seed": seed,
        }
        for seed in (0, 1)
        for group, queries, score in (("back", 10 + 20 * seed, 0.25 + 0.5 * seed), ("front", 5, 0.75))
    ]
    rows.append({"net": "paul", "shared": "camera", "wrong_first_places": 8, "share": 0.5, "chance": 0.125})
    write_csv(tmp_path / "failures-groups.csv", rows)
    text = section(page(tmp_path), "## Where it fails")
    assert "| view | back (62.5 %, 40 queries) | front (75.0 %, 10 queries) |" in text
    assert "| back | 40 | 62.5 |" in text and "| camera | 50.0 | 12.5 |" in text and "worst.png" not in text
    assert "50.0 % of the wrong first ranks" in text and "What 8 wrong first ranks of PAUL" in text
    (tmp_path / "book/assets").mkdir(parents=True)
    (tmp_path / "book/assets/worst.png").touch()
    assert "worst.png\n:alt: Queries" in page(tmp_path, tmp_path)
    (tmp_path / "failures.json").unlink()  # rows of another world may have stayed
    assert "has not been run on this world: `paulbook experiment failures`" in page(tmp_path, tmp_path)


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
    receipts.write(Receipt("market1501", "Real?", "paulbook real", settings, arms, {}, {}, trials), tmp_path)
    text = section(page(tmp_path), "## Real people")
    assert text.count("| cannot be said |") == 2 and not re.search(r"\| (yes|no), p", text)
    assert "paulbook real" in text and "| | mAP, % | rank-1, % |" in text
    paul, control = ({score: 100 * trials[place].scores[score] for score in ("map_step", "rank1")} for place in (2, 1))
    assert re.search(rf"\| paul \| {paul['map_step']:.1f} \[.*\| {paul['rank1']:.1f} \[", text)
    gains = [f"{paul[score] - control[score]:+.1f}" for score in paul]
    assert re.search(rf"\| paul \| batch_norm \| \{gains[0]} \[.*\| \{gains[1]} \[", text)
    assert "of the first edition" not in text
    assert "drawn people (11 people, 110 images)" in text and "70 images of 7 of the 751 training people" in text


def test_drawn_people_of_another_world_are_named_beside_the_real_ones(tmp_path: Path) -> None:
    """The record of the first edition, whose source was drawn before the world changed."""
    assert receipts.read("market1501").versions["paullite"].startswith("0.")
    shutil.copy(SHIPPED / "market1501.json", tmp_path)
    assert "are those of the first edition, and not of the world" in section(page(tmp_path), "## Real people")


# ---- templates


def test_templates_are_edited_without_code(read: Records, tmp_path: Path) -> None:
    """Another sentence, another order and another column of a table, by editing text alone."""
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    edits = {
        "lead.md.jinja": ("Training with the target's labels", "With labels, training"),
        "page.md.jinja": ('{% include "losses.md.jinja" %}', "Left out."),
        "study.md.jinja": ("| arm | minus its control |", "| arm of {{ section.name }} | minus its control |"),
    }
    for name, (old, new) in edits.items():
        path = tmp_path / "templates" / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    text, drawings = build(read, templates=tmp_path / "templates")
    assert "**With labels, training is" in text and "| arm of kinds | minus its control |" in text
    assert section(text, "## What the losses do inside").strip() == "Left out."
    assert not [one.name for one in drawings if one.name.startswith("inside")], "a figure that is not shown"


def test_a_name_that_is_misspelt_in_a_template_is_an_error(read: Records, tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    (tmp_path / "templates/reading.md.jinja").write_text("{{ mnay.comparisons }}", encoding="utf-8")
    with pytest.raises(Exception, match="'mnay' is undefined"):
        build(read, templates=tmp_path / "templates")


def test_the_order_of_the_page_and_its_links(whole: str) -> None:
    """Five sentences and the figure stand before the first heading; nothing on the page repeats a label."""
    text = whole
    order = [text.index(part) for part in ("\n1. ", "forest.svg", "## What this does not show", "## The studies")]
    assert all(a < b for a, b in pairwise(order))
    labels = re.findall(r"^\((\S+)\)=$", text, re.MULTILINE)
    assert len(labels) == len(set(labels))
    assert set(re.findall(r"\]\(#(\S+?)\)", text)) <= set(labels)


@pytest.mark.parametrize("module", MODULES)
def test_examples_of_the_tool(module: str) -> None:
    assert doctest.testmod(importlib.import_module(f"book.tools.results.{module}")).failed == 0
