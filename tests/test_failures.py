"""The study of failures counts right: against slow loops, on features made up for the purpose."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from paulbook.studies import failures
from paulbook.studies.rankings import Features, features_of, rankings
from PIL import Image

import paullite as pl
from paullite.app import pictures
from paullite.data import PaperDolls
from paullite.errors import InputError
from paullite.evaluation import ranking_columns, score_ranking

Slow = tuple[int, list[int], list[int]]
WAYS = ("camera pair", "view", "garment", "occluder")


@pytest.fixture(scope="module")
def people() -> PaperDolls:
    """Enough drawn people that every kind of error is among them."""
    return PaperDolls("target", identities=2, test_identities=16, distractors=6, junk=8, size=(64, 32))


def noisy(dolls: PaperDolls, noise: float, seed: int = 0) -> Features:
    """Features of which people, cameras and chance have each a share."""
    rng = torch.Generator().manual_seed(seed)
    person, camera = torch.randn(9999, 12, generator=rng), torch.randn(99, 12, generator=rng)

    def made(split: pl.data.Split) -> torch.Tensor:
        own = person[list(split.pids or ())] + 0.4 * camera[list(split.camids or ())]
        return own + noise * torch.randn(len(split), 12, generator=rng)

    return made(dolls.query), made(dolls.gallery)


def slow(features: Features, dolls: PaperDolls, camera: int | None = None) -> Iterator[Slow]:
    """For each query: its place, the gallery's places by similarity, and the ranks of its matches; by plain loops."""
    for i, item in enumerate(dolls.query):
        likeness = {}
        for j, other in enumerate(dolls.gallery):
            junk = other.pid == -1
            blind = other.pid == item.pid and other.camid == item.camid
            if not junk and not blind and camera in (None, other.camid):
                likeness[j] = float(torch.cosine_similarity(features[0][i], features[1][j], dim=0))
        order = sorted(likeness, key=lambda j: -likeness[j])
        yield i, order, [r for r, j in enumerate(order, start=1) if dolls.gallery[j].pid == item.pid]


def average(ranks: list[int]) -> float:
    return sum(i / r for i, r in enumerate(ranks, start=1)) / len(ranks)


def slow_rows(by: str, groups: dict[str, list[list[int]]]) -> list[dict[str, object]]:
    return [
        {
            "by": by,
            "group": name,
            "queries": len(lists),
            "rank1": pytest.approx(sum(ranks[0] == 1 for ranks in lists) / len(lists), abs=1e-6),
            "map_step": pytest.approx(sum(map(average, lists)) / len(lists), abs=1e-6),
        }
        for name, lists in sorted(groups.items())
    ]


def test_rankings_are_those_of_the_judge(people: PaperDolls, net: pl.PatchNet) -> None:
    features = features_of(net, people)
    scores = score_ranking(*features, *ranking_columns(people.query, people.gallery))
    ranked = rankings(net, people)
    assert [r.precision for r in ranked] == pytest.approx(scores.precisions.tolist(), nan_ok=True)
    assert [r.ranks[0] for r in ranked] == scores.first_ranks.tolist()
    assert features_of(features, people) is features


def test_rankings_agree_with_a_slow_loop(people: PaperDolls) -> None:
    features = noisy(people, 1.2)
    ranked = rankings(features, people)
    assert 0.2 < np.mean([r.right[0] for r in ranked]) < 0.8  # there are errors to count
    for i, order, ranks in slow(features, people):
        assert ranked[i].places.tolist() == order and ranked[i].ranks.tolist() == ranks


def test_camera_pairs_agree_with_a_slow_loop(people: PaperDolls) -> None:
    features = noisy(people, 1.2)
    groups: dict[str, list[list[int]]] = {}
    for camera in set(people.gallery.camids or ()):
        for i, _, ranks in slow(features, people, camera):
            if ranks:
                groups.setdefault(f"{people.query[i].camid} to {camera}", []).append(ranks)
    rows = failures.breakdown(features, people, "camera pair")
    assert rows == slow_rows("camera pair", groups)
    assert len(rows) == 12 and not any(len(set(str(row["group"]).split(" to "))) == 1 for row in rows)


