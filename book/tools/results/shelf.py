"""The receipts of a folder, and what is asked of them again and again."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paulbook.studies import receipts
from paulbook.studies.families import comparisons, lines_of
from paulbook.studies.lines import Line, compare_trials
from paulbook.studies.receipts import Receipt, Trial

Row = Mapping[str, Any]
Lines = dict[str, Line]  # by score: "rank1", "map_step"
Place = tuple[str, str]  # study and arm


class Shelf:
    """Receipts by name; what is missing is ``None`` or empty.

    Args:
        folder: of NAME.json, NAME.csv and NAME-history.csv.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._receipts: dict[str, Receipt | None] = {}
        self._compared: dict[tuple[Place, Place], Lines | None] = {}

    def get(self, study: str) -> Receipt | None:
        """The receipt of a study that was run."""
        if study not in self._receipts:
            path = self.folder / f"{study}.json"
            self._receipts[study] = receipts.read(path) if path.is_file() else None
        return self._receipts[study]

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
        """What an arm is called in its receipt."""
        receipt = self.get(study)
        return str(receipt.arms[arm]["title"]) if receipt else arm

    def compare(self, study: str, base: str, arm: str) -> Lines | None:
        """An arm minus another of its study, by score, corrected over the study; ``None`` if one was not run."""
        return self._minus((study, arm), (study, base))

    def ahead(self, study: str, base: str, arm: str) -> tuple[int, int]:
        """In how many seeds an arm has the higher mAP, of how many that both have."""
        gains = self.gains((study, arm), (study, base), "map_step")
        return sum(gain > 0 for gain in gains), len(gains)

    def gains(self, arm: Place, base: Place, score: str = "rank1") -> list[float]:
        """A score of an arm minus that of another, on each seed that both have."""
        before = {trial.seed: trial.scores[score] for trial in self.trials(*base)}
        return [t.scores[score] - before[t.seed] for t in self.trials(*arm) if t.seed in before]

    def against(self, study: str, arm: str, control: str) -> Lines | None:
        """An arm minus a control in the same world: its own, that of its study, or that of the usual world."""
        place = self.control(study, arm, control)
        return self._minus((study, arm), place) if place else None

    def control(self, study: str, arm: str, control: str) -> Place | None:
        """Where the control of an arm stands; ``None`` if it was not run."""
        places = [(study, f"{arm}/{control}")]
        if self.is_usual(study, arm):
            places += [(study, control), ("ablation", control)]
        return next((place for place in places if self.trials(*place)), None)

    def is_usual(self, study: str, arm: str) -> bool:
        """Whether an arm starts from the usual network in the usual world, so that only phase 2 differs."""
        return set(self.changes(study, arm)) <= {"adapt"}

    def changes(self, study: str, arm: str) -> dict[str, Any]:
        """What differs in an arm from the settings of its study."""
        receipt = self.get(study)
        return dict(receipt.arms[arm].get("changes", {})) if receipt else {}

    def _minus(self, arm: Place, base: Place) -> Lines | None:
        if (arm, base) not in self._compared:
            a, b, receipt = self.trials(*base), self.trials(*arm), self.get(arm[0])
            if not a or not b or receipt is None:
                self._compared[arm, base] = None
            elif arm[0] == base[0]:
                self._compared[arm, base] = lines_of(receipt, base[1], arm[1])
            else:
                self._compared[arm, base] = {line.score: line for line in compare_trials(a, b)}
        return self._compared[arm, base]

    def history(self, study: str, arm: str) -> list[dict[str, Any]]:
        """Rows of an arm by seed and epoch."""
        path = self.folder / f"{study}.json"
        if not path.with_name(f"{study}-history.csv").is_file():
            return []
        rows = [row for row in receipts.history(path) if row["arm"] == arm]
        return sorted(rows, key=lambda row: (row["seed"], row["epoch"]))

    def worlds(self, study: str) -> list[str]:
        """The arms of PAUL in a study that has controls of its own."""
        receipt = self.get(study)
        arms = list(receipt.arms) if receipt else []
        if not any("/" in arm for arm in arms):
            return []
        return [arm for arm in arms if "method" not in self.changes(study, arm) and self.trials(study, arm)]

    def rows(self, name: str) -> list[Row]:
        """The rows of NAME.csv."""
        table = self.folder / f"{name}.csv"
        if not table.is_file():
            return []
        with open(table, newline="", encoding="utf-8") as file:
            return [{name: _value(text) for name, text in row.items() if text} for row in csv.DictReader(file)]


def _value(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
