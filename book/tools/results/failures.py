"""Where it fails: queries in groups, and what wrong first ranks share with their query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .comparisons import LISTED
from .records import Records, Row


@dataclass(frozen=True)
class Grouping:
    """Queries in groups by one thing that is known of each drawn image.

    Attributes:
        by: that thing.
        groups: by name, the number of queries, and rank-1 of each network; over seeds, weighted by queries.
        low, high: the groups of the lowest and the highest rank-1 after PAUL.
    """

    by: str
    groups: dict[str, tuple[float, dict[str, float]]]
    low: str
    high: str


@dataclass(frozen=True)
class Shared:
    """How many wrong first ranks share something with their query, and how many would by chance."""

    name: str
    share: float
    chance: float


@dataclass(frozen=True)
class Failures:
    """The section."""

    nets: dict[str, str]
    groupings: list[Grouping]
    shared: list[Shared]
    wrong: int

    def of(self, name: str) -> Shared | None:
        """What wrong first ranks share of one thing."""
        return next((one for one in self.shared if one.name == name), None)


def failures_of(records: Records) -> Failures | None:
    """From the rows of the study of failures; ``None`` if it was not run on this world."""
    rows = records.rows("failures-groups") if records.get("failures") else []
    if not rows:
        return None
    grouped = [row for row in rows if "group" in row and "queries" in row]
    groupings = [_grouping(by, [row for row in grouped if row["by"] == by]) for by in _values(grouped, "by")]
    wrong = [row for row in rows if "shared" in row and row["net"] == "paul"]
    shared = [_shared(name, [row for row in wrong if row["shared"] == name]) for name in _values(wrong, "shared")]
    first = [row for row in wrong if row["shared"] == shared[0].name] if shared else []
    nets = {net: title for net, title in LISTED["names"].items() if net in _values(grouped, "net")}
    return Failures(nets, groupings, shared, int(sum(float(row["wrong_first_places"]) for row in first)))


def _values(rows: Sequence[Row], column: str) -> list[str]:
    return list(dict.fromkeys(str(row[column]) for row in rows))


def _grouping(by: str, rows: Sequence[Row]) -> Grouping:
    groups = {}
    for name in _values(rows, "group"):
        own = [row for row in rows if row["group"] == name]
        nets = {net: [row for row in own if row["net"] == net] for net in _values(own, "net")}
        queries = sum(float(row["queries"]) for row in own) / len(nets)
        groups[name] = (queries, {net: _mean(of, "rank1", "queries") for net, of in nets.items()})
    rank1 = {name: nets["paul"] for name, (_, nets) in groups.items() if "paul" in nets}
    return Grouping(by, groups, min(rank1, key=rank1.__getitem__), max(rank1, key=rank1.__getitem__))


def _shared(name: str, rows: Sequence[Row]) -> Shared:
    return Shared(name, *(_mean(rows, column, "wrong_first_places") for column in ("share", "chance")))


def _mean(rows: Sequence[Row], column: str, weight: str) -> float:
    return float(np.average([float(row[column]) for row in rows], weights=[float(row[weight]) for row in rows]))
