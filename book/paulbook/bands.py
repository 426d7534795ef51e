"""Bands, that is prediction intervals, of the numbers of a training run: measured over seeds, never typed in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from paullite.errors import InputError, nearest_names

from .studies.receipts import read
from .studies.statistics import Interval, prediction_interval


@dataclass(frozen=True)
class Band:
    """95 % prediction interval of a number: where the next run lies in 19 of 20 cases, if it is trained as these were.

    In percent, within 0..100. It is not the confidence interval of the mean, which is narrower.

    >>> Band((0.2, 0.3, 0.4)), 31.5 in Band((0.2, 0.3, 0.4))
    (0..80, True)
    """

    values: tuple[float, ...]

    @property
    def low(self) -> float:
        """Lower end in percent."""
        return 100 * self._interval().low

    @property
    def high(self) -> float:
        """Upper end in percent."""
        return 100 * self._interval().high

    def _interval(self) -> Interval:
        found = prediction_interval(self.values)
        if found is None:
            raise InputError("found one number", "expected two or more", "one run says nothing of the next")
        return found

    def __contains__(self, percent: float) -> bool:
        return self.low <= percent <= self.high

    def __repr__(self) -> str:
        return f"{self.low:.0f}..{self.high:.0f}"


def band(row: str, column: str) -> Band:
    """The band of one number of the book.

    Args:
        row: what was measured, as "direct_transfer" or "paul".
        column: the score, as "rank1".

    Returns:
        The band over the seeds of `make bar` and `make bands`, whose results come with the package.

    Raises:
        InputError: nothing of that name was measured.

    >>> 5.0 in band("paul", "rank1")  # an untrained network finds no more than that
    False
    """
    table = measured()
    name = f"{row}/{column}"
    if name not in table:
        raise InputError(f"found no measured {name!r}", "expected row/column of a receipt", nearest_names(name, table))
    return Band(tuple(table[name]))


def study_band(study: str, arm: str, column: str) -> Band:
    """The band of one arm of a study, over the seeds of its receipt.

    A seed of a study draws another world, so such a band holds other people and other cameras, too. It is wider than
    one of `band` for a single world, mostly much wider.

    Args:
        study: name of a receipt, as "ablation", or its path.
        arm: as "paul".
        column: the score, as "rank1".

    Returns:
        The band over all its seeds.

    Raises:
        InputError: no such receipt, arm or score, or fewer than two seeds.

    >>> study_band("v1/ablation", "paul", "rank1"), study_band("v1/ablation", "supervised", "rank1")
    (0..100, 82..97)
    """
    receipt = read(study)
    trials = receipt.of(_known(arm, list(receipt.arms), "arm"))
    if len(trials) < 2:
        raise InputError(
            f"found {len(trials)} seeds of {arm} in {study}", "expected two or more", "run the study again"
        )
    return Band(tuple(trial.scores[_known(column, list(trial.scores), "score")] for trial in trials))


def _known(name: str, names: list[str], what: str) -> str:
    """The name, if it is one of these."""
    if name not in names:
        found = f"found the {what} {name!r}"
        raise InputError(found, f"expected one of: {', '.join(names)}", nearest_names(name, names))
    return name


@cache
def measured() -> dict[str, list[float]]:
    """All numbers by "row/column", one for each seed, in 0..1."""
    return dict(json.loads((files("paulbook") / "bands.json").read_text(encoding="utf-8")))
