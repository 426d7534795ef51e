"""What was found, claimed, not claimed, and surprising: sentences that the receipts choose."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from paulbook.bands import band
from paulbook.studies.lines import corrected
from paulbook.studies.receipts import settings_of
from paulbook.studies.significance import ALPHA, deviations
from paulbook.studies.studies import STUDIES

from .contests import AGAINST, SHOWN, UNSAID, Outcome, outcomes
from .inside import negatives_of
from .shelf import Lines, Shelf
from .words import ORDER, PRIMARY, Kind, count, gain, kind, listed, number, percent, seeds_of


@dataclass(frozen=True)
class World:
    """PAUL against one of its controls in one world."""

    study: str
    arm: str
    title: str
    control: str
    lines: Lines


def worlds(shelf: Shelf, control: str) -> list[World]:
    """PAUL minus a control in every world and with all settings; what several studies share comes once.

    The p values are corrected over all of these together, whichever study they are of.
    """
    met: dict[str, World] = {}
    for study, arm in [(one, arm) for one in WITH_WORLDS for arm in _arms(shelf, one)]:
        key = json.dumps(shelf.changes(study, arm), sort_keys=True)
        lines = None if key in met else shelf.against(study, arm, control)
        if lines:
            title = shelf.title(study, arm) if shelf.changes(study, arm) else "the usual world and settings"
            met[key] = World(study, arm, title, control, lines)
    lines_of_all = corrected(world.lines for world in met.values())
    return [replace(world, lines=lines) for world, lines in zip(met.values(), lines_of_all, strict=True)]


WITH_WORLDS = ("ablation", "kinds", "patches", "shift", "labels", "harm", "settings", "surrogates", "negatives")


def _arms(shelf: Shelf, study: str) -> list[str]:
    """Arms that train as PAUL does, with both losses."""
    receipt = shelf.get(study)
    whole = [arm for arm in receipt.arms if "method" not in shelf.changes(study, arm)] if receipt else []
    weights = {arm: settings_of(receipt, arm)["adapt"] for arm in whole} if receipt else {}
    return [arm for arm in whole if weights[arm]["pedal_weight"] and weights[arm]["ipfl_weight"]]


def found(shelf: Shelf) -> list[str]:
    """The section *What we found*."""
    held = outcomes(shelf)
    if not held:
        return ["No study was run yet. Each section below names the command that runs it."]
    blocks = [_group(held, *group) for group in GROUPS]
    blocks = [block for block in blocks if block] + _seeds_matter(shelf)
    return blocks + [text for control in ("batch_norm", "direct") if (text := _over_worlds(shelf, control))]


GROUPS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("What did **not** come out for the method or for our choices, first:", AGAINST),
    ("What cannot be said:", UNSAID),
    ("What is significant:", SHOWN),
)


def _group(held: Sequence[Outcome], title: str, kinds: Sequence[Kind]) -> str:
    lines = [o.text() for o in held if o.kind in kinds]
    return "\n".join([title, "", *lines]) if lines else ""


def _seeds_matter(shelf: Shelf) -> list[str]:
    """How far seeds lie apart, held against what PAUL adds."""
    scores, lines = shelf.scores("ablation", "paul", PRIMARY), shelf.compare("ablation", "batch_norm", "paul")
    if len(scores) < 2 or lines is None:
        return []
    apart, gained = max(scores) - min(scores), lines[PRIMARY].b - lines[PRIMARY].a
    text = f"**Seeds.** PAUL's mAP goes from {percent(min(scores))} to {percent(max(scores))} over seeds, because each "
    text += f"draws other people and other cameras. That is {'more' if apart > abs(gained) else 'less'} than the mean "
    text += "difference between PAUL and batch-norm statistics only, so one seed would be no result."
    return [text, _worlds_and_trainings(scores)]


def _worlds_and_trainings(scores: Sequence[float]) -> str:
    """How much of that is the world, and how much the training."""
    trainings = band("chapter9_paul", PRIMARY).values
    found = deviations(scores, trainings)
    return (
        f"**Worlds and trainings.** A seed of a study draws a world and starts a training, and over {len(scores)} "
        f"such seeds PAUL's mAP has a standard deviation of {number(found.seeds)} points. Over {len(trainings)} "
        f"trainings in one of these worlds it is {number(found.trainings)} points. As variances add up, the worlds "
        f"alone account for about {number(found.worlds)} points. On one fixed data set only the trainings vary."
    )


CONTROLS = {"batch_norm": "batch-norm statistics alone", "direct": "direct transfer"}


def _over_worlds(shelf: Shelf, control: str) -> str:
    """How PAUL did against a control in all worlds together."""
    found = worlds(shelf, control)
    if len(found) < 2:
        return ""
    groups: dict[Kind, list[World]] = {one: [w for w in found if kind(w.lines) == one] for one in ORDER}
    told = {
        "better": "significantly better in",
        "open": "without a significant difference in",
        "worse": "significantly worse in",
        "unsaid": "without an answer in",
    }
    parts = [f"{words} {len(groups[one])}" for one, words in told.items() if groups[one]]  # type: ignore[index]
    text = f"**All worlds and settings, against {CONTROLS[control]}:** PAUL was tried in {len(found)} of them. "
    above = sum(world.lines[PRIMARY].b > world.lines[PRIMARY].a for world in found)
    text += f"Its mean mAP is higher in {above}. After correction over all of them, it is {listed(parts)}."
    worse = [f"{w.title} ({gain(w.lines[PRIMARY], ' points of mAP')})" for w in groups["worse"]]
    return text + (f" Worse: {listed(worse)}." if worse else "")


def claims(shelf: Shelf) -> list[str]:
    """What is claimed: the contests that came out significantly for the idea; then what is not."""
    held = outcomes(shelf)
    return [
        "### What we claim",
        _claimed([o for o in held if o.kind in SHOWN]),
        "### What we do not claim",
        _not_claimed([o for o in held if o.kind not in SHOWN]),
        "### What surprised us",
        _surprises(held, negatives_of(shelf), [*_own_camera(shelf), *_drawn_source(shelf)]),
    ]


def _claimed(shown: Sequence[Outcome]) -> str:
    if not shown:
        return "Nothing, because no difference is significant."
    first = "On drawn people, with this network, these settings and these seeds:"
    return "\n".join([first, "", *(f"- {o.headline()}" for o in shown)])


LIMITS = (
    "That any of this holds for real people. Drawn people are easier, and fail in other ways.",
    "That these are the numbers of the paper. Its tables could not be read, and nothing here was tuned to them.",
    "That a difference which is not significant is not there. A few seeds find large differences only.",
    "That an order of arms holds with a longer training or a larger network.",
)


def _not_claimed(rest: Sequence[Outcome]) -> str:
    lines = [f"- {one}" for one in LIMITS]
    lines += [f"- That {o.ours} is better than {o.theirs}." for o in rest]
    return "\n".join(lines)


def _surprises(held: Sequence[Outcome], false: tuple[float, float] | None, others: Sequence[str]) -> str:
    """Ideas whose contest did not come out for them, and what else was not expected."""
    lines = [f"- {one}" for one in others]
    for o in held:
        if o.contest.idea and o.kind in SPOKEN:
            found = SPOKEN[o.kind]
            change = gain(o.lines[PRIMARY], " points of mAP")
            lines.append(f"- By the idea of the method we would expect that {o.contest.idea}. {found}, {change}.")
    cyclic = [o for o in held if o.contest.study == "negatives" and o.kind in AGAINST]
    if cyclic and false and false[0] < false[1]:
        text = f"- In the last epoch cyclic ranking pushes {percent(false[0])} of the anchors from their own person. "
        text += f"Taking the nearest would push {percent(false[1])}. Yet the scores do not differ significantly."
        lines.append(text)
    return "\n".join(lines) or "No contest went against what we would expect by the idea of the method."


def _own_camera(shelf: Shelf) -> list[str]:
    """Whether wrong first places come from the query's own camera more often than by chance, also after PAUL."""
    rows = [row for row in shelf.rows("failures-groups") if row.get("shared") == "camera" and row.get("net") == "paul"]
    weights = [float(row["wrong_first_places"]) for row in rows]
    if not sum(weights):
        return []
    share, chance = (np.average([row[column] for row in rows], weights=weights) for column in ("share", "chance"))
    text = f"After PAUL, {percent(share)} of the wrong first places come from the query's own camera."
    return [f"{text} By chance it would be {percent(chance)}."] if share > 2 * chance else []


