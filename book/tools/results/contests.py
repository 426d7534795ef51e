"""Which arms are held against each other, and how it came out."""

from __future__ import annotations

from dataclasses import dataclass

from .shelf import Lines, Shelf
from .words import ORDER, Kind, count, headline, kind, numbers


@dataclass(frozen=True)
class Contest:
    """Two arms of a study, one of which the method's idea favours.

    Attributes:
        study, ours, theirs: the arms; ``ours`` is what the idea favours.
        name, rival: what they are called in a sentence; empty: by their titles in the receipt.
        idea: what one would expect, after "that"; empty if one would expect nothing.
    """

    study: str
    ours: str
    theirs: str
    name: str = ""
    rival: str = ""
    idea: str = ""


FULL_WEIGHT = "with IPFL at full weight"
CONTESTS = (
    Contest(
        "ablation",
        "paul",
        "batch_norm",
        "PAUL",
        "new batch-norm statistics alone",
        "the losses do more than new batch-norm statistics do",
    ),
    Contest("ablation", "paul", "direct", "PAUL", "direct transfer", "learning on the target helps"),
    Contest("ablation", "paul", "pedal", "PAUL, with both losses,", "PEDAL alone", "IPFL adds something to PEDAL"),
    Contest("ablation", "paul", "ipfl", "PAUL, with both losses,", "IPFL alone", "PEDAL adds something to IPFL"),
    Contest("ablation", "paul", "ipfl_heavy", "PAUL, with both losses,", "IPFL alone at a large weight"),
    Contest("ablation", "paul", "paul_heavy", "PAUL, with a light IPFL,", f"PAUL {FULL_WEIGHT}"),
    Contest("ablation", "supervised", "paul", "training with the target's labels", "PAUL", "labels of the target help"),
    Contest(
        "kinds",
        "paul",
        "stripes",
        "PAUL on learned patches",
        "PAUL on fixed stripes",
        "patches that learn their places are better than stripes that stay",
    ),
    Contest(
        "kinds",
        "paul",
        "random",
        "PAUL on learned patches",
        "PAUL on random boxes",
        "patches that learn their places are better than boxes drawn at random",
    ),
    Contest(
        "negatives",
        "paul",
        "hardest",
        "cyclic ranking",
        "taking the nearest as negative",
        "cyclic ranking finds better negatives than taking the nearest does",
    ),
    Contest(
        "negatives",
        "heavy",
        "heavy_hardest",
        f"cyclic ranking, {FULL_WEIGHT},",
        "taking the nearest as negative",
        f"cyclic ranking finds better negatives, {FULL_WEIGHT}",
    ),
    Contest("rivals", "paul", "instance", "PAUL", "image-level instance discrimination"),
    Contest("rivals", "paul", "cluster", "PAUL", "DBSCAN pseudo-labels with a cluster memory"),
    Contest(
        "reference",
        "default",
        "reference",
        "PAUL with our defaults",
        "PAUL with the reference implementation's choices",
    ),
    Contest("patches", "paul", "P=1", idea="several patches are better than one"),
)
SHOWN: tuple[Kind, ...] = ("better",)
AGAINST: tuple[Kind, ...] = ("worse", "open")
UNSAID: tuple[Kind, ...] = ("unsaid",)


@dataclass(frozen=True)
class Outcome:
    """A contest that was held."""

    contest: Contest
    lines: Lines
    ours: str
    theirs: str
    ahead: tuple[int, int]

    @property
    def kind(self) -> Kind:
        return kind(self.lines)

    def headline(self) -> str:
        return headline(self.lines, self.ours, self.theirs)

    def text(self) -> str:
        """The verdict, the numbers, and where to read on."""
        where = f"[The study](#results-{self.contest.study})."
        seeds = f"Ahead in mAP in {self.ahead[0]} of {count(self.ahead[1], 'seed')}."
        return f"- **{self.headline()}** {numbers(self.lines)} {seeds} {where}"


def outcomes(shelf: Shelf) -> list[Outcome]:
    """The contests that were held, the unwelcome first."""
    held = []
    for one in CONTESTS:
        lines = shelf.compare(one.study, one.theirs, one.ours)
        if lines:
            ours = one.name or shelf.title(one.study, one.ours)
            theirs = one.rival or shelf.title(one.study, one.theirs)
            held.append(Outcome(one, lines, ours, theirs, shelf.ahead(one.study, one.theirs, one.ours)))
    return sorted(held, key=lambda outcome: ORDER.index(outcome.kind))
