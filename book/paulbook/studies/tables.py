"""A receipt as a table: every arm with its intervals, and against the arm that the study compares with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from .families import base_of, lines_of, primary_score
from .lines import Line
from .receipts import Receipt, read
from .significance import p_text
from .statistics import Interval, share_interval
from .studies import FAILURES, STUDIES

__all__ = ["ArmRow", "arm_rows", "base_of", "listing", "markdown", "table"]

SCORES = {"rank1": "rank-1", "map_step": "mAP (step)"}


@dataclass(frozen=True)
class ArmRow:
    """An arm of a study in numbers.

    Attributes:
        arm, title: its name and what it is.
        seeds: how many trials.
        means: mean over the seeds by score, in shares.
        spread: 95 % confidence interval over seeds by score; ``None`` for one seed.
        against: by score, the comparison with the base, corrected over the study; ``None`` for the base itself.
    """

    arm: str
    title: str
    seeds: int
    means: dict[str, float]
    spread: dict[str, Interval | None]
    against: dict[str, Line] | None


def arm_rows(receipt: Receipt, base: str | None = None, arms: Sequence[str] | None = None) -> list[ArmRow]:
    """The arms of a receipt that were run, in its order.

    Args:
        receipt: of a study.
        base: the arm to compare with; the study's own if none is given, else the first.
        arms: only these.
    """
    base = base or base_of(receipt)
    found = []
    for arm in arms or receipt.arms:
        trials = receipt.of(arm)
        if trials:
            values = {score: [trial.scores[score] for trial in trials] for score in SCORES}
            lines = None if arm == base else lines_of(receipt, base, arm)
            means = {score: fmean(numbers) for score, numbers in values.items()}
            spread = {score: share_interval(numbers) for score, numbers in values.items()}
            found.append(ArmRow(arm, receipt.arms[arm]["title"], len(trials), means, spread, lines))
    return found


def markdown(rows: Sequence[ArmRow]) -> str:
    """The rows as a Markdown table, in percent and points; intervals are 95 %, over seeds."""
    head = ["", "seeds", *SCORES.values(), "rank-1 against base", "mAP against base"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in rows:
        cells = [row.title, str(row.seeds)]
        cells += [f"{100 * row.means[s]:.1f} {_span(row.spread[s])}".strip() for s in SCORES]
        cells += [_gain(row, s) for s in SCORES]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def table(path: str | Path) -> str:
    """A receipt as text: its question, and a line for each arm.

    >>> from paulbook.studies.receipts import Trial, write
    >>> people = {"pids": [1, 2], "queries": [2, 2], "hits": [1, 1], "precisions": [1.0, 1.0]}
    >>> trial = Trial("paul", 0, {"rank1": 0.5, "map_step": 0.5}, people, {}, {})
    >>> receipt = Receipt("toy", "Is it good?", "", {}, {"paul": {"title": "PAUL", "changes": {}}}, {}, {}, [trial])
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(table(write(receipt, folder)))
    toy: Is it good?
    %                                             seeds   rank-1      mAP   mAP against base
    PAUL                                              1     50.0     50.0   (base)
    """
    receipt = read(path)
    lines = [f"{receipt.study}: {receipt.question}", f"{'%':<46}seeds   rank-1      mAP   mAP against base"]
    for row in arm_rows(receipt):
        gain = _gain(row, primary_score(receipt.study))
        scores = "".join(f"{100 * row.means[score]:9.1f}" for score in SCORES)
        lines.append(f"{row.title[:45]:<46}{row.seeds:>5}{scores}   {gain}")
    return "\n".join(lines)


def listing() -> str:
    """Every study with its question and size."""
    lines = []
    for name, study in STUDIES.items():
        lines.append(f"{name:<12}{study.question} ({len(study.arms)} arms, {len(study.seeds)} seeds)")
    lines.append(f"{'failures':<12}{FAILURES.question}")
    lines.append(f"{'market1501':<12}Does PAUL help on real people? Needs --root and --weights.")
    return "\n".join(lines)


def _span(interval: Interval | None) -> str:
    return f"[{100 * interval.low:.1f}, {100 * interval.high:.1f}]" if interval else ""


def _gain(row: ArmRow, score: str) -> str:
    if row.against is None:
        return "(base)"
    line = row.against[score]
    p = "" if line.p_value is None else f"{p_text(line.p_value)}, "
    return f"{100 * (line.b - line.a):+.1f} {_span(line.seeds)} {p}{line.verdict()}".replace("  ", " ")
