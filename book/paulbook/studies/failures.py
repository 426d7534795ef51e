"""Where the method fails, on drawn people: what is on a picture is known, so errors can be counted by it.

Every function takes networks or their features (`rankings.features_of`); with features, one pass serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from paullite.app.pictures import RIGHT, ranked_row, show_image
from paullite.data.paperdolls.dataset import PaperDolls, Picture
from paullite.errors import InputError, nearest_names
from paullite.models import PatchNet

from .rankings import Features, Ranking, rankings

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

Row = dict[str, str | int | float]
Same = Callable[[Picture, Picture], bool]  # whether two pictures share something


def breakdown(net: PatchNet | Features, dataset: PaperDolls, by: str) -> list[Row]:
    """Rank-1 and mAP of the queries in groups.

    Args:
        net: network, or features from `rankings.features_of`.
        dataset: drawn people.
        by: "camera pair", "view", "garment" or "occluder"; see `by_camera_pair` and the others.

    Returns:
        A row for each group: what the groups are made by, the group, how many queries were scored in it, rank-1 and
        mAP (step), both in 0..1. Queries without a match are in no group. Small groups say little.

    Raises:
        InputError: another word for ``by``.

    >>> import torch
    >>> dolls = PaperDolls("target", identities=2, test_identities=3)
    >>> same = torch.ones(len(dolls.query), 4), torch.ones(len(dolls.gallery), 4)
    >>> rows = breakdown(same, dolls, "view")
    >>> rows[0]["by"], sum(row["queries"] for row in rows if row["by"] == "view") == len(dolls.query)
    ('view', True)
    """
    ways = {"camera pair": by_camera_pair, "view": by_view, "garment": by_garment, "occluder": by_occluder}
    if by not in ways:
        near = nearest_names(by, ways)
        raise InputError(f"found by={by!r}", f"expected one of: {', '.join(ways)}", f"nearest: {near}")
    return ways[by](rankings(net, dataset), dataset)


def by_camera_pair(ranked: Sequence[Ranking], dataset: PaperDolls) -> list[Row]:
    """Query camera and gallery camera: the gallery has the pictures of that one camera alone.

    It is smaller than usual, and has nothing from the query's own camera: do not compare with the whole test. A query
    counts in each pair in which it has a match. One camera with itself is no pair.
    """
    cameras = np.array(dataset.gallery.camids)
    groups = [
        (f"{item.camid} to {camera}", ranking.within(cameras == camera))
        for ranking, item in zip(ranked, dataset.query, strict=True)
        for camera in np.unique(cameras)
    ]
    return _rows("camera pair", groups)


def by_view(ranked: Sequence[Ranking], dataset: PaperDolls) -> list[Row]:
    """What the query shows of the person (front, back, left, right); and whether its matches show the same.

    "view of the matches" asks whether any match shows the query's view, which the data alone decide. "view of the
    nearest match" asks it of the match that is ranked first, which the network chose: read it as a description.
    """
    pictures = _query_pictures(dataset)
    views = np.array([_view(dataset.pictures[path]) for path in dataset.gallery.paths])
    any_same, first_same = [], []
    for ranking, picture in zip(ranked, pictures, strict=True):
        same = views[ranking.places[ranking.right]] == _view(picture)  # matches, best first
        any_same.append(("one shows the same" if same.any() else "all show another", ranking))
        first_same.append(("same" if same[:1].any() else "another", ranking))
    return (
        _rows("view", zip(map(_view, pictures), ranked, strict=True))
        + _rows("view of the matches", any_same)
        + _rows("view of the nearest match", first_same)
    )


def by_garment(ranked: Sequence[Ranking], dataset: PaperDolls) -> list[Row]:
    """What the query's person wears: the pattern and the colour of the upper garment, and the bag."""
    asked = [picture.look for picture in _query_pictures(dataset)]
    columns = {
        "upper pattern": [look.pattern for look in asked],
        "upper colour": [look.upper for look in asked],
        "bag": [look.bag for look in asked],
    }
    return [row for by, groups in columns.items() for row in _rows(by, zip(groups, ranked, strict=True))]


def by_occluder(ranked: Sequence[Ranking], dataset: PaperDolls) -> list[Row]:
    """What stands in front of the query's person: nothing, pole, low wall, bush or passer-by."""
    groups = [picture.shot.occluder or "nothing" for picture in _query_pictures(dataset)]
    return _rows("occluder", zip(groups, ranked, strict=True))


def _query_pictures(dataset: PaperDolls) -> list[Picture]:
    return [dataset.pictures[path] for path in dataset.query.paths]


def _view(picture: Picture) -> str:
    return picture.shot.pose.view if picture.shot.pose else "nobody"


def _rows(by: str, groups: Iterable[tuple[str, Ranking]]) -> list[Row]:
    found: dict[str, list[Ranking]] = {}
    for group, ranking in groups:
        if ranking.right.any():
            found.setdefault(group, []).append(ranking)
    return [{"by": by, "group": group, **_scores(found[group])} for group in sorted(found)]


def _scores(group: Sequence[Ranking]) -> dict[str, int | float]:
    rank1 = float(np.mean([ranking.right[0] for ranking in group]))
    precision = float(np.mean([ranking.precision for ranking in group]))
    return {"queries": len(group), "rank1": round(rank1, 6), "map_step": round(precision, 6)}


