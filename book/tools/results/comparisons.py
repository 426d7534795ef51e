"""What is held against what, and how it came out: the rows of the first figure, and of the sentences above it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from paulbook.studies.lines import Line

from .formats import ORDER, PRIMARY, Kind, deciding, kind
from .records import Records

LIST = Path(__file__).with_name("comparisons.yml")
LISTED: dict[str, Any] = yaml.safe_load(LIST.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Comparison:
    """Two arms of a study that were run, in mAP.

    Attributes:
        study, ours, theirs: the arms; ``ours`` is what the idea favours.
        label: what it is called.
        idea: what one would expect, after "that"; empty if nothing.
        line: ours minus theirs.
        ahead: in how many seeds ours is higher.
    """

    study: str
    ours: str
    theirs: str
    label: str
    idea: str
    line: Line
    ahead: int

    @property
    def kind(self) -> Kind:
        """How it came out."""
        return kind(self.line)


@dataclass(frozen=True)
class Group:
    """Comparisons under one title."""

    name: str
    title: str
    rows: tuple[Comparison, ...]

    def of(self, *kinds: Kind) -> list[Comparison]:
        """Those that came out so."""
        return [row for row in self.rows if row.kind in kinds]

    @property
    def kind(self) -> Kind:
        """Of the one that speaks most against the method."""
        return min((row.kind for row in self.rows), key=ORDER.index)


def groups_of(records: Records) -> dict[str, Group]:
    """The groups of the list with at least one comparison that was run."""
    found = {}
    for group in LISTED["groups"]:
        rows = [row for facts in group["rows"] if (row := _comparison(records, **facts))]
        if rows:
            found[group["name"]] = Group(group["name"], group["title"], tuple(rows))
    return found


def _comparison(records: Records, study: str, ours: str, theirs: str, label: str, idea: str = "") -> Comparison | None:
    lines = records.compare(study, theirs, ours)
    if not lines:
        return None
    before = {trial.seed: trial.scores[PRIMARY] for trial in records.trials(study, theirs)}
    after = {trial.seed: trial.scores[PRIMARY] for trial in records.trials(study, ours)}
    ahead = sum(after[seed] > before[seed] for seed in after.keys() & before.keys())
    label = label.format(ours=records.title(study, ours), theirs=records.title(study, theirs))
    return Comparison(study, ours, theirs, label, idea, deciding(lines), ahead)
