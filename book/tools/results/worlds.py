"""PAUL in all worlds together: against the best control, against labels, over seeds and over trainings."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from statistics import fmean

from paulbook.studies.lines import Line, corrected
from paulbook.studies.receipts import read, settings_of
from paulbook.studies.significance import ALPHA, Deviations, deviations
from paulbook.studies.studies import STUDIES

from .comparisons import LISTED
from .formats import PRIMARY, Kind, deciding, kind
from .records import FIRST, Place, Records, world_of

WITH_WORLDS = [study for study in STUDIES if study not in ("rivals", "reference")]


@dataclass(frozen=True)
class World:
    """PAUL in one world with one choice of settings, against the best control that was run there."""

    study: str
    title: str
    control: str
    line: Line

    @property
    def kind(self) -> Kind:
        """How it came out."""
        return kind(self.line)

    @property
    def lost(self) -> bool:
        """Whether the mean is below that of the control."""
        return self.line.b < self.line.a


def best_control(records: Records, study: str, arm: str) -> tuple[str, Place] | None:
    """The control with the highest mean mAP in an arm's world."""
    places = records.controls(study, arm)
    mean = {name: fmean(records.scores(*place, PRIMARY)) for name, place in places.items()}
    best = max(mean, key=mean.__getitem__, default="")
    return (best, places[best]) if best else None


def worlds_of(records: Records) -> list[World]:
    """PAUL minus the best control in every world and with all settings, the lowest gain first.

    What several studies share comes once. The p values are corrected over all of these together.
    """
    met: dict[str, World] = {}
    lines = []
    for study, arm in [(one, arm) for one in WITH_WORLDS for arm in _both_losses(records, one)]:
        key, best = json.dumps(records.changes(study, arm), sort_keys=True), best_control(records, study, arm)
        found = records.minus((study, arm), best[1]) if best and key not in met else None
        if best and found:
            title = records.title(study, arm) if records.changes(study, arm) else ""
            met[key] = World(study, title, LISTED["names"][best[0]], deciding(found))
            lines.append(found)
    again = [deciding(found) for found in corrected(lines)]
    worlds = [replace(world, line=line) for world, line in zip(met.values(), again, strict=True)]
    return sorted(worlds, key=lambda world: world.line.b - world.line.a)


def _both_losses(records: Records, study: str) -> list[str]:
    """Arms that train as PAUL does, with both losses, and are evaluated as they are."""
    receipt = records.get(study)
    found = []
    for arm in receipt.arms if receipt else ():
        changes = records.changes(study, arm)
        weights = settings_of(receipt, arm)["adapt"]  # type: ignore[arg-type]
        if not {"method", "control", "unit"} & changes.keys() and weights["pedal_weight"] and weights["ipfl_weight"]:
            found.append(arm)
    return found


def gap_of(records: Records) -> dict[str, float] | None:
    """Of the gap in mAP between direct transfer and training with labels, the shares that are closed without labels.

    By the best "control" and by "paul"; ``None`` where one of these was not run.
    """
    best = best_control(records, "ablation", "paul")
    arms = [records.scores("ablation", arm, PRIMARY) for arm in ("direct", "supervised", "paul")]
    if not best or not all(arms):
        return None
    low, high, paul = map(fmean, arms)
    control = fmean(records.scores(*best[1], PRIMARY))
    return {"control": (control - low) / (high - low), "paul": (paul - low) / (high - low)}


def many_of(records: Records) -> dict[str, float] | None:
    """How many comparisons the studies hold in mAP, and what chance and the correction make of them."""
    studies = [[deciding(lines) for lines in records.family(study)] for study in STUDIES]
    tested = [[line for line in lines if line.p is not None] for lines in studies]
    family = [line for lines in tested for line in lines]
    return (
        {
            "comparisons": len(family),
            "studies": sum(map(bool, tested)),
            "alone": sum((line.p or 0) < ALPHA for line in family),
            "by_chance": ALPHA * len(family),
            "significant": sum(line.significant for line in family),
        }
        if family
        else None
    )


def is_first_world(records: Records) -> bool:
    """Whether these are records of the first drawn world, by the fingerprints of its images."""
    first = world_of(read(FIRST / "ablation.json"))
    return any(first.get(seed) == world for seed, world in records.worlds.items())


def variation_of(records: Records) -> Deviations | None:
    """What worlds and what trainings add to the variation of PAUL's mAP over seeds.

    The trainings in one world are those of the record ``trainings``. They count only if the world is the same.
    """
    trainings, study = read("trainings").of("paul"), records.get("ablation")
    same = any(trial.data == trainings[0].data for trial in study.of("paul")) if study else False
    scores = records.scores("ablation", "paul", PRIMARY)
    values = [trial.scores[PRIMARY] for trial in trainings]
    return deviations(scores, values) if len(scores) > 1 and same else None