def twins(net: PatchNet | Features, dataset: PaperDolls) -> list[Row]:
    """Of the wrong first places, how many show somebody in the query's colours, against chance.

    Chance is the share of the other people in the gallery, distractors too and each counted once, who have those
    colours; averaged over the same queries. "upper colour" and "lower colour" include "both".

    Returns:
        Three rows: what is shared, the number of wrong first places, the share of them, and chance. None if every
        first place is right.
    """
    people = {picture.look: picture for picture in _people(dataset)}  # no two have one look
    shared: dict[str, Same] = {
        "upper colour": lambda p, q: p.look.upper == q.look.upper,
        "lower colour": lambda p, q: p.look.lower_colour == q.look.lower_colour,
        "both": lambda p, q: (p.look.upper, p.look.lower_colour) == (q.look.upper, q.look.lower_colour),
    }
    return _against_chance(shared, _wrong_firsts(net, dataset), list(people.values()))


def same_scene(net: PatchNet | Features, dataset: PaperDolls) -> list[Row]:
    """Of the wrong first places, how many were taken by the query's own camera, and how many show its view.

    A right answer never comes from the query's own camera, so every place that this camera takes is an error. Chance
    is the share of such pictures among all of the other people in the gallery.

    Returns:
        Two rows, "camera" and "view", with the columns of `twins`.
    """
    shared: dict[str, Same] = {"camera": lambda p, q: p.camid == q.camid, "view": lambda p, q: _view(p) == _view(q)}
    return _against_chance(shared, _wrong_firsts(net, dataset), _people(dataset))


def _people(dataset: PaperDolls) -> list[Picture]:
    """The gallery's pictures without junk."""
    rows = zip(dataset.gallery.paths, dataset.gallery.pids or (), strict=True)
    return [dataset.pictures[path] for path, pid in rows if pid != -1]


def _wrong_firsts(net: PatchNet | Features, dataset: PaperDolls) -> list[tuple[Picture, Picture]]:
    """Query and first place, where that is somebody else."""
    return [
        (picture, dataset.pictures[dataset.gallery.paths[ranking.places[0]]])
        for ranking, picture in zip(rankings(net, dataset), _query_pictures(dataset), strict=True)
        if ranking.right.any() and not ranking.right[0]
    ]


def _against_chance(
    shared: Mapping[str, Same],
    wrong: Sequence[tuple[Picture, Picture]],
    others: Sequence[Picture],
) -> list[Row]:
    rows: list[Row] = []
    for name, same in shared.items() if wrong else ():
        share = np.mean([same(asked, first) for asked, first in wrong])
        rates = [np.mean([same(asked, p) for p in others if p.look != asked.look]) for asked, _ in wrong]
        rows.append({"shared": name, "wrong_first_places": len(wrong), "share": round(float(share), 6)})
        rows[-1]["chance"] = round(float(np.mean(rates)), 6)
    return rows


@dataclass(frozen=True)
class Worst:
    """Places of queries in the query split, the worst first.

    Attributes:
        lowest: those with the lowest average precision afterwards.
        lost: those whose average precision fell most; fewer if fewer fell.
    """

    lowest: list[int]
    lost: list[int]


def worst_queries(before: PatchNet | Features, after: PatchNet | Features, dataset: PaperDolls, count: int) -> Worst:
    """The queries that are found worst, and those that the training made worse.

    Args:
        before, after: networks or features.
        dataset: drawn people.
        count: how many of each at most.
    """
    old, new = (np.array([r.precision for r in rankings(net, dataset)]) for net in (before, after))
    order = np.argsort(new, kind="stable")  # NaN, a query without a match, comes last
    change = np.argsort(new - old, kind="stable")
    return Worst(
        [int(i) for i in order[:count] if not np.isnan(new[i])], [int(i) for i in change[:count] if new[i] < old[i]]
    )


def draw_worst(
    before: PatchNet | Features, after: PatchNet | Features, dataset: PaperDolls, places: Sequence[int], *, top: int = 5
) -> Figure:
    """For each of some queries: the query, its best match with the rank of it, and the first of its ranking.

    Right answers have a blue frame and a tick, wrong ones an orange frame and a cross. Match and ranking are those of
    ``after``; the heading gives the average precision (step) with both, the camera, the view and what is in front.

    Args:
        before, after: networks or features.
        dataset: drawn people.
        places: queries with a match, for instance from `worst_queries`.
        top: places shown of each ranking.

    Raises:
        InputError: no query, or one without a match.
    """
    from matplotlib.figure import Figure

    old, new = rankings(before, dataset), rankings(after, dataset)
    lone = [place for place in places if not new[place].right.any()]
    if lone or not len(places):
        raise InputError(f"found queries {list(places)}, {len(lone)} without a match", "expected some, each with one")
    figure = Figure(figsize=(6.4, 2.1 * len(places)), layout="constrained", facecolor="white")
    for part, place in zip(figure.subfigures(len(places), 1, squeeze=False).flat, places, strict=True):
        heading = f"AP {old[place].precision:.1%} → {new[place].precision:.1%}   {_in_words(dataset, place)}"
        part.suptitle(heading, x=0.01, ha="left", fontsize=10)
        _draw_ranking(part, dataset, place, new[place], top)
    return figure


def _in_words(dataset: PaperDolls, place: int) -> str:
    picture = dataset.pictures[dataset.query.paths[place]]
    front = f", {picture.shot.occluder} in front" if picture.shot.occluder else ""
    return f"camera {picture.camid}, {_view(picture)} view{front}"


def _draw_ranking(part: SubFigure, dataset: PaperDolls, place: int, ranking: Ranking, top: int) -> None:
    query, match, *row = part.subplots(1, top + 2)
    show_image(query, dataset.query[place].image, "query")
    rank = int(ranking.ranks[0])
    show_image(match, dataset.gallery[int(ranking.places[rank - 1])].image, f"match: {rank} ✓", RIGHT)
    shown = zip(ranking.places[:top].tolist(), ranking.right[:top].tolist(), strict=True)
    ranked_row(row, dataset.gallery, list(shown))
