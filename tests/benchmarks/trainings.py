"""``python -m tests.benchmarks.trainings``: PAUL and its controls, trained several times in one drawn world.

The record ``trainings`` says how much of what a score varies over the seeds of a study is due to the training alone.
"""

import sys
from dataclasses import replace
from pathlib import Path

from paulbook.studies.arms import Arm
from paulbook.studies.receipts import SHIPPED, write
from paulbook.studies.runner import outcomes_of, receipt_of
from paulbook.studies.studies import STUDIES, TEN, Study

WORLD = {"source": {"seed": 0}, "target": {"seed": 0}}  # that of seed 0 in the study ``ablation``
ARMS = ("direct", "batch_norm", "batch_norm_camera_mean", "paul")
TRAININGS = Study(
    "How much do trainings in one world differ?",
    {name: Arm(arm.title, {**arm.changes, **WORLD}) for name, arm in STUDIES["ablation"].arms.items() if name in ARMS},
    TEN,
    primary=("batch_norm_camera_mean", "paul"),
)


def run(folder: Path, seeds: tuple[int, ...] = TEN, out: Path = SHIPPED) -> Path:
    """Run what is missing, and write the record."""
    record = receipt_of("trainings", TRAININGS, seeds, outcomes_of(TRAININGS, folder, seeds, jobs=1, say=print))
    return write(replace(record, command="python -m tests.benchmarks.trainings"), out)


if __name__ == "__main__":
    run(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/experiments"))