def test_view_garment_and_occluder_agree_with_slow_loops(people: PaperDolls) -> None:
    features = noisy(people, 1.2)
    found = {row["by"]: [] for way in WAYS for row in failures.breakdown(features, people, way)}
    for way in WAYS:
        for row in failures.breakdown(features, people, way):
            found[row["by"]].append(row)
    wanted: dict[str, dict[str, list[list[int]]]] = {name: {} for name in found if name != "camera pair"}

    def add(by: str, group: str, ranks: list[int]) -> None:
        wanted[by].setdefault(group, []).append(ranks)

    for i, order, ranks in slow(features, people):
        picture = people.pictures[people.query[i].path]
        views = [people.pictures[people.gallery[order[r - 1]].path].shot.pose.view for r in ranks]
        mine = picture.shot.pose.view
        add("view", mine, ranks)
        add("view of the matches", "one shows the same" if mine in views else "all show another", ranks)
        add("view of the nearest match", "same" if views[0] == mine else "another", ranks)
        add("upper pattern", picture.look.pattern, ranks)
        add("upper colour", picture.look.upper, ranks)
        add("bag", picture.look.bag, ranks)
        add("occluder", picture.shot.occluder or "nothing", ranks)
    for by, groups in wanted.items():
        assert found[by] == slow_rows(by, groups), by
        assert len(groups) > 1, by  # all in one group would test nothing
        assert sum(int(row["queries"]) for row in found[by]) == len(people.query)


def test_a_query_without_a_match_is_in_no_group(people: PaperDolls) -> None:
    alone = people.query[0].pid
    keep = [j for j, item in enumerate(people.gallery) if item.pid != alone]
    query, gallery = noisy(people, 1.2)
    fewer = Fewer(people, people.gallery.take(keep))
    features = query, gallery[keep]
    count = sum(item.pid != alone for item in people.query)
    assert sum(int(row["queries"]) for row in failures.breakdown(features, fewer, "occluder")) == count
    scores = score_ranking(*features, *ranking_columns(fewer.query, fewer.gallery))
    worst = failures.worst_queries(features, features, fewer, len(people.query))
    assert len(worst.lowest) == count == scores.queries and worst.lost == []
    with pytest.raises(InputError, match="1 without a match"):
        failures.draw_worst(features, features, fewer, [0])


class Fewer(PaperDolls):
    """The same drawn people with a smaller gallery."""

    def __init__(self, dolls: PaperDolls, gallery: pl.data.Split) -> None:
        for name, value in (("query", dolls.query), ("gallery", gallery), ("pictures", dolls.pictures)):
            object.__setattr__(self, name, value)


def test_twins_and_scenes_agree_with_slow_loops(people: PaperDolls) -> None:
    features = noisy(people, 1.2)
    names = ("upper colour", "lower colour", "both", "camera", "view")
    found, chance = ({name: [] for name in names} for _ in range(2))

    def shared(p: object, q: object) -> dict[str, bool]:
        upper, lower = p.look.upper == q.look.upper, p.look.lower_colour == q.look.lower_colour
        view = bool(p.shot.pose and q.shot.pose and p.shot.pose.view == q.shot.pose.view)
        return dict(zip(names, (upper, lower, upper and lower, p.camid == q.camid, view), strict=True))

    for i, order, ranks in slow(features, people):
        if ranks[0] == 1:
            continue
        asked = people.pictures[people.query[i].path]
        strangers, shots = {}, []
        for item in people.gallery:
            if item.pid not in (-1, people.query[i].pid):
                strangers[str(people.pictures[item.path].look)] = people.pictures[item.path]
                shots.append(people.pictures[item.path])
        assert len(strangers) == 16 + 6 - 1  # distractors share a number, and are several people
        first = shared(asked, people.pictures[people.gallery[order[0]].path])
        for name in names:
            pool = shots if name in ("camera", "view") else list(strangers.values())
            found[name].append(first[name])
            chance[name].append(np.mean([shared(asked, other)[name] for other in pool]))
    rows = failures.twins(features, people) + failures.same_scene(features, people)
    assert [row["shared"] for row in rows] == list(names)
    for row in rows:
        name = row["shared"]
        assert row["wrong_first_places"] == len(found[name]) > 10
        assert row["share"] == pytest.approx(np.mean(found[name]), abs=1e-6)
        assert row["chance"] == pytest.approx(np.mean(chance[name]), abs=1e-6)


def test_features_that_see_colours_alone_err_with_twins(people: PaperDolls) -> None:
    looks = [[people.pictures[path].look for path in split.paths] for split in (people.query, people.gallery)]
    kinds = sorted({(look.upper, look.lower_colour) for part in looks for look in part})
    q, g = ([kinds.index((look.upper, look.lower_colour)) for look in part] for part in looks)
    upper, lower, both = failures.twins((torch.eye(len(kinds))[q], torch.eye(len(kinds))[g]), people)
    assert upper["share"] == lower["share"] == both["share"] == 1
    assert max(upper["chance"], lower["chance"]) < 0.5


