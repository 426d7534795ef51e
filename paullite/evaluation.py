"""Evaluation: rank G gallery images for each of Q queries, and score that."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from .controls import Control
from .data.items import ReIDDataset, Split
from .errors import InputError
from .features import Transform
from .models import PatchNet
from .ranking import Columns, Features, RankingRules, average_precision, cosines, match_ranks, ranking_columns
from .runs.distributed import Team
from .thresholds import Threshold as Threshold
from .thresholds import threshold as threshold

Place = tuple[int, bool]  # in the gallery, and whether it is the same person


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """What a ranking is worth. All shares are in 0..1 and are averages over ``queries``.

    Attributes:
        cmc: (G,) share of the queries with a match among the first r, rank 1 first.
        map_step: mean average precision with i/r at the i-th match, the most used definition today.
        map_trapezoid: the same with (i/r + (i-1)/(r-1))/2, Market-1501's own protocol and that of PAUL's tables.
        minp: mean of n / rank of the last of n matches.
        queries, lone_queries: how many were scored, and how many have no match and are left out of every average.
        first_ranks, precisions: (Q,) each query's rank of the first match, from 1, and its average precision (step);
            0 and NaN for a lone query.
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

    def __repr__(self) -> str:
        return f"<Scores: {self}>"


def score_ranking(
    query: Features,
    gallery: Features,
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
        query, gallery: features, (Q, D) and (G, D), any scale, on any device, with or without gradient. Queries in
            float64 are ranked in float64, which keeps the order of nearly equal similarities; all else in float32.
        query_pids, gallery_pids: identities, (Q,) and (G,), numbers or names; -1 is junk.
        query_camids, gallery_camids: cameras, (Q,) and (G,). ``None`` for both: nothing is known of the cameras.
        own: places of the query's own image in the gallery, (Q,) or (Q, K), -1 for none; they are left out.
        chunk: queries at a time; chunk x G similarities are held, never Q x G.

    Raises:
        InputError: NaN in the features, columns of the wrong length, or no query with a match.

    Source: Zheng et al., ICCV 2015 (CMC, mAP on Market-1501); Ye et al., TPAMI 2021 (mINP).

    >>> import torch
    >>> q, g = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.1], [1.0, 0.2], [0.0, 1.0]])
    >>> s = score_ranking(q, g, [5], [6, 5, 5], [0], [1, 1, 1])         # matches at ranks 2 and 3
    >>> s.rank1, s.rank(2), round(s.map_step, 3), round(s.map_trapezoid, 3), round(s.minp, 3)
    (0.0, 1.0, 0.583, 0.417, 0.667)
    """
    rules = RankingRules.of(len(query), len(gallery), query_pids, gallery_pids, query_camids, gallery_camids, own)
    ranks: list[np.ndarray] = []
    for start, similarity in cosines(query, gallery, chunk):
        ranks += [match_ranks(row, *rules(i)) for i, row in enumerate(similarity, start)]
    seen = [r for r in ranks if len(r)]
    if not seen:
        found = f"none of the {len(ranks)} queries has a match in the gallery"
        raise InputError(found, "expected the same person by another camera", "check with: paullite data check")
    return Scores(
        cmc=np.bincount([r[0] - 1 for r in seen], minlength=len(gallery)).cumsum() / len(seen),
        map_step=float(np.mean([average_precision(r) for r in seen])),
        map_trapezoid=float(np.mean([average_precision(r, "trapezoid") for r in seen])),
        minp=float(np.mean([len(r) / r[-1] for r in seen])),
        queries=len(seen),
        lone_queries=len(ranks) - len(seen),
        first_ranks=np.array([r[0] if len(r) else 0 for r in ranks]),
        precisions=np.array([average_precision(r) if len(r) else np.nan for r in ranks]),
    )


def evaluate(
    net: nn.Module,
    dataset: ReIDDataset,
    *,
    control: Control | nn.Module | None = None,
    transform: Transform | None = None,
    batch: int = 128,
    workers: int = 0,
    team: Team | None = None,
) -> Scores:
    """Rank the gallery for every query with the network's retrieval features.

    Cosine distance, one query image at a time, no re-ranking, no averaging over flips. Without camera numbers only the
    query's own file is left out of its ranking.

    Args:
        net: a `PatchNet`, or any module that turns images into features. It works in evaluation mode on its own device,
            and is left as it was.
        dataset: its ``query`` and ``gallery`` are used.
        control: what takes the network's place, made for this network by a function of `paullite.controls`.
        transform, batch, workers, team: as in `paullite.features.extract`.

    Raises:
        InputError: no query, gallery or transform; no query with a match; or a control of another network.

    >>> import paullite as pl
    >>> scores = evaluate(pl.shipped_net(), dolls := pl.data.PaperDolls("target", identities=2, test_identities=3))
    >>> scores.queries + scores.lone_queries == len(dolls.query)
    True
    """
    return score_ranking(*ranking_inputs(net, dataset, control, transform, batch=batch, workers=workers, team=team))


def ranking_inputs(
    net: nn.Module, dataset: ReIDDataset, control: Any = None, transform: Transform | None = None, **options: Any
) -> tuple[Any, ...]:
    """What `score_ranking` and `threshold` take, (query, gallery, five columns), from what `evaluate` takes."""
    if not isinstance(net, nn.Module):
        raise InputError(f"found {type(net).__name__}", "expected a network", "of a run, pass run.net")
    if not isinstance(dataset, ReIDDataset):
        do = "use pl.data.from_items(train, query, gallery)"
        raise InputError(f"found {type(dataset).__name__}", "expected a data set with query and gallery", do)
    query, gallery = dataset.query, dataset.gallery
    if not len(query) or not len(gallery) or query.pids is None or gallery.pids is None:
        found = f"found {len(query)} query and {len(gallery)} gallery images in {dataset.name}"
        raise InputError(found, "expected both, with identities", "check the folder with: paullite data check")
    if control is None or isinstance(control, nn.Module):
        control = Control(control or net, transform)
    elif control.net is not net:
        do = "make it anew, as in: pl.controls.camera_mean(net, target)"
        raise InputError("found a control that was made for another network", "expected one of this network", do)
    features = (control.features(part, **options).flatten(1) for part in (query, gallery))
    return *features, *ranking_columns(query, gallery)


def history_scores(net: PatchNet, dataset: ReIDDataset | Split, workers: int, team: Team) -> dict[str, float]:
    """The five scores as columns of the history; none where there is no test."""
    if isinstance(dataset, Split) or not len(dataset.query) or not len(dataset.gallery):
        return {}
    return evaluate(net, dataset, workers=workers, team=team).headline()


def ranked_lists(net: PatchNet, dataset: ReIDDataset, *, top: int = 10, workers: int = 0) -> list[list[Place]]:
    """For each query the first places of its ranking, by the rules of `evaluate`."""
    q, g, *columns = ranking_inputs(net, dataset, workers=workers)
    rules = RankingRules.of(len(q), len(g), *columns)
    lists = []
    for start, similarity in cosines(q, g):
        for i, row in enumerate(similarity, start):
            match, left_out = rules(i)
            row[left_out] = -np.inf
            places = np.argsort(-row, kind="stable")[: min(top, len(row) - len(left_out))]
            lists.append(list(zip(places.tolist(), np.isin(places, match).tolist(), strict=True)))
    return lists
