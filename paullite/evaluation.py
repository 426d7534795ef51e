"""The judge: rank a gallery for each query and score the rankings.

Letters: Q queries, G gallery images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .data.items import ReIDDataset, Split
from .errors import InputError
from .features import extract
from .models import PatchNet
from .runs.distributed import Team

Columns = Tensor | np.ndarray | Sequence[int]


@dataclass(frozen=True, eq=False)
class Scores:
    """What a ranking is worth. All shares are in 0..1 and are averages over ``queries``.

    Attributes:
        cmc: (G,) share of the queries with a match among the first r, rank 1 first.
        map_step: mean average precision with i/r at the i-th match, the most used definition today.
        map_trapezoid: the same with (i/r + (i-1)/(r-1))/2, Market-1501's own protocol and that of PAUL's tables.
        minp: mean of n / rank of the last of n matches.
        queries: queries that were scored.
        lone_queries: queries without any match, left out of every average.
        first_ranks: (Q,) for each query the rank of its first match, from 1; 0 for a lone query.
        precisions: (Q,) for each query its average precision (step); NaN for a lone query.
    """

    cmc: np.ndarray
    map_step: float
    map_trapezoid: float
    minp: float
    queries: int
    lone_queries: int
    first_ranks: np.ndarray
    precisions: np.ndarray

    @property
    def rank1(self) -> float:
        """Share of the queries whose first place is right."""
        return self.rank(1)

    @property
    def rank5(self) -> float:
        """Share of the queries with a match among the first five."""
        return self.rank(5)

    def rank(self, r: int) -> float:
        """Share of the queries with a match among the first r places."""
        return float(self.cmc[min(r, len(self.cmc)) - 1])

    def headline(self) -> dict[str, float]:
        """The five numbers of every report, table and log, in 0..1."""
        names = ("rank1", "rank5", "map_step", "map_trapezoid", "minp")
        return {name: round(float(getattr(self, name)), 6) for name in names}

    def __str__(self) -> str:
        lone = f", {self.lone_queries} without a match left out" if self.lone_queries else ""
        return (
            f"rank-1 {self.rank1:.1%}  rank-5 {self.rank5:.1%}  mAP (step) {self.map_step:.1%}  "
            f"mAP (trapezoid) {self.map_trapezoid:.1%}  mINP {self.minp:.1%}  ({self.queries} queries{lone})"
        )


def score_ranking(
    query: Tensor | np.ndarray,
    gallery: Tensor | np.ndarray,
    query_pids: Columns,
    gallery_pids: Columns,
    query_camids: Columns | None = None,
    gallery_camids: Columns | None = None,
    own: Columns | None = None,
    *,
    chunk: int = 256,
) -> Scores:
    """Rank the gallery by cosine similarity for every query, and score the rankings.

    Gallery images of the query's person by the query's camera are left out, and so is junk (identity -1). A distractor,
    a gallery person that no query has, needs no rule. Equal similarities keep the order of the gallery.

    Args:
        query, gallery: features, (Q, D) and (G, D), any scale, on any device. Queries in float64 are ranked in
            float64, which keeps the order of nearly equal similarities; everything else in float32.
        query_pids, gallery_pids: identities, (Q,) and (G,); -1 is junk.
        query_camids, gallery_camids: cameras, (Q,) and (G,). ``None`` for both: nothing is known of the cameras.
        own: place of the query's own file in the gallery, (Q,), -1 if it is not there; it is left out.
        chunk: queries at a time; chunk x G similarities are held, never Q x G.

    Returns:
        `Scores`. Queries without a match enter no average and are counted in ``lone_queries``.

    Raises:
        InputError: NaN in the features, columns of the wrong length, or no query with a match.

    Source: Zheng et al., ICCV 2015 (CMC, mAP on Market-1501); Ye et al., TPAMI 2021 (mINP).

    >>> q, g = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.1], [1.0, 0.2], [0.0, 1.0]])
    >>> s = score_ranking(q, g, [5], [6, 5, 5], [0], [1, 1, 1])         # matches at ranks 2 and 3
    >>> s.rank1, s.rank(2), round(s.map_step, 3), round(s.map_trapezoid, 3), round(s.minp, 3)
    (0.0, 1.0, 0.583, 0.417, 0.667)
    """
    dtype = torch.promote_types(torch.as_tensor(query[:0]).dtype, torch.float32)
    q, g = _unit_rows(query, "query", dtype), _unit_rows(gallery, "gallery", dtype)
    rules = RankingRules.of(len(q), len(g), query_pids, gallery_pids, query_camids, gallery_camids, own)
    ranks: list[np.ndarray] = []
    for start in range(0, len(q), chunk):
        similarity = (q[start : start + chunk] @ g.T).cpu().numpy()  # chunk G
        ranks += [_match_ranks(row, *rules(start + i)) for i, row in enumerate(similarity)]
    return _scores(ranks, len(g))


def _match_ranks(similarity: np.ndarray, match: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """Ranks, from 1, of the matches (G indices) in a gallery from which some entries are left out."""
    similarity[left_out] = -np.inf
    ascending = np.sort(similarity)  # values only: several times quicker than sorting places
    found = similarity[match]
    above = len(ascending) - np.searchsorted(ascending, found, side="right")
    equal = np.searchsorted(ascending, found, side="right") - np.searchsorted(ascending, found, side="left")
    for i in np.flatnonzero(equal > 1):  # ties keep the gallery's order
        above[i] += np.count_nonzero(similarity[: match[i]] == found[i])
    return np.sort(above) + 1


def _scores(ranks: list[np.ndarray], gallery: int) -> Scores:
    seen = [r for r in ranks if len(r)]
    if not seen:
        raise InputError(
            f"none of the {len(ranks)} queries has a match in the gallery",
            "expected the same person by another camera",
            "check identities and camera numbers with: paullite data check",
        )
    first = np.bincount([r[0] - 1 for r in seen], minlength=gallery)
    return Scores(
        cmc=first.cumsum() / len(seen),
        map_step=float(np.mean([average_precision(r) for r in seen])),
        map_trapezoid=float(np.mean([average_precision(r, "trapezoid") for r in seen])),
        minp=float(np.mean([len(r) / r[-1] for r in seen])),
        queries=len(seen),
        lone_queries=len(ranks) - len(seen),
        first_ranks=np.array([r[0] if len(r) else 0 for r in ranks]),
        precisions=np.array([average_precision(r) if len(r) else np.nan for r in ranks]),
    )


def average_precision(ranks: np.ndarray, rule: str = "step") -> float:
    """Average precision of one query from the ascending ranks r_1..r_n of its matches, counted from 1.

    ``step`` is the mean of i / r_i; ``trapezoid`` the mean of (i / r_i + (i - 1) / (r_i - 1)) / 2, where the second
    term is 1 at rank 1.

    >>> average_precision(np.array([1, 4])), round(average_precision(np.array([1, 4]), "trapezoid"), 4)
    (0.75, 0.7083)
    """
    i = np.arange(1, len(ranks) + 1)
    if rule == "step":
        return float((i / ranks).mean())
    before = np.where(ranks == 1, 1.0, (i - 1) / np.maximum(ranks - 1, 1))
    return float((i / ranks + before).mean() / 2)


@dataclass(frozen=True, eq=False)
class RankingRules:
    """Who is whose match, and who is left out, for each query; the gallery is grouped by identity once."""

    query_pids: np.ndarray
    query_camids: np.ndarray | None
    gallery_camids: np.ndarray | None
    places: dict[int, np.ndarray]
    own: np.ndarray

    @classmethod
    def of(cls, q: int, g: int, *columns: Columns | None) -> RankingRules:
        """From Q, G and the five columns of `score_ranking`."""
        names = ("query_pids", "gallery_pids", "query_camids", "gallery_camids", "own")
        arrays = dict(zip(names, map(_integers, columns), strict=True))
        for name, column in arrays.items():
            length = g if name.startswith("gallery") else q
            if column is not None and column.shape != (length,):
                raise InputError(f"found {name} of shape {column.shape}", f"expected ({length},)")
        if (arrays["query_camids"] is None) != (arrays["gallery_camids"] is None):
            raise InputError("found cameras on one side only", "expected them for query and gallery, or None twice")
        mine, theirs, mine_at, theirs_at, own = arrays.values()
        assert mine is not None and theirs is not None
        order = np.argsort(theirs, kind="stable")
        values, starts = np.unique(theirs[order], return_index=True)
        places = dict(zip(values.tolist(), np.split(order, starts[1:]), strict=True))
        return cls(mine, mine_at, theirs_at, places, np.full(q, -1) if own is None else own)

    def __call__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Gallery places that match query i, and those that are left out for it."""
        nobody = np.empty(0, dtype=int)
        pid, own, junk = self.query_pids[i], self.own[i], self.places.get(-1, nobody)
        same = self.places.get(int(pid), nobody) if pid != -1 else nobody
        blind = same == own
        if self.gallery_camids is not None and self.query_camids is not None:
            blind = blind | (self.gallery_camids[same] == self.query_camids[i])
        return same[~blind], np.concatenate([junk, same[blind], [own] if own >= 0 else nobody]).astype(int)


