"""``make bands``: the numbers over seeds that the chapters compare with, ``paullite/teaching/bands.json``.

Most come from the receipt of ``make bar``. Chapter 5 trains a smaller network, which runs here on the seeds 0 to 4 and
leaves a receipt of its own. A seed that was run with the same settings before is not run again.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from paullite import evaluate, pretrain
from paullite.data import PaperDolls
from paullite.data.items import ReIDDataset
from paullite.teaching.chapter5 import PEOPLE, settings

from .bar import COLUMNS, HERE, ROOT, SEEDS

BAR_ROWS = ("direct_transfer", "batch_norm_only", "paul", "supervised")
BANDS = ROOT / "paullite" / "teaching" / "bands.json"
BAR, CHAPTER5 = HERE / "bar.json", HERE / "chapter5.json"

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


def columns(reports: list[Report], *rows: str) -> dict[str, list[float]]:
    """Every score of these rows as "row/column", one value for each seed."""
    return {f"{row}/{column}": [report[row][column] for report in reports] for row in rows for column in COLUMNS}


def bands() -> dict[str, list[float]]:
    """All numbers, from the two receipts."""
    bar, chapter5 = (json.loads(path.read_text())["reports"] for path in (BAR, CHAPTER5))
    return columns(bar, *BAR_ROWS) | columns(chapter5, "chapter5")


def main() -> None:
    """Run the seeds that are missing, then write both files."""
    source = PaperDolls("source").first_people(PEOPLE)
    reports = [run(seed, source, ROOT / "runs" / "bands") for seed in SEEDS]
    CHAPTER5.write_text(json.dumps({"seeds": SEEDS, "reports": reports}, indent=1) + "\n", encoding="utf-8")
    BANDS.write_text(json.dumps(bands(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
