"""One section for each study: question, tables, figure, command, seconds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

from paulbook.studies.families import base_of
from paulbook.studies.receipts import Receipt
from paulbook.studies.statistics import share_interval
from paulbook.studies.studies import STUDIES

from .drawing import NAMES, Curve, Dots, Drawing
from .findings import CONTROLS, World, usual_seeds, worlds
from .shelf import Shelf
from .words import PRIMARY, SCORES, capital, count, folded, gain, kind, number, percent, span, table, verdict_cell

Block = str | Drawing
OTHER_WORLDS = ("shift", "harm")  # arms in different worlds: to compare PAUL here with PAUL there says little
CURVES: dict[str, tuple[str, dict[str, float]]] = {
    "patches": ("P, number of patches", {"P=1": 1, "P=2": 2, "P=4": 4, "paul": 6, "P=8": 8}),
    "shift": ("camera shift", {"shift=0": 0, "shift=0.5": 0.5, "paul": 1, "shift=1.5": 1.5, "shift=2": 2}),
    "labels": (
        "labelled people in the source",
        {"none": 0, "source=10": 10, "source=20": 20, "source=40": 40, "paul": 80},
    ),
}
METHODS = ("paul", "batch_norm", "direct")


def study_section(shelf: Shelf, study: str) -> list[Block]:
    """A study, or that it was not run."""
    receipt = shelf.get(study)
    head = f"(results-{study})=\n### {receipt.question if receipt else STUDIES[study].question}"
    if receipt is None:
        return [head, f"This was not run. To run it:\n\n```sh\npaulbook experiment {study}\n```"]
    return [head, *_primary(shelf, receipt), *_body(shelf, receipt), _again(shelf, receipt)]


def _primary(shelf: Shelf, receipt: Receipt) -> list[Block]:
    """The comparison that answers the question, and what so many seeds could have found."""
    a, b = STUDIES[receipt.study].primary or ("", "")
    lines = shelf.compare(receipt.study, a, b) if a and shelf.trials(receipt.study, a) else None
    if not lines:
        return []
    line = lines[PRIMARY]
    text = f"**Primary comparison**: *{shelf.title(receipt.study, b)}* minus *{shelf.title(receipt.study, a)}*, "
    text += f"{gain(line, ' points of mAP')}, {line.verdict()}."
    least = line.detectable()
    if least is not None:
        text += f" With {count(line.trials, 'seed')}, a true difference of about {number(least)} points is found with "
        text += "80 % power, before any correction."
    return [text]


def _body(shelf: Shelf, receipt: Receipt) -> list[Block]:
    own = shelf.worlds(receipt.study)
    blocks: list[Block] = []
    if receipt.study not in OTHER_WORLDS:
        blocks += _against_base(shelf, receipt, own or list(receipt.arms))
    if own:
        blocks += _against_controls(shelf, receipt.study, own)
    return [*blocks, *_figures(shelf, receipt, own)]


def _again(shelf: Shelf, receipt: Receipt) -> str:
    """The command, the seeds, what it took."""
    seconds = [trial.seconds["adapt"] for trial in receipt.trials if "adapt" in trial.seconds]
    machine = (
        f"{count(receipt.machine.get('threads', 1), 'thread')} of a {receipt.machine.get('device', 'cpu').upper()}"
    )
    took = (
        f"one training on the target took {median(seconds):.0f} seconds (median), with {machine} and other work beside"
    )
    seeds = f"{count(len(receipt.trials), 'trial')}, {usual_seeds(shelf, receipt.study)}"
    return f"{capital(seeds)}; {took}. To make it again:\n\n```sh\n{receipt.command}\n```"


def _against_base(shelf: Shelf, receipt: Receipt, arms: Sequence[str]) -> list[Block]:
    say = f"Each arm, and its difference to *{receipt.arms[base_of(receipt)]['title']}* in points:"
    first, second = (arm_table(shelf, receipt, arms, score) for score in SCORES)
    return [say, first, folded(SECOND, second)]


SECOND = "The same in rank-1, which decides nothing here"


def arm_table(shelf: Shelf, receipt: Receipt, arms: Sequence[str], score: str) -> str:
    """The arms that were run, one score each: mean and interval over seeds, and the difference to the base."""
    base, cells = base_of(receipt), []
    for arm in arms:
        values = _values(receipt, arm, score)
        if values:
            mean = f"{number(fmean(values))} {span(share_interval(values))}".strip()
            lines = shelf.compare(receipt.study, base, arm) if arm != base else None
            cells.append([receipt.arms[arm]["title"], mean, verdict_cell(lines[score]) if lines else "(base)"])
    return table(["arm", f"{SCORES[score]}, %", "difference"], cells)


def _against_controls(shelf: Shelf, study: str, arms: Sequence[str]) -> list[Block]:
    say = "PAUL minus each control in the same world, in points:"
    first, second = (control_table(shelf, study, arms, score) for score in SCORES)
    return [say, first, folded(SECOND, second)]


def control_table(shelf: Shelf, study: str, arms: Sequence[str], score: str) -> str:
    """For each world PAUL's score, and what it adds to its controls."""
    rows = []
    for arm in arms:
        cells = [shelf.title(study, arm)]
        for control in CONTROLS:
            lines = shelf.against(study, arm, control)
            cells.append(verdict_cell(lines[score]) if lines else "not run")
        rows.append(cells)
    return table([f"world ({SCORES[score]})", "minus batch-norm only", "minus direct transfer"], rows)