def _unit_rows(features: Tensor | np.ndarray, name: str, dtype: torch.dtype) -> Tensor:
    x = torch.as_tensor(features)
    if x.ndim != 2 or not len(x):
        raise InputError(
            f"found {name} features of shape {tuple(x.shape)}", "expected (images, D) and at least one image"
        )
    bad = int((~torch.isfinite(x)).any(1).sum())
    if bad:
        raise InputError(f"found NaN or infinity in {bad} of {len(x)} {name} features", "expected finite numbers")
    return F.normalize(x.to(dtype), dim=1)


def _integers(column: Columns | None) -> np.ndarray | None:
    return None if column is None else torch.as_tensor(column).cpu().numpy().astype(np.int64)


def evaluate(
    net: PatchNet, dataset: ReIDDataset, *, batch: int = 128, workers: int = 0, team: Team | None = None
) -> Scores:
    """Rank the gallery for every query with the network's retrieval features.

    Cosine distance, one query image at a time, no re-ranking, no averaging over flips. Without camera numbers only the
    query's own file is left out of its ranking.

    Args:
        net: judged in evaluation mode on its own device, and left as it was.
        dataset: its ``query`` and ``gallery`` are used.
        batch: images at a time.
        workers: processes that read images.
        team: in a run of several processes: each looks at a share of the images, and all get the scores.

    Returns:
        `Scores`.

    Raises:
        InputError: no query or gallery, or no query with a match.

    >>> from paullite.data import PaperDolls
    >>> dolls = PaperDolls("target", identities=2, test_identities=3)
    >>> scores = evaluate(PatchNet("test_resnet", pretrained=False, size=(128, 64), feature_dim=8), dolls)
    >>> scores.queries + scores.lone_queries == len(dolls.query)
    True
    """
    query, gallery = dataset.query, dataset.gallery
    if not len(query) or not len(gallery) or query.pids is None or gallery.pids is None:
        raise InputError(
            f"found {len(query)} query and {len(gallery)} gallery images in {dataset.name}",
            "expected both, with identities",
            "check the folder with: paullite data check",
        )
    features = [extract(net, part, batch=batch, workers=workers, team=team).flatten(1) for part in (query, gallery)]
    return score_ranking(features[0], features[1], *ranking_columns(query, gallery))


