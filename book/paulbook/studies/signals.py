"""Choosing settings, and when to stop, without the target's labels: which unlabelled signals follow the hidden score.

Two questions, each answered on the receipts of studies, after the fact; nothing is trained here.

Across settings: of several arms that learn from the same images, does the one with the best signal score best?
Across epochs: within one run, does the score rise where the signal does, and would the signal have told when to stop?

Whether more or less of a signal is better is itself learned, always on the *other* seeds: a sign that was taken from
the seed on which it is judged would flatter. Those other seeds need labels. On a real target, the sign has to come from
a set like these, and whether it carries over is not tested here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from paullite.errors import InputError

from .followed import SCORE, SIGNALS, Facts, Followed, comparable
from .statistics import seed_interval, share_interval, spearman

FEW_ARMS, FEW_SEEDS, FEW_EPOCHS = 5, 3, 10  # below these a row says "few": of 4 arms, 1 order in 12 looks perfect
CLOCK = "epoch"  # the control: a signal that only grows with time, so that all it can say is "go on" or "go back"


def across_settings(runs: Sequence[Followed]) -> list[Facts]:
    """For each signal, how closely its last value follows mAP over the arms of one seed, and what it picks.

    Args:
        runs: of `paulbook.studies.followed.runs_of`.

    Returns:
        A row for each signal and each group of two arms or more in which it can be compared; see `SIGNALS`. A signal
        without a group has a row with ``arms`` 0 or 1 and nothing measured. Scores are shares. Columns::

            signal, arms, of, seeds   arms compared, of so many with this signal; "names" lists them
            rho, rho_low, rho_high    Spearman's correlation, mean over seeds with its 95 % interval over seeds
            same_sign                 share of the seeds on whose side the mean is; "constant" ones, in which signal
                                      or score never changes, are on none
            picked                    mAP of the arm that the signal picks, its sign taken from the other seeds
            best, default, random     mAP of the best arm of each seed; of the study's own; of any arm, on average
            regret, gain_default, gain_random   best - picked, picked - default, picked - random; each with _low, _high
            note                      "few arms" (under 5), "few seeds" (under 3), "N constant": left out of rho

    Raises:
        InputError: arms of one world and seed whose images differ.
    """
    rows = []
    for signal in SIGNALS:
        held = [run for run in runs if signal in run.epochs[-1]]
        groups = comparable(held, signal)
        compared = [group for group in groups if len({run.arm for run in group}) > 1]
        of = len({run.arm for run in held})
        rows += [_settings_row(signal, group, of) for group in compared or groups[:1]]
    return rows


def across_epochs(runs: Sequence[Followed]) -> list[Facts]:
    """For each signal, how closely it follows mAP over the epochs of one run, and which epoch it would stop at.

    Epochs of a run follow each other: two columns that merely drift agree or disagree by that alone. So the control is
    a row for the epoch's own number, which sees nothing of the data.

    Args:
        runs: as for `across_settings`, with the judge's scores by epoch. Epoch 0 has no signal and cannot be picked.

    Returns:
        A row for each signal that has two epochs or more, and the control. Scores are shares. Columns::

            signal, runs, seeds       "constant": runs where signal or score never changes
            epochs                    of the shortest run
            rho, rho_low, rho_high    Spearman's correlation, mean over seeds of their runs; 95 % interval over seeds
            same_sign                 share of the runs on whose side the mean is; a constant one is on none
            picked                    mAP of the epoch that the signal picks, its sign taken from the other seeds
            best, last, random        mAP of the best epoch, of the last, and of any, on average
            regret, gain_last, gain_random   best - picked, picked - last, picked - random; each with _low, _high
            note                      "few epochs" (under 10), "few seeds" (under 3), "N constant": left out of rho
    """
    return [row for signal in (*SIGNALS, CLOCK) if (row := _epochs_row(signal, runs))]


def choose(values: Sequence[float], scores: Sequence[float], sign: int) -> float:
    """The score where a signal is largest (sign 1) or smallest (-1), the mean of those that share first place.

    With sign 0 it says nothing, and any may be taken: the mean of all.

    >>> scores = [0.5, 0.25, 0.75]
    >>> [choose([1, 2, 3], scores, sign) for sign in (1, -1, 0)], choose([7, 7, 6], scores, 1)
    ([0.75, 0.5, 0.5], 0.375)
    """
    first = max(sign * value for value in values)
    return fmean(score for value, score in zip(values, scores, strict=True) if sign * value == first)


def sign_elsewhere(rhos: Mapping[int, Sequence[float | None]], seed: int) -> int | None:
    """Sign of the mean correlation on all seeds but one: 1, -1, or 0 if they say nothing; ``None`` if there are none.

    >>> sign_elsewhere({0: [0.75], 1: [-0.5]}, 0), sign_elsewhere({0: [None], 1: [0.5]}, 1)
    (-1, 0)
    >>> sign_elsewhere({0: [1.0]}, 0) is None
    True
    """
    others = [rho for other, values in rhos.items() if other != seed for rho in values]
    return _sign(_mean(others)) if others else None


HEADS = {
    "signal": "signal",
    "arms": "arms",
    "runs": "runs",
    "epochs": "epochs",
    "seeds": "seeds",
    "rho": "rank correlation",
    "same_sign": "same sign",
    "picked": "picked",
    "default": "default",
    "last": "last",
    "random": "any",
    "best": "best",
    "regret": "regret",
    "gain_default": "over default",
    "gain_last": "over last",
    "gain_random": "over any",
    "note": "note",
}
PERCENT = ("same_sign", "picked", "default", "last", "random", "best")
POINTS = ("regret", "gain_default", "gain_last", "gain_random")


def markdown(rows: Sequence[Facts], columns: Sequence[str] = ()) -> str:
    """Rows of either question as a Markdown table: mAP in percent, differences in points with their 95 % intervals.

    Args:
        rows: of `across_settings` or `across_epochs`.
        columns: only these, of ``HEADS``; none given: all that the rows have.

    >>> print(markdown([{"signal": "pedal", "arms": 5, "rho": -0.5, "rho_low": -0.75, "rho_high": -0.25}]))
    | signal | arms | rank correlation |
    |---|---|---|
    | pedal | 5 | -0.50 [-0.75, -0.25] |
    """
    names = [name for name in columns or HEADS if any(name in row for row in rows)]
    lines = [[HEADS[name] for name in names], *([_shown(row, name) for name in names] for row in rows)]
    head, *body = (f"| {' | '.join(cells)} |" for cells in lines)
    return "\n".join([head, f"|{'---|' * len(names)}", *body])


def _settings_row(signal: str, group: Sequence[Followed], of: int) -> Facts:
    arms = list(dict.fromkeys(run.arm for run in group))
    seeds = _by_seed(group)
    _check_worlds(seeds)
    row: Facts = {"signal": signal, "arms": len(arms), "of": of, "seeds": len(seeds)}
    if len(arms) > 1:
        values = {seed: [[float(run.epochs[-1][signal]) for run in own]] for seed, own in seeds.items()}
        scores = {seed: [[run.score for run in own]] for seed, own in seeds.items()}
        defaults = {seed: [run.score for run in own if run.default] for seed, own in seeds.items()}
        row |= _followed(values, scores, "default", defaults)
    few = {"few arms": len(arms) < FEW_ARMS, "few seeds": len(seeds) < FEW_SEEDS}
    return row | {"note": _note(few, row), "names": ", ".join(arms)}


def _epochs_row(signal: str, runs: Sequence[Followed]) -> Facts | None:
    values: dict[int, list[list[float]]] = {}
    scores: dict[int, list[list[float]]] = {}
    for seed, own in _by_seed(runs).items():
        followed = [[row for row in run.epochs if signal in row and SCORE in row] for run in own]
        long = [rows for rows in followed if len(rows) > 1]
        if long:
            values[seed] = [[float(row[signal]) for row in rows] for rows in long]
            scores[seed] = [[float(row[SCORE]) for row in rows] for rows in long]
    if not values:
        return None
    lengths = [len(numbers) for lists in values.values() for numbers in lists]
    row: Facts = {"signal": signal, "runs": len(lengths), "epochs": min(lengths), "seeds": len(values)}
    row |= _followed(values, scores, "last", {seed: [s[-1] for s in lists] for seed, lists in scores.items()})
    few = {"few epochs": row["epochs"] < FEW_EPOCHS, "few seeds": len(values) < FEW_SEEDS}
    return row | {"note": _note(few, row)}


Lists = Mapping[int, Sequence[Sequence[float]]]  # by seed, for each of its sets of points the numbers


def _followed(values: Lists, scores: Lists, usual: str, usual_scores: Mapping[int, Sequence[float]]) -> Facts:
    """The columns that both questions share: a number for each set of points, their mean for each seed, and over all.

    Args:
        values, scores: the signal and mAP of the points among which one is picked.
        usual: name of the column for what is taken without a signal. usual_scores: its mAP, by seed.
    """
    rhos = {seed: [spearman(v, s) for v, s in zip(values[seed], scores[seed], strict=True)] for seed in values}
    of_all = [rho for own in rhos.values() for rho in own]
    mean = _mean(of_all)
    sides = [_sign(rho) == _sign(mean) for rho in of_all if rho is not None]
    columns = {
        "picked": {seed: _picked(values[seed], scores[seed], sign_elsewhere(rhos, seed)) for seed in values},
        "best": {seed: [max(s) for s in lists] for seed, lists in scores.items()},
        usual: usual_scores,
        "random": {seed: [fmean(s) for s in lists] for seed, lists in scores.items()},
    }
    facts: Facts = {"constant": of_all.count(None), **_spread("rho", rhos, correlation=True)}
    facts["same_sign"] = sum(sides) / len(of_all) if mean else None
    facts |= {name: _mean([x for own in by_seed.values() for x in own]) for name, by_seed in columns.items()}
    pairs = {"regret": ("best", "picked"), f"gain_{usual}": ("picked", usual), "gain_random": ("picked", "random")}
    for name, (more, less) in pairs.items():
        facts |= _spread(name, _difference(columns[more], columns[less]))
    return facts


def _picked(values: Sequence[Sequence[float]], scores: Sequence[Sequence[float]], sign: int | None) -> list[float]:
    return [] if sign is None else [choose(v, s, sign) for v, s in zip(values, scores, strict=True)]


def _difference(
    more: Mapping[int, Sequence[float]], less: Mapping[int, Sequence[float]]
) -> dict[int, list[float | None]]:
    """Of what both have; a seed in which one of them has nothing says nothing."""
    return {seed: [a - b for a, b in zip(more[seed], less[seed], strict=False)] for seed in more}


def _spread(name: str, by_seed: Mapping[int, Sequence[float | None]], correlation: bool = False) -> Facts:
    """Mean over seeds of their own means, with its interval; that of correlations stays within -1..1 (Fisher's z)."""
    own = [mean for values in by_seed.values() if (mean := _mean(values)) is not None]
    interval = None
    if own:
        interval = share_interval(own, low=-1.0) if correlation else seed_interval(own)
    low, high = (interval.low, interval.high) if interval else (None, None)
    return {name: _mean(own), f"{name}_low": low, f"{name}_high": high}


def _by_seed(runs: Iterable[Followed]) -> dict[int, list[Followed]]:
    found: dict[int, list[Followed]] = {}
    for run in runs:
        found.setdefault(run.seed, []).append(run)
    return dict(sorted(found.items()))


def _check_worlds(seeds: Mapping[int, Sequence[Followed]]) -> None:
    for seed, own in seeds.items():
        if len({run.world for run in own}) > 1:
            arms = ", ".join(run.arm for run in own)
            raise InputError(f"found different images in seed {seed} of {arms}", "expected one world", "run both again")


def _mean(values: Iterable[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return round(fmean(numbers), 6) + 0.0 if numbers else None


def _sign(number: float | None) -> int:
    return (number > 0) - (number < 0) if number else 0


def _note(few: Mapping[str, bool], row: Facts) -> str:
    constant = row.get("constant", 0)
    return ", ".join([name for name, true in few.items() if true] + [f"{constant} constant"] * bool(constant))


def _shown(row: Facts, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, int | float):
        return "" if value is None else str(value)
    if name in PERCENT:
        return f"{100 * value:.0f} %" if name == "same_sign" else f"{100 * value:.1f}"
    if isinstance(value, int):
        return str(value)
    factor, form = (100, "+.1f") if name in POINTS else (1, "+.2f")
    ends = [row.get(f"{name}_{end}") for end in ("low", "high")]
    span = "" if None in ends else f" [{', '.join(f'{factor * end:{form}}' for end in ends if end is not None)}]"
    return f"{factor * value:{form}}{span}"