def _drawn_source(shelf: Shelf) -> list[str]:
    """Whether the network that learned on drawn people ranks real people worse than its start."""
    before, after = (shelf.scores("market1501", arm, "rank1") for arm in ("features", "dolls/direct"))
    if not before or not after or after[0] >= before[0]:
        return []
    text = "On Market-1501, the network that learned on drawn people ranks lower than ImageNet's features alone: rank-1"
    seen = "With one training each this cannot be tested. See [Real people](#results-market1501)."
    return [f"{text} {percent(after[0])} against {percent(before[0])}. {seen}"]


SPOKEN: dict[Kind, str] = {
    "worse": "The opposite is significant",
    "open": "The difference is not significant",
}


def missing(shelf: Shelf, studies: Sequence[str]) -> str:
    """Which studies were not run."""
    absent = [f"`{study}`" for study in studies if shelf.get(study) is None]
    return f"Not run: {listed(absent)}." if absent else "Every study of the list was run."


def many(shelf: Shelf) -> str:
    """How many comparisons the page holds, what chance does to so many, and what the correction leaves."""
    studies = [[lines[PRIMARY] for lines in shelf.family(study)] for study in STUDIES]
    tested = [[line for line in lines if line.p is not None] for lines in studies]
    family = [line for lines in tested for line in lines]
    if not family:
        return "No comparison stands on this page yet."
    alone = sum((line.p or 0) < ALPHA for line in family)
    chance = ALPHA * len(family)
    return (
        f"The studies hold {count(len(family), 'comparison')} in mAP. Taken alone, {alone} of their p values are below "
        f"5 %. If no arm differed from another, about {chance:.0f} would be, by chance alone. Corrected by Holm's "
        f"method within each study, {sum(line.significant for line in family)} are significant. The correction keeps "
        f"the chance of a false call below 5 % for a study, and not for all {sum(map(bool, tested))} studies together. "
        "So a verdict that surprises, and stands alone, should be run on other seeds before it is believed."
    )


def usual_seeds(shelf: Shelf, study: str) -> str:
    """The seeds of a study in words."""
    receipt = shelf.get(study)
    return seeds_of(sorted({trial.seed for trial in receipt.trials})) if receipt else ""
