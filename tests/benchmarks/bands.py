"""``make bands``: the numbers over seeds that the chapters compare with, ``book/paulbook/bands.json``.

Most come from the receipt of ``make bar`` in the world of the first edition, where chapters 5 to 12 still stand.
Chapters 5 and 9 train networks of their own, each in the one world of its chapter. They run here and leave receipts:
five seeds in chapter 5; fifteen in chapter 9, whose trainings differ so much that the deviation of five is itself
uncertain. A seed that was run with the same settings before is not run again.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from paulbook.chapters import chapter9
from paulbook.chapters.chapter5 import PEOPLE, settings

from paullite import adapt, evaluate, pretrain
from paullite.controls import batch_norm
from paullite.data import PaperDolls
from paullite.data.items import ReIDDataset
from tests.benchmarks.bar import COLUMNS, HERE, ROOT

BAR_ROWS = ("direct_transfer", "batch_norm_only", "paul", "supervised")
SEEDS, SEEDS9 = tuple(range(5)), tuple(range(15))
ROWS9 = tuple(f"chapter9_{name}" for name in ("direct", "batch_norm", *chapter9.ARMS))
BANDS = ROOT / "book" / "paulbook" / "bands.json"
BAR, CHAPTER5, CHAPTER9 = HERE / "first_bar.json", HERE / "chapter5.json", HERE / "chapter9.json"

Report = dict[str, Any]


def asked(seed: int) -> Report:
    """What a run of chapter 5 depends on, as JSON keeps it."""
    return json.loads(json.dumps({"people": PEOPLE, "pretrain": asdict(settings(seed))}))


def run(seed: int, source: ReIDDataset, folder: Path) -> Report:
    """Settings and scores of a seed of chapter 5, from its file if it was run with these settings."""
    path = folder / f"chapter5-seed{seed}.json"
    report = json.loads(path.read_text()) if path.is_file() else {}
    if report.get("settings") != asked(seed):
        scores = evaluate(pretrain(settings(seed), source).net, source).headline()
        report = {"settings": asked(seed), "chapter5": scores}
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"chapter 5, seed {seed}: {report['chapter5']}", flush=True)
    return report


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
    """All numbers, from the three receipts."""
    bar, chapter5, nine = (json.loads(path.read_text())["reports"] for path in (BAR, CHAPTER5, CHAPTER9))
    return columns(bar, *BAR_ROWS) | columns(chapter5, "chapter5") | columns(nine, *ROWS9)


def main() -> None:
    """Run the seeds that are missing, then write the three files."""
    source, folder = PaperDolls("source", passage_share=0).first_people(PEOPLE), ROOT / "runs" / "bands"
    for path, seeds, reports in (
        (CHAPTER5, SEEDS, [run(seed, source, folder) for seed in SEEDS]),
        (CHAPTER9, SEEDS9, [run9(seed, folder) for seed in SEEDS9]),
    ):
        path.write_text(json.dumps({"seeds": seeds, "reports": reports}, indent=1) + "\n", encoding="utf-8")
    BANDS.write_text(json.dumps(bands(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
