"""What the page shows of each study: its arms, their differences, and curves where the arms lie on an axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from paulbook.studies.families import CONTROLS, base_of, comparisons
from paulbook.studies.lines import Line
from paulbook.studies.receipts import Receipt
from paulbook.studies.statistics import Interval, share_interval
from paulbook.studies.studies import STUDIES, Study

from .comparisons import LISTED
from .drawing import Curve, Curves, curves_shown
from .formats import PRIMARY, SCORES, deciding
from .records import FIRST, Lines, Records


@dataclass(frozen=True)
class Arm:
    """A row of a study: its scores, and the difference to what it is compared with.

    Attributes:
        title: of the arm.
        mean, interval: by score, over seeds.
        seeds: by score, one value for each.
        lines: the arm minus the base of the study; ``None`` for the base, and where arms live in different worlds.
        controls: by the name of a control, the arm minus that control in its world.
    """

    title: str
    mean: Mapping[str, float]
    interval: Mapping[str, Interval | None]
    seeds: Mapping[str, list[float]]
    lines: Lines | None
    controls: Mapping[str, Lines]


@dataclass(frozen=True)
class Section:
    """A study that was run.

    Attributes:
        name, record: of the study.
        base: title of the arm that the others are compared with; empty where they live in different worlds.
        primary: titles of the primary comparison, the one to subtract first. line: how it came out.
        arms: as rows.
        controls: those that stand beside arms, with their names.
        drawing: curves, where the arms lie on an axis.
        seeds: that were run.
        seconds: median of one training on the target.
    """

    name: str
    record: Receipt
    base: str
    primary: tuple[str, str] | None
    line: Line | None
    arms: tuple[Arm, ...]
    controls: Mapping[str, str]
    drawing: Curves | None
    seeds: list[int]
    seconds: float | None


def section_of(records: Records, name: str) -> Section | None:
    """What the page shows of a study; ``None`` if it was not run."""
    record = records.get(name)
    if record is None:
        return None
    own = records.own_worlds(name)
    apart = bool(own) and STUDIES[name].apart
    rows = own or [arm for arm in record.arms if record.of(arm)]
    arms = tuple(_arm(records, name, arm, "" if apart else base_of(record), bool(own)) for arm in rows)
    beside = [control for control in CONTROLS if any(control in arm.controls for arm in arms)]
    pair = STUDIES[name].primary
    lines = records.compare(name, *pair) if pair and all(arm in record.arms for arm in pair) else None
    titles = (records.title(name, pair[0]), records.title(name, pair[1])) if pair and lines else None
    seconds = [trial.seconds["adapt"] for trial in record.trials if "adapt" in trial.seconds]
    return Section(
        name=name,
        record=record,
        base="" if apart else records.title(name, base_of(record)),
        primary=titles,
        line=deciding(lines) if lines else None,
        arms=arms,
        controls={control: LISTED["names"][control] for control in beside},
        drawing=_curves(records, name, beside),
        seeds=sorted({trial.seed for trial in record.trials}),
        seconds=median(seconds) if seconds else None,
    )


def _arm(records: Records, study: str, arm: str, base: str, with_controls: bool) -> Arm:
    seeds = {score: records.scores(study, arm, score) for score in SCORES}
    controls = {}
    for control, (where, place) in (records.controls(study, arm) if with_controls else {}).items():
        if where == study:
            controls[control] = records.compare(study, place, arm)
    return Arm(
        title=records.title(study, arm),
        mean={score: fmean(values) for score, values in seeds.items()},
        interval={score: share_interval(values) for score, values in seeds.items()},
        seeds=seeds,
        lines=records.compare(study, base, arm) if base and arm != base else None,
        controls={control: lines for control, lines in controls.items() if lines},
    )


def _curves(records: Records, study: str, controls: list[str]) -> Curves | None:
    listed = LISTED["curves"].get(study)
    if not listed:
        return None
    arms, names = listed["arms"], LISTED["names"]
    curves = curves_shown([_curve(records, study, method, names[method], arms) for method in ("paul", *controls)])
    return Curves(study, listed["axis"], SCORES[PRIMARY], curves, tuple(arms.values())) if curves else None


def _curve(records: Records, study: str, method: str, label: str, arms: Mapping[str, float]) -> Curve:
    points = {}
    for arm, place in arms.items():
        scores = records.scores(study, arm if method == "paul" else f"{arm}/{method}", PRIMARY)
        if scores:
            points[float(place)] = tuple(scores)
    return Curve(label, tuple(points), tuple(points.values()))


@dataclass(frozen=True)
class NotRun:
    """A study without a record.

    Attributes:
        name, study: of the list.
        first: two arms of its record of the first drawn world, to compare; empty if there is none.
    """

    name: str
    study: Study
    first: tuple[str, ...]


def not_run(records: Records) -> list[NotRun]:
    """The studies of the list that have no record here, and what the first drawn world has of them."""
    old = Records(FIRST) if records.folder.resolve() != FIRST.resolve() else None
    return [NotRun(name, study, _first(old, name)) for name, study in STUDIES.items() if name not in records.studies]


def _first(old: Records | None, name: str) -> tuple[str, ...]:
    record: Any = old.get(name) if old else None
    if record is None:
        return ()
    pair = [arm for arm in STUDIES[name].primary or () if record.of(arm)]
    return tuple(pair) if len(pair) > 1 else comparisons(record)[0]
