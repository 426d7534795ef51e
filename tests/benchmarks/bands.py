"""``make bands``: the numbers over seeds that the chapters compare with, ``book/paulbook/bands.json``.

Most come from the record of ``make bar`` in the world of the first edition, where later chapters still stand.
Chapters 5 and 9 train networks of their own, each in the one world of its chapter. They run here and leave records:
five seeds of a training and of three controls in chapter 5; fifteen in chapter 9, whose trainings differ so much that
the deviation of five is itself uncertain. A seed that was run with the same
settings before is not run again.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from paulbook.chapters import chapter5, chapter9

from paullite import adapt, evaluate, pretrain
from paullite.controls import batch_norm
from paullite.data import PaperDolls
from paullite.data.items import ReIDDataset
from paullite.features import extract
from paullite.pretraining import build_net
from tests.benchmarks.bar import COLUMNS, HERE, ROOT

BAR_ROWS = ("direct_transfer", "batch_norm_only", "paul", "supervised")
SEEDS, SEEDS9 = tuple(range(5)), tuple(range(15))
ROWS9 = tuple(f"chapter9_{name}" for name in ("direct", "batch_norm", *chapter9.ARMS))
BANDS = ROOT / "book" / "paulbook" / "bands.json"
BAR, CHAPTER5, CHAPTER9 = HERE / "first_bar.json", HERE / "chapter5.json", HERE / "chapter9.json"

Report = dict[str, Any]


def asked(seed: int) -> Report:
    """What a run of chapter 5 depends on, as JSON keeps it."""
    settings = asdict(chapter5.settings(seed))
    return json.loads(json.dumps({"people": chapter5.PEOPLE, "arms": chapter5.ARMS, "pretrain": settings}))


def measure(arm: str, seed: int, source: ReIDDataset, target: ReIDDataset) -> Report:
    """A training of chapter 5: its epochs, scores on new people and on the target, and mAP of each patch alone."""
    run, untrained = chapter5.trained(arm, seed, source), build_net(chapter5.settings(seed), chapter5.PEOPLE)
    columns: dict[str, list[float]] = {"map_step": [evaluate(untrained, source).map_step]}
    for name in ("map_step", "identity", "accuracy"):
        columns.setdefault(name, []).extend(row[name] for row in run.history)
    query, gallery = (extract(run.net, split) for split in (source.query, source.gallery))
    alone = [chapter5.score(query[:, p], gallery[:, p], source) for p in range(chapter5.PATCHES)]
    columns |= {"alone": [sum(alone) / len(alone)], "target": [evaluate(run.net, target).map_step]}
    return {"scores": evaluate(run.net, source).headline(), "columns": columns}


def without_training(seed: int, source: ReIDDataset, target: ReIDDataset) -> Report:
    """mAP of the untrained network of chapter 5, as it is, with statistics of the training images, on the target."""
    net = build_net(chapter5.settings(seed), chapter5.PEOPLE).eval()
    nets = {"map_step": net, "reestimated": batch_norm(net, source, seed=seed)}
    columns = {column: [evaluate(one, source).map_step] for column, one in nets.items()}
    return columns | {"target": [evaluate(net, target).map_step]}


def run(seed: int, source: ReIDDataset, target: ReIDDataset, folder: Path) -> Report:
    """Settings and numbers of a seed of chapter 5, from its file if it was run with these settings."""
    path = folder / f"chapter5-seed{seed}.json"
    report = json.loads(path.read_text()) if path.is_file() else {}
    if report.get("settings") != asked(seed):
        arms = {arm: measure(arm, seed, source, target) for arm in chapter5.ARMS}
        report = {"settings": asked(seed), "chapter5": arms["true"]["scores"]}
        report |= {f"chapter5_{arm}": found["columns"] for arm, found in arms.items()}
        report["chapter5_untrained"] = without_training(seed, source, target)
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"chapter 5, seed {seed}: {report['chapter5']}", flush=True)
    return report


def histories(reports: list[Report]) -> dict[str, list[float]]:
    """The epochs of chapter 5 and its controls as "chapter5_arm/column_place", one value for each seed."""
    rows = {f"chapter5_{arm}": reports[0][f"chapter5_{arm}"] for arm in (*chapter5.ARMS, "untrained")}
    return {
        f"{row}/{column}_{place}": [report[row][column][place] for report in reports]
        for row, columns_of in rows.items()
        for column, values in columns_of.items()
        for place in range(len(values))
    }


def asked9(seed: int) -> Report:
    """What a run of chapter 9 depends on, as JSON keeps it; how often the judge looks changes nothing."""
    arms = {name: replace(config, evaluate_every=0) for name, config in chapter9.arms(seed).items()}
    facts = {"pretrain": chapter9.settings(seed).pretrain, **arms}
    return json.loads(json.dumps({"world": chapter9.WORLD, **{name: asdict(config) for name, config in facts.items()}}))


def run9(seed: int, folder: Path) -> Report:
    """Settings and scores of a seed of chapter 9, from its file if it was run with these settings."""
    path = folder / f"chapter9-seed{seed}.json"
    report = json.loads(path.read_text()) if path.is_file() else {}
    if report.get("settings") != asked9(seed):
        source, target = chapter9.world()
        start = pretrain(chapter9.settings(seed).pretrain, source).net
        nets = {"direct": start, "batch_norm": batch_norm(start, target, seed=seed)}
        for name, config in chapter9.arms(seed).items():
            nets[name] = adapt(replace(config, evaluate_every=0), target, start=start).net
        scores = {f"chapter9_{name}": evaluate(net, target).headline() for name, net in nets.items()}
        report = {"settings": asked9(seed), **scores}
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    rank1 = ", ".join(f"{name} {report[name]['rank1']:.3f}" for name in ROWS9)
    print(f"chapter 9, seed {seed}, rank-1: {rank1}", flush=True)
    return report


def columns(reports: list[Report], *rows: str) -> dict[str, list[float]]:
    """Every score of these rows as "row/column", one value for each seed."""
    return {f"{row}/{column}": [report[row][column] for report in reports] for row in rows for column in COLUMNS}


def bands() -> dict[str, list[float]]:
    """All numbers, from the three records."""
    bar, five, nine = (json.loads(path.read_text())["reports"] for path in (BAR, CHAPTER5, CHAPTER9))
    return columns(bar, *BAR_ROWS) | columns(five, "chapter5") | histories(five) | columns(nine, *ROWS9)


def main() -> None:
    """Run the seeds that are missing, then write the three files."""
    source, target, folder = chapter5.few_people(), PaperDolls("target"), ROOT / "runs" / "bands"
    for path, seeds, reports in (
        (CHAPTER5, SEEDS, [run(seed, source, target, folder) for seed in SEEDS]),
        (CHAPTER9, SEEDS9, [run9(seed, folder) for seed in SEEDS9]),
    ):
        path.write_text(json.dumps({"seeds": seeds, "reports": reports}, indent=1) + "\n", encoding="utf-8")
    BANDS.write_text(json.dumps(bands(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