def _figures(shelf: Shelf, receipt: Receipt, own: list[str]) -> list[Block]:
    if receipt.study in CURVES:
        return [_curves(shelf, receipt.study)]
    if receipt.study == "harm":
        return [_over_control(shelf, receipt.study, own)]
    base = base_of(receipt)
    arms = [arm for arm in own or receipt.arms if arm != base]
    minus = _over_base(shelf, receipt, arms)
    return [_scores(receipt), minus] if receipt.study == "ablation" else [minus]


def _scores(receipt: Receipt) -> Drawing:
    """Rank-1 of every arm."""
    base = base_of(receipt)
    rows = [
        Dots(receipt.arms[arm]["title"], _values(receipt, arm, "rank1"), _style(arm, base))
        for arm in receipt.arms
        if receipt.of(arm)
    ]
    best, last = max(rows, key=lambda row: row.mean), min(rows, key=lambda row: row.mean)
    alt = f"Rank-1 of {len(rows)} arms. Highest: {best.label}, {percent(best.mean)}. Lowest: {last.label}, "
    line = next(row.mean for row in rows if row.style == "paul")
    alt += f"{percent(last.mean)}. The arm that all are compared with has {percent(line)}."
    caption = f"Rank-1. {MARKS} Dashed: the mean of the arm that the others are compared with, the blue diamond."
    axes = {"x": "rank-1, %", "line": round(line, 6), "within": [0, 100]}
    return Drawing(f"{receipt.study}-scores", alt, caption, rows, axes)


MARKS = "Pale dots: one seed each. Large mark: their mean. Line: its 95 % confidence interval."


def _over_base(shelf: Shelf, receipt: Receipt, arms: Sequence[str]) -> Drawing:
    """Every arm minus the base, seed by seed."""
    base = base_of(receipt)
    caption = f"Rank-1 minus that of *{receipt.arms[base]['title']}* on the same seed, the dashed zero. {MARKS}"
    gains = {arm: shelf.gains((receipt.study, arm), (receipt.study, base)) for arm in arms}
    return _minus(receipt.study, caption, {receipt.arms[arm]["title"]: found for arm, found in gains.items()})


def _over_control(shelf: Shelf, study: str, arms: Sequence[str]) -> Drawing:
    """PAUL minus batch-norm only, seed by seed, in every world."""
    caption = "Rank-1 of PAUL minus that of batch-norm statistics only in the same world. Left of the dashed zero PAUL "
    caption += f"hurts. {MARKS}"
    gains = {}
    for arm in arms:
        place = shelf.control(study, arm, "batch_norm")
        gains[shelf.title(study, arm)] = shelf.gains((study, arm), place) if place else []
    return _minus(study, caption, gains)


