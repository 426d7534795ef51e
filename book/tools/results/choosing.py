"""Choosing settings, and when to stop, without labels: what the unlabelled signals would have done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from paulbook.studies.followed import runs_of
from paulbook.studies.signals import CLOCK, FEW_ARMS, across_epochs, across_settings

from .shelf import Shelf
from .words import count, number, percent, table

STUDIES = ("ablation", "negatives", "settings", "surrogates", "reference")  # all in one world
SAID = {
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


def choosing(shelf: Shelf) -> list[str]:
    """Both questions, over all studies in the usual world."""
    paths = [shelf.folder / f"{study}.json" for study in STUDIES if shelf.get(study) and _followed(shelf, study)]
    runs = runs_of(*paths) if paths else []
    if not runs:
        return ["No history of a run is there yet, so nothing can be said."]
    among, stopping = _settings(across_settings(runs)), _epochs(across_epochs(runs))
    return [INTRO, "### Among settings", *among, "### When to stop", *stopping]


def _followed(shelf: Shelf, study: str) -> bool:
    return (shelf.folder / f"{study}-history.csv").is_file()


INTRO = (
    "On a real target there are no labels to choose with. Some things can be seen without: the losses, how often "
    "cyclic ranking vetoes, whether two patches have the same neighbours. Do they follow the hidden mAP? "
    "*Correlation* is of ranks (Spearman's): it is one if the score rises whenever the signal does. *Picked over "
    "default* is what one wins by following the signal. The sign, more or less is better, was learned on the other "
    "seeds. *Same sign* is the share of the seeds, or runs, whose correlation has the sign of the mean; in a "
    "*constant* one the signal never changes. Arms are compared only where a signal measures the same in all of them. "
    "Brackets are 95 % confidence intervals over seeds, and they are not corrected for the number of signals."
)


def _settings(rows: Sequence[Facts]) -> list[str]:
    shown = [row for row in rows if row.get("rho") is not None and row["arms"] >= FEW_ARMS]
    if not shown:
        return ["There are no two settings yet that a signal could compare."]
    cells = [[_name(row, "arms"), _rho(row), _points(row, "gain_default")] for row in shown]
    head = ["signal", "correlation with mAP", "picked over default, points of mAP"]
    followed = [SAID[row["signal"]] for row in shown if (row["rho_low"] or 0) > 0 or (row["rho_high"] or 0) < 0]
    first = f"Signals whose correlation leaves out zero: {_unique(followed)}."
    return [f"{first} {_verdict(shown, 'gain_default', 'the default settings')}", table(head, cells)]


def _epochs(rows: Sequence[Facts]) -> list[str]:
    shown = [row for row in rows if row.get("rho") is not None]
    if not shown:
        return ["There are no histories with scores by epoch yet."]
    cells = [[_name(row, "runs"), _rho(row), _points(row, "gain_last")] for row in shown]
    head = ["signal", "correlation with mAP", "picked over last epoch, points of mAP"]
    epochs = min(row["epochs"] for row in shown)
    few = f"Runs have {epochs} epochs, which is few. Epochs follow each other, so compare each row with the control."
    signals = [row for row in shown if row["signal"] != CLOCK]
    return [f"{_verdict(signals, 'gain_last', 'stopping at the last epoch')} {few}", table(head, cells)]


def _name(row: Facts, number_of: str) -> str:
    note = f", {row['note']}" if row.get("note") else ""
    return f"{SAID.get(row['signal'], row['signal'])}<br>({count(row[number_of], number_of.rstrip('s'))}{note})"


def _verdict(rows: Sequence[Facts], column: str, usual: str) -> str:
    """Which signals win more than chance over what one would do anyway, and which lose."""
    won = [SAID[row["signal"]] for row in rows if (row.get(f"{column}_low") or 0) > 0]
    lost = [SAID[row["signal"]] for row in rows if (row.get(f"{column}_high") or 0) < 0]
    first = f"Signals whose choice beats {usual}, the interval over seeds above zero: {_unique(won)}."
    return f"{first} Signals whose choice is worse, the interval below zero: {_unique(lost)}."


def _unique(names: Sequence[str]) -> str:
    return f"**{', '.join(dict.fromkeys(names)) or 'none'}**"


def _rho(row: Facts) -> str:
    low, high = row.get("rho_low"), row.get("rho_high")
    ends = f" [{low:+.2f}, {high:+.2f}]" if low is not None and high is not None else ""
    sign = f"<br>same sign in {percent(row['same_sign'])}" if row.get("same_sign") is not None else ""
    return f"{row['rho']:+.2f}{ends}{sign}"


def _points(row: Facts, column: str) -> str:
    if row.get(column) is None:
        return "nothing to pick by"
    low, high = row.get(f"{column}_low"), row.get(f"{column}_high")
    ends = f" [{number(low, '+')}, {number(high, '+')}]" if low is not None and high is not None else ""
    return f"{number(row[column], '+')}{ends}"
