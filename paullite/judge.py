"""Judge a network on a data set's test."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .data.items import ReIDDataset, Split
from .errors import InputError
from .evaluation import RankingRules, Scores, score_ranking
from .models import PatchNet
from .training import Team, extract


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


def ranked_lists(net: PatchNet, dataset: ReIDDataset, *, top: int = 10) -> list[list[tuple[int, bool]]]:
    """For each query the first places of its ranking: (place in the gallery, whether it is the same person).

    Junk and the query's own camera are left out, as in `evaluate`.
    """
    query, gallery = dataset.query, dataset.gallery
    q, g = (extract(net, part).flatten(1) for part in (query, gallery))
    rules = RankingRules.of(len(query), len(gallery), *ranking_columns(query, gallery))
    lists = []
    for i, row in enumerate(q @ g.T):
        matches, left_out = rules(i)
        row[torch.as_tensor(left_out, dtype=torch.long)] = -torch.inf
        places = row.argsort(descending=True, stable=True)[:top].tolist()
        lists.append([(place, place in set(matches.tolist())) for place in places])
    return lists