Column = Sequence[int] | None


def ranking_columns(query: Split, gallery: Split) -> tuple[Sequence[int], Sequence[int], Column, Column, list[int]]:
    """Identities, cameras (or None twice) and the place of each query's own file in the gallery (or -1)."""
    place = {path: i for i, path in enumerate(gallery.paths)}
    whole = query.camids is not None and gallery.camids is not None
    cameras = (query.camids, gallery.camids) if whole else (None, None)
    return query.pids or (), gallery.pids or (), *cameras, [place.get(path, -1) for path in query.paths]


def judged(net: PatchNet, dataset: ReIDDataset | Split, workers: int, team: Team) -> dict[str, float]:
    """The judge's numbers as columns of the history; none where there is no test."""
    if isinstance(dataset, Split) or not len(dataset.query) or not len(dataset.gallery):
        return {}
    return evaluate(net, dataset, workers=workers, team=team).headline()


def ranked_lists(
    net: PatchNet, dataset: ReIDDataset, *, top: int = 10, workers: int = 0
) -> list[list[tuple[int, bool]]]:
    """For each query the first places of its ranking: (place in the gallery, whether it is the same person).

    Junk and the query's own camera are left out, as in `evaluate`.
    """
    query, gallery = dataset.query, dataset.gallery
    q, g = (extract(net, part, workers=workers).flatten(1) for part in (query, gallery))
    rules = RankingRules.of(len(query), len(gallery), *ranking_columns(query, gallery))
    lists = []
    for i, row in enumerate(q @ g.T):
        matches, left_out = rules(i)
        row[torch.as_tensor(left_out, dtype=torch.long)] = -torch.inf
        places = row.argsort(descending=True, stable=True)[:top].tolist()
        lists.append([(place, place in set(matches.tolist())) for place in places])
    return lists
