"""Real people: Market-1501, whose record holds numbers over all people only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from paulbook.studies.lines import Line, compare_trials
from paulbook.studies.real import NAMES
from paulbook.studies.receipts import Receipt
from paulbook.studies.statistics import Interval, bootstrap

from .records import Records

MARKET = "market1501"


@dataclass(frozen=True)
class Real:
    """The section.

    Attributes:
        record: its record.
        sources: titles of the labelled sources, with their people and images.
        arms: titles, and by score the mean with its interval over the test people.
        gains: PAUL minus its controls: both titles, and by score how it came out.
        worse_than_start: rank-1 of the bare features and of the network that learned on drawn people, if that is lower.
        trainings: seeds.
        first_edition: whether the drawn people among the sources are of the first drawn world.
    """

    record: Receipt
    sources: list[tuple[str, int, int]]
    arms: list[tuple[str, Mapping[str, Interval]]]
    gains: list[tuple[str, str, Mapping[str, Line]]]
    worse_than_start: tuple[float, float] | None
    trainings: int
    first_edition: bool


def real_of(records: Records) -> Real | None:
    """From its record; ``None`` if there is none."""
    record = records.get(MARKET)
    if record is None:
        return None
    sources = [(NAMES[name], one["people"], one["images"]) for name, one in record.settings["source"].items()]
    arms = [(facts["title"], bootstrap(trials)) for arm, facts in record.arms.items() if (trials := record.of(arm))]
    trainings = len({trial.seed for trial in record.trials})
    first_edition = int(record.versions.get("paullite", "2").split(".")[0]) < 2
    return Real(record, sources, arms, _gains(records, record), _worse_than_start(records), trainings, first_edition)


def _gains(records: Records, record: Receipt) -> list[tuple[str, str, Mapping[str, Line]]]:
    found = []
    for source in dict.fromkeys(arm.split("/")[0] for arm in record.arms if "/" in arm):
        for control in ("batch_norm", "direct"):
            a, b = (records.trials(MARKET, f"{source}/{arm}") for arm in (control, "paul"))
            if a and b:
                lines = {line.score: line for line in compare_trials(a, b)}
                ours, theirs = (records.title(MARKET, f"{source}/{arm}") for arm in ("paul", control))
                found.append((ours, theirs, lines))
    return found


def _worse_than_start(records: Records) -> tuple[float, float] | None:
    before, after = (records.scores(MARKET, arm, "rank1") for arm in ("features", "dolls/direct"))
    return (before[0], after[0]) if before and after and after[0] < before[0] else None
