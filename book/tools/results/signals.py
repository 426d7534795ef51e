"""Choosing settings, and when to stop, without labels: what the unlabelled signals would have done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paulbook.studies.followed import runs_of
from paulbook.studies.signals import CLOCK, FEW_ARMS, across_epochs, across_settings

from .records import Records

STUDIES = ("ablation", "negatives", "settings", "surrogates", "reference")  # all in one world
NAMES = {
    "loss": "whole loss",
    "pedal": "PEDAL",
    "ipfl": "IPFL",
    "vetoes": "vetoes of cyclic ranking",
    "negatives": "anchors with a negative",
    "agreement": "agreement of patches",
    "other_camera": "neighbours of another camera",
    CLOCK: "number of the epoch (control)",
}
Facts = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """One question: which arm, or which epoch, a signal would have picked.

    Attributes:
        rows: of `across_settings` or `across_epochs`, each with its "title".
        gain: name of the column with what following the signal gains over what one would do anyway.
        follow: signals whose correlation with mAP has an interval without zero.
        won, lost: signals whose gain has an interval above zero, or below.
    """

    rows: list[Facts]
    gain: str

    @property
    def follow(self) -> list[str]:
        """Their titles, each once."""
        return self._named("rho_low", "rho_high")

    @property
    def won(self) -> list[str]:
        """Their titles, each once."""
        return self._named(f"{self.gain}_low", "")

    @property
    def lost(self) -> list[str]:
        """Their titles, each once."""
        return self._named("", f"{self.gain}_high")

    def _named(self, low: str, high: str) -> list[str]:
        held = [row for row in self.rows if (row.get(low) or 0) > 0 or (row.get(high) or 0) < 0]
        return list(dict.fromkeys(row["title"] for row in held if row["signal"] != CLOCK))


def choices_of(records: Records) -> dict[str, Choice]:
    """Both questions over all studies in the usual world; none without a history."""
    paths = [records.folder / f"{study}.json" for study in STUDIES if _followed(records, study)]
    runs = runs_of(*paths) if paths else []
    if not runs:
        return {}
    settings = [row for row in across_settings(runs) if row["arms"] >= FEW_ARMS]
    choices = {"settings": (settings, "gain_default"), "epochs": (across_epochs(runs), "gain_last")}
    return {name: Choice(_titled(rows), gain) for name, (rows, gain) in choices.items() if _titled(rows)}


def _titled(rows: Sequence[Facts]) -> list[Facts]:
    return [{**row, "title": NAMES[row["signal"]]} for row in rows if row.get("rho") is not None]


def _followed(records: Records, study: str) -> bool:
    return bool(records.get(study)) and (records.folder / f"{study}-history.csv").is_file()