def test_a_camera_that_is_seen_makes_errors_in_its_own_pictures(people: PaperDolls) -> None:
    cameras = sorted(set(people.gallery.camids or ()))
    q, g = (torch.eye(4)[[cameras.index(c) for c in split.camids or ()]] for split in (people.query, people.gallery))
    camera, _ = failures.same_scene((q, g), people)
    assert camera["wrong_first_places"] == len(people.query) and camera["share"] == 1
    assert 0.2 < camera["chance"] < 0.3  # four cameras
    assert {row["rank1"] for row in failures.breakdown((q, g), people, "view")} == {0.0}


def test_no_wrong_first_place_gives_no_rows(people: PaperDolls) -> None:
    pids = sorted(set(people.gallery.pids or ()))
    person = tuple(
        torch.eye(len(pids))[[pids.index(pid) for pid in split.pids or ()]] for split in (people.query, people.gallery)
    )
    assert failures.twins(person, people) == failures.same_scene(person, people) == []
    assert all(row["rank1"] == row["map_step"] == 1 for row in failures.breakdown(person, people, "garment"))


def test_worst_queries_are_the_lowest_and_those_that_fell_most(people: PaperDolls) -> None:
    before, after = noisy(people, 0.6, seed=1), noisy(people, 2.0, seed=2)
    old, new = ([average(ranks) for _, _, ranks in slow(features, people)] for features in (before, after))
    worst = failures.worst_queries(before, after, people, 5)
    assert worst.lowest == sorted(range(len(new)), key=lambda i: new[i])[:5]
    assert worst.lost == sorted(range(len(new)), key=lambda i: new[i] - old[i])[:5]
    every = failures.worst_queries(before, after, people, len(new))
    assert set(every.lost) == {i for i in range(len(new)) if new[i] < old[i]} != set(range(len(new)))


def pixels(figure: Figure) -> np.ndarray:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=80, format="png")
    return np.asarray(Image.open(buffer).convert("RGB")).astype(int)


def share_of(picture: np.ndarray, colour: str) -> float:
    wanted = np.array([round(255 * c) for c in to_rgb(colour)])
    return float((np.abs(picture - wanted).sum(-1) < 30).mean())


def test_the_gallery_shows_what_the_ranking_says(people: PaperDolls) -> None:
    before, after = noisy(people, 0.6, seed=1), noisy(people, 2.0, seed=2)
    places = failures.worst_queries(before, after, people, 2).lost
    figure = failures.draw_worst(before, after, people, places, top=3)
    old, new = rankings(before, people), rankings(after, people)
    for part, i in zip(figure.subfigs, places, strict=True):
        picture = people.pictures[people.query.paths[i]]
        heading = part.get_suptitle()
        assert heading.startswith(f"AP {old[i].precision:.1%} → {new[i].precision:.1%} ")
        assert f"camera {picture.camid}, {picture.shot.pose.view} view" in heading
        assert heading.endswith(f"{picture.shot.occluder} in front" if picture.shot.occluder else "view")
        query, match, *row = part.axes
        shown = [people.query[i].image] + [
            people.gallery[int(j)].image for j in (new[i].places[new[i].ranks[0] - 1], *new[i].places[:3])
        ]
        for axes, image in zip(part.axes, shown, strict=True):
            assert np.array_equal(axes.images[0].get_array(), np.asarray(image))
        assert (query.get_title(), match.get_title()) == ("query", f"match: {new[i].ranks[0]} ✓")
        marks = [f"{r} {'✓' if right else '✗'}" for r, right in enumerate(new[i].right[:3], start=1)]
        assert [axes.get_title() for axes in row] == marks
        for axes, right in zip([match, *row], [True, *new[i].right[:3]], strict=True):
            assert axes.spines["left"].get_edgecolor()[:3] == to_rgb(pictures.RIGHT if right else pictures.WRONG)
    drawn = pixels(figure)
    assert share_of(drawn, pictures.RIGHT) > 1e-3 and share_of(drawn, pictures.WRONG) > 1e-3


def test_what_cannot_be_done_is_said(people: PaperDolls) -> None:
    q, g = noisy(people, 1.0)
    with pytest.raises(InputError, match="found by='camera'; expected one of: camera pair, view.*nearest: camera pair"):
        failures.breakdown((q, g), people, "camera")
    with pytest.raises(InputError, match="NaN"):
        rankings((q * float("nan"), g), people)
    with pytest.raises(InputError, match="query_pids"):
        rankings((q[1:], g), people)
    with pytest.raises(InputError, match=r"found queries \[\]"):
        failures.draw_worst((q, g), (q, g), people, [])


def test_a_network_is_taken_as_well(people: PaperDolls, net: pl.PatchNet) -> None:
    features = features_of(net, people)
    assert failures.breakdown(net, people, "view") == failures.breakdown(features, people, "view")
    assert failures.twins(net, people) == failures.twins(features, people)
    assert failures.worst_queries(net, features, people, 3).lost == []
