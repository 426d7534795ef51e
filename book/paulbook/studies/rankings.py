"""The whole ranking of every query, worked out once and asked many times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from paullite.data.items import ReIDDataset
from paullite.errors import InputError
from paullite.evaluation import RankingRules, average_precision, ranking_columns
from paullite.features import extract
from paullite.models import PatchNet

Features = tuple[Tensor, Tensor]  # of the queries, (Q, P*D), and of the gallery, (G, P*D)


def features_of(net: PatchNet | Features, dataset: ReIDDataset) -> Features:
    """The retrieval features of a data set's test; features are handed back as they are.

    Returns:
        Queries (Q, P*D) and gallery (G, P*D).
    """
    if isinstance(net, tuple):
        return net
    return extract(net, dataset.query).flatten(1), extract(net, dataset.gallery).flatten(1)


@dataclass(frozen=True, eq=False)
class Ranking:
    """One query's ranking.

    Attributes:
        places: in the gallery, most similar first, without junk and without the query's person by its own camera.
        right: which of them are the query's person.
    """

    places: np.ndarray
    right: np.ndarray

    @property
    def ranks(self) -> np.ndarray:
        """Ranks of the matches, from 1; empty for a query that cannot be scored."""
        return np.flatnonzero(self.right) + 1

    @property
    def precision(self) -> float:
        """Average precision (step); NaN without a match."""
        return average_precision(self.ranks) if self.right.any() else float("nan")

    def within(self, keep: np.ndarray) -> Ranking:
        """The same ranking in a part of the gallery, given as (G,) bool."""
        kept = keep[self.places]
        return Ranking(self.places[kept], self.right[kept])


def rankings(net: PatchNet | Features, dataset: ReIDDataset) -> list[Ranking]:
    """The whole ranking of every query, by the rules of `paullite.evaluation.evaluate`.

    Raises:
        InputError: NaN in the features, or not one for each picture.
    """
    q, g = (F.normalize(x.to(torch.promote_types(x.dtype, torch.float32)), dim=1) for x in features_of(net, dataset))
    rules = RankingRules.of(len(q), len(g), *ranking_columns(dataset.query, dataset.gallery))
    if not (q.isfinite().all() and g.isfinite().all()):
        raise InputError("found NaN or infinity in the features", "expected finite numbers")
    order = (q @ g.T).argsort(dim=1, descending=True, stable=True).cpu().numpy()  # Q G
    return [_ranking(places, *rules(i)) for i, places in enumerate(order)]


def _ranking(places: np.ndarray, match: np.ndarray, left_out: np.ndarray) -> Ranking:
    places = places[~np.isin(places, left_out)]
    return Ranking(places, np.isin(places, match))
