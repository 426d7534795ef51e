"""``make bands``: the numbers over seeds that the chapters compare with, ``book/paulbook/bands.json``.

Most come from the record of ``make bar`` in the world of the first edition, where later chapters still stand.
Those of the world of this edition, ``demo_...``, are from the record of ``make bar``, ten seeds.
Chapter 5 trains networks of its own in the one world of its chapter. They run here and leave a record of five seeds,
each with a training and three controls. A seed that was run with the same settings before is not run again.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from paulbook.chapters import chapter5

from paullite import evaluate
from paullite.controls import batch_norm
from paullite.data import PaperDolls
from paullite.data.items import ReIDDataset
from paullite.features import extract
from paullite.pretraining import build_net
from tests.benchmarks.bar import COLUMNS, HERE, ROOT

BAR_ROWS = ("direct_transfer", "batch_norm_only", "paul", "supervised")
SEEDS, DEMO_SEEDS = tuple(range(5)), tuple(range(10))
BANDS = ROOT / "book" / "paulbook" / "bands.json"
BAR, DEMO, CHAPTER5 = HERE / "first_bar.json", HERE / "bar.json", HERE / "chapter5.json"

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


def columns(reports: list[Report], *rows: str) -> dict[str, list[float]]:
    """Every score of these rows as "row/column", one value for each seed."""
    return {f"{row}/{column}": [report[row][column] for report in reports] for row in rows for column in COLUMNS}


def demo(reports: list[Report]) -> dict[str, list[float]]:
    """Every score of every row of the present bar as "demo_row/column", one value for each seed."""
    rows = [name for name in reports[0] if set(COLUMNS) <= set(reports[0][name])]
    return {f"demo_{name}": values for name, values in columns(reports, *rows).items()}


def bands() -> dict[str, list[float]]:
    """All numbers, from the three records."""
    bar, now, five = (json.loads(path.read_text())["reports"] for path in (BAR, DEMO, CHAPTER5))
    return columns(bar, *BAR_ROWS) | demo(now) | columns(five, "chapter5") | histories(five)


def main() -> None:
    """Run the seeds that are missing, then write both files."""
    source, target, folder = chapter5.few_people(), PaperDolls("target"), ROOT / "runs" / "bands"
    reports = [run(seed, source, target, folder) for seed in SEEDS]
    CHAPTER5.write_text(json.dumps({"seeds": SEEDS, "reports": reports}, indent=1) + "\n", encoding="utf-8")
    BANDS.write_text(json.dumps(bands(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