def _minus(name: str, caption: str, gains: dict[str, list[float]]) -> Drawing:
    rows = [Dots(title, tuple(values), difference=True) for title, values in gains.items() if values]
    told = [f"{row.label} {number(row.mean, '+')}" for row in rows]
    alt = f"Mean difference in rank-1, in points: {'; '.join(told)}. Zero is drawn as a dashed line."
    return Drawing(name, alt, caption, rows, {"x": "difference in rank-1, points", "line": 0.0, "sign": "+"})


def _style(arm: str, base: str) -> str:
    return "paul" if arm == base else arm if arm in ("batch_norm", "direct") else "other"


def _values(receipt: Receipt, arm: str, score: str) -> tuple[float, ...]:
    return tuple(trial.scores[score] for trial in receipt.of(arm))


def _curves(shelf: Shelf, study: str) -> Drawing:
    label, places = CURVES[study]
    curves = [curve for method in METHODS if (curve := _curve(shelf, study, method, places)).x]
    axes: dict[str, Any] = {
        "x": label,
        "y": "rank-1, %",
        "scale": 100.0,
        "within": [0, 100],
        "places": list(places.values()),
    }
    axes["ticks"] = [f"{place:g}" for place in places.values()]
    told = [f"{c.label} from {percent(c.means[0])} to {percent(c.means[-1])}" for c in curves]
    alt = f"Rank-1 over {label}, from {axes['ticks'][0]} to {axes['ticks'][-1]}: {'; '.join(told)}."
    caption = f"Rank-1 over {label}. Marks: means. Pale dots: one seed each. Upright lines: 95 % confidence intervals."
    return Drawing(study, alt, caption, curves, axes)


def _curve(shelf: Shelf, study: str, method: str, places: dict[str, float]) -> Curve:
    points = {}
    for arm, place in places.items():
        trials = shelf.trials(study, arm if method == "paul" else f"{arm}/{method}")
        if trials:
            points[float(place)] = tuple(trial.scores["rank1"] for trial in trials)
    return Curve(NAMES[method], tuple(points), tuple(points.values()), method)


def hurts(shelf: Shelf) -> list[Block]:
    """All worlds and settings together, sorted by the gain over batch-norm only; where PAUL is not better, first."""
    found = sorted(worlds(shelf, "batch_norm"), key=_gained)
    if not found:
        return ["No world with its controls was run yet."]
    beaten = [world for world in found if kind(world.lines) == "better"]
    others = [world for world in found if kind(world.lines) != "better"]
    below = sum(_gained(world) < 0 for world in found)
    say = f"PAUL was tried in {count(len(found), 'world or setting', 'worlds and settings')}, those of all studies. In "
    say += f"{below} of them its mean mAP is below that of batch-norm statistics only. The p values are corrected "
    say += "over all of them together."
    blocks: list[Block] = [say]
    if others:
        blocks += [
            "Here PAUL is not significantly better than that control. The table has the mAP, the worst first:",
            _world_table(shelf, others),
        ]
    return [*blocks, folded(f"Where it does: {len(beaten)}", _world_table(shelf, beaten))] if beaten else blocks


def _gained(world: World) -> float:
    return world.lines[PRIMARY].b - world.lines[PRIMARY].a


def _world_table(shelf: Shelf, found: Sequence[World]) -> str:
    rows, direct = [], {(world.study, world.arm): world.lines for world in worlds(shelf, "direct")}
    for world in found:
        both = (world.lines, direct.get((world.study, world.arm)))
        cells = [verdict_cell(lines[PRIMARY]) if lines else "not run" for lines in both]
        rows.append([f"[{capital(world.title)}](#results-{world.study})", *cells])
    return table(["mAP, points", "minus batch-norm only", "minus direct transfer"], rows)
