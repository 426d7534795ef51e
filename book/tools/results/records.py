"""The results records of a folder, all of one drawn world, and what is asked of them again and again."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paulbook.studies import receipts
from paulbook.studies.families import CONTROLS, comparisons, lines_of
from paulbook.studies.lines import Line, compare_trials
from paulbook.studies.receipts import SHIPPED, Receipt, Trial
from paulbook.studies.studies import ALL

from paullite.errors import InputError

Row = Mapping[str, Any]
Lines = dict[str, Line]  # by score: "rank1", "map_step"
Place = tuple[str, str]  # study and arm
FIRST = SHIPPED / "v1"  # the records of the first drawn world


class Records:
    """Records by the name of their study; what is missing is ``None`` or empty.

    Args:
        folder: of NAME.json, NAME.csv and NAME-history.csv.

    Raises:
        InputError: two records were made in different drawn worlds.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        paths = {study: self.folder / f"{study}.json" for study in (*ALL, "market1501")}
        self.studies = {study: receipts.read(path) for study, path in paths.items() if path.is_file()}
        self.worlds = _one_world(self.studies)
        self._compared: dict[tuple[Place, Place], Lines | None] = {}

    def get(self, study: str) -> Receipt | None:
        """The record of a study that was run."""
        return self.studies.get(study)

    def trials(self, study: str, arm: str) -> list[Trial]:
        """Trials of an arm, lowest seed first."""
        receipt = self.get(study)
        return receipt.of(arm) if receipt else []

    def scores(self, study: str, arm: str, score: str) -> list[float]:
        """A score of an arm, lowest seed first."""
        return [trial.scores[score] for trial in self.trials(study, arm)]

    def family(self, study: str) -> list[Lines]:
        """All comparisons of a study, corrected together."""
        receipt = self.get(study)
        pairs = comparisons(receipt) if receipt else []
        return [lines for base, arm in pairs if (lines := self.compare(study, base, arm))]

    def title(self, study: str, arm: str) -> str:
        """What an arm is called in its record."""
        receipt = self.get(study)
        return str(receipt.arms[arm]["title"]) if receipt else arm

    def changes(self, study: str, arm: str) -> dict[str, Any]:
        """What differs in an arm from the settings of its study."""
        receipt = self.get(study)
        return dict(receipt.arms[arm].get("changes", {})) if receipt else {}

    def compare(self, study: str, base: str, arm: str) -> Lines | None:
        """An arm minus another of its study, by score, corrected over the study; ``None`` if one was not run."""
        return self.minus((study, arm), (study, base))

    def minus(self, arm: Place, base: Place) -> Lines | None:
        """An arm minus another; of two studies, on the seeds that share their test, and not corrected."""
        if (arm, base) not in self._compared:
            a, b, receipt = self.trials(*base), self.trials(*arm), self.get(arm[0])
            found: Lines | None = None
            if a and b and receipt:
                same = arm[0] == base[0]
                pairs = {line.score: line for line in compare_trials(a, b)} if not same else {}
                found = pairs or lines_of(receipt, base[1], arm[1])
            self._compared[arm, base] = found
        return self._compared[arm, base]

    def controls(self, study: str, arm: str) -> dict[str, Place]:
        """The controls that were run in an arm's world, by name: beside it, in its study, or in the usual world."""
        usual = set(self.changes(study, arm)) <= {"adapt"}
        found = {}
        for control in CONTROLS:
            places = [(study, f"{arm}/{control}"), *([(study, control), ("ablation", control)] if usual else [])]
            here = next((place for place in places if self.trials(*place)), None)
            found |= {control: here} if here else {}
        return found

    def own_worlds(self, study: str) -> list[str]:
        """The arms of PAUL in a study that has controls of its own."""
        receipt = self.get(study)
        arms = list(receipt.arms) if receipt else []
        mine = [arm for arm in arms if "method" not in self.changes(study, arm) and self.trials(study, arm)]
        return mine if any("/" in arm for arm in arms) else []

    def history(self, study: str, arm: str) -> list[dict[str, Any]]:
        """Rows of an arm by seed and epoch."""
        path = self.folder / f"{study}.json"
        if not path.with_name(f"{study}-history.csv").is_file():
            return []
        rows = [row for row in receipts.history(path) if row["arm"] == arm]
        return sorted(rows, key=lambda row: (row["seed"], row["epoch"]))

    def rows(self, name: str) -> list[Row]:
        """The rows of NAME.csv."""
        table = self.folder / f"{name}.csv"
        if not table.is_file():
            return []
        with open(table, newline="", encoding="utf-8") as file:
            return [{name: _value(text) for name, text in row.items() if text} for row in csv.DictReader(file)]


def world_of(receipt: Receipt) -> dict[int, str]:
    """By seed the fingerprint of the usual world's training images, which every study of one world shares."""
    usual = [arm for arm, facts in receipt.arms.items() if "target" not in facts.get("changes", {})]
    return {trial.seed: trial.data["target"] for arm in usual for trial in receipt.of(arm) if "target" in trial.data}


def _one_world(studies: Mapping[str, Receipt]) -> dict[int, str]:
    """The worlds of all studies of drawn people together, which must agree."""
    met: dict[int, tuple[str, str]] = {}
    for study, receipt in studies.items():
        for seed, world in world_of(receipt).items() if study in ALL else ():
            other, first = met.setdefault(seed, (study, world))
            if world != first:
                found = f"found other training images in {study} than in {other}, both with seed {seed}"
                raise InputError(found, "expected records of one drawn world", "run the older study again")
    return {seed: world for seed, (_, world) in met.items()}


def _value(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
