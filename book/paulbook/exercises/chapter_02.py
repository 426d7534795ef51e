"""Exercises of chapter 2: a split without leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..agreement import Draw, agrees
from ..exercise import Exercise, expect

Row = tuple[str, int, int, str]  # path, pid, camid, fingerprint of the pixels
FindLeak = Callable[[list[Row], list[Row], list[Row]], Any]
ChooseQueries = Callable[[Sequence[int], Sequence[int]], Any]


def find_leak(train: list[Row], query: list[Row], gallery: list[Row]) -> tuple[set[int], set[str]]:
    """People in training and test, and pictures in more than one split: the book's own answer."""
    test = query + gallery
    people = {row[1] for row in train} & {row[1] for row in test} - {-1, 0}
    a, b, c = ({row[3] for row in rows} for rows in (train, query, gallery))
    return people, (a & b) | (a & c) | (b & c)


def sound_split(
    train: Iterable[Row] = (), query: Iterable[Row] = (), gallery: Iterable[Row] = ()
) -> tuple[list[Row], list[Row], list[Row]]:
    """Training, query and gallery without a leak, with these rows added: a property adds one thing at a time."""
    rows = [
        ("train/a.png", 1, 0, "p1"), ("train/b.png", 1, 1, "p2"), ("train/c.png", 2, 0, "p3"),
        ("query/d.png", 8, 10, "p4"), ("query/e.png", 9, 11, "p5"),
        ("gallery/f.png", 8, 11, "p6"), ("gallery/g.png", 9, 10, "p7"), ("gallery/h.png", 0, 10, "p8"),
        ("gallery/i.png", -1, 11, "p9"),
    ]  # fmt: skip
    return [*rows[:3], *train], [*rows[3:5], *query], [*rows[5:], *gallery]


def _found(
    answer: FindLeak, train: Iterable[Row] = (), query: Iterable[Row] = (), gallery: Iterable[Row] = ()
) -> tuple[set[int], set[str]]:
    """What the answer finds in the sound split with these rows added, as two sets."""
    people, pictures = answer(*sound_split(train, query, gallery))
    return set(people), set(pictures)


def two_collections(answer: FindLeak) -> None:
    """A pair of collections."""
    result = answer(*sound_split(train=[("train/x.png", 8, 0, "p20")]))
    pair = isinstance(result, (tuple, list)) and len(result) == 2
    expect(pair, "Return two things, people and pictures, so that the reader can go and look at each.")
    whole = all(hasattr(part, "__iter__") and not isinstance(part, str) for part in result)
    expect(whole, "Numbers say that something is wrong, not what. Return the people and the pictures themselves.")
    expect(8 not in set(result[1]), "People come first, pictures second. Yours are the other way round.")


def the_test_shares_its_people(answer: FindLeak) -> None:
    """People in query and gallery are no leak."""
    hint = "People 8 and 9 are query and gallery, not training. That is no leak: without them no query has a match."
    expect(not _found(answer)[0] & {8, 9}, hint)


def cameras_may_be_shared(answer: FindLeak) -> None:
    """The same camera in training and test is no leak."""
    rows = [("gallery/x.png", 9, 1, "p20")]
    hint = "Camera 1 has pictures in training and test, and nobody is in both. Which column holds the person?"
    expect(not _found(answer, gallery=rows)[0], hint)


def junk_is_nobody(answer: FindLeak) -> None:
    """-1 in training and gallery is no leak."""
    hint = "Junk in training and in the gallery: different pictures of nobody. Leave -1 out."
    expect(-1 not in _found(answer, train=[("train/x.png", -1, 0, "p20")])[0], hint)


def distractors_are_many(answer: FindLeak) -> None:
    """0 in training and gallery is no leak."""
    hint = "0 stands for many different people, so the same 0 on both sides says nothing. Leave it out too."
    expect(0 not in _found(answer, train=[("train/x.png", 0, 0, "p20")])[0], hint)


def people_of_the_test(answer: FindLeak) -> None:
    """A training person in query, in gallery, or in both."""
    everywhere = _found(answer, query=[("query/x.png", 2, 11, "p20")], gallery=[("gallery/x.png", 2, 10, "p21")])[0]
    expect(2 in everywhere, "Person 2 is in training, query and gallery, and you do not report 2.")
    late = _found(answer, gallery=[("gallery/x.png", 1, 10, "p20")])[0]
    early = _found(answer, query=[("query/x.png", 2, 11, "p20")])[0]
    both = "Person 1 is in training and gallery without a query: a leak. One of the two test lists is enough."
    expect(bool(late or early), both)
    expect(1 in late, "Person 1 is in training and gallery, but no query. Is the gallery not part of your test?")
    expect(2 in early, "Person 2 is in training and is a query, but not in the gallery. Do you look at the queries?")


def repeats_do_no_harm(answer: FindLeak) -> None:
    """The same picture twice in training is no leak."""
    rows = [("train/copy of a.png", 1, 0, "p1")]
    hint = "A picture twice in training is a waste, not a leak. Compare the splits with each other."
    expect(not _found(answer, train=rows)[1], hint)


def names_prove_nothing(answer: FindLeak) -> None:
    """The same file name in two folders, with other pixels."""
    rows = [("gallery/a.png", 9, 10, "p20")]
    hint = "train/a.png and gallery/a.png are different pictures with the same file name. Look at the pixels."
    expect(not _found(answer, gallery=rows)[1], hint)


def pictures_of_all_pairs(answer: FindLeak) -> None:
    """The same pixels in any two splits, under another name."""
    in_gallery = _found(answer, gallery=[("gallery/new name.png", 9, 11, "p5")])[1]
    in_training = _found(answer, train=[("train/new name.png", 8, 1, "p6"), ("train/other.png", 8, 1, "p4")])[1]
    thrice = _found(
        answer, query=[("query/new name.png", 8, 11, "p1")], gallery=[("gallery/new name.png", 8, 10, "p1")]
    )
    all_or_none = "p1" in thrice[1] and not in_gallery and not in_training
    expect(not all_or_none, "You report a picture only if it is in all three splits. Being in two of them is enough.")
    hint = "A picture was copied from one split into another and renamed, and you do not see it. Paths can lie."
    expect(bool(in_gallery or in_training), hint)
    named = {part for part in in_gallery | in_training if "/" in str(part)}
    expect(not named, "Give the pixels' fingerprint, the fourth column: one picture has two paths.")
    twice = "A query's own pixels lie in the gallery under another name, so its first place is a gift. You miss it."
    expect("p5" in in_gallery, twice)
    trained = "Pictures of query and gallery were also learned from, under another name. You miss them."
    expect({"p4", "p6"} <= in_training, trained)


def pictures_of_anybody(answer: FindLeak) -> None:
    """Junk, distractors and wrong identities count as pictures."""
    junk = _found(answer, train=[("train/x.png", -1, 0, "p9")])[1]
    expect("p9" in junk, "Junk is nobody, but its picture is still a picture: one of them lies in two splits.")
    other = _found(answer, gallery=[("gallery/x.png", 9, 10, "p3")])[1]
    hint = "The same pixels, once as person 2 and once as person 9: still the same picture. Compare pixels alone."
    expect("p3" in other, hint)


def choose_queries(pids: Sequence[int], camids: Sequence[int]) -> list[int]:
    """The first picture of every track whose person another camera saw too: the book's own answer."""
    cameras: dict[int, set[int]] = {}
    first: dict[tuple[int, int], int] = {}
    for place, (pid, camid) in enumerate(zip(pids, camids, strict=True)):
        cameras.setdefault(pid, set()).add(camid)
        first.setdefault((pid, camid), place)
    return [place for (pid, _), place in first.items() if pid > 0 and len(cameras[pid]) > 1]


# Two people, two or three cameras, tracks of two or three pictures, one after the other; then someone seen once.
PIDS = (3, 3, 3, 3, 3, 5, 5, 5, 5, 5, 5)
CAMIDS = (0, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2)
EXTRA_PIDS, EXTRA_CAMIDS = (-1, 3, 0, 3, 5, -1, 3, 0, 5, 3), (0, 0, 1, 1, 0, 1, 0, 0, 1, 1)  # all mixed
Track = tuple[int, int]


def _chosen(answer: ChooseQueries, pids: Sequence[int], camids: Sequence[int]) -> list[int]:
    return [int(place) for place in answer(list(pids), list(camids))]


def _tracks(places: Iterable[int], pids: Sequence[int], camids: Sequence[int]) -> list[Track]:
    """The tracks of the places; a place outside the list has none."""
    return sorted((pids[place], camids[place]) for place in places if 0 <= place < len(pids))


def places_in_the_list(answer: ChooseQueries) -> None:
    """Whole numbers, counted from 0, and the queries rather than the rest."""
    result = list(answer(list(EXTRA_PIDS), list(EXTRA_CAMIDS)))
    logical = all(str(part) in ("True", "False") for part in result)
    expect(not logical, "Return the places of the queries, such as [0, 4], not True or False for every picture.")
    numbers = all(not hasattr(part, "__len__") for part in result)
    expect(numbers, "Your list holds tracks. Asked for is where in the list their query stands: whole numbers.")
    places, want = [int(place) for place in result], [(3, 0), (3, 1), (5, 0), (5, 1)]
    before = _tracks([place - 1 for place in places], EXTRA_PIDS, EXTRA_CAMIDS)
    right = _tracks(places, EXTRA_PIDS, EXTRA_CAMIDS) == want
    expect(right or before != want, "Each of your places is one too high. Python counts from 0.")
    rest = _tracks(set(range(len(EXTRA_PIDS))) - set(places), EXTRA_PIDS, EXTRA_CAMIDS)
    expect(right or rest != want, "These are the pictures that stay in the gallery. Return the others.")


def nobody_is_asked_for(answer: ChooseQueries) -> None:
    """Junk and distractors are never queries."""
    pids, camids = (*PIDS, -1, -1, -1, 0, 0, 0), (*CAMIDS, 0, 0, 1, 0, 0, 1)
    asked = {pids[place] for place in _chosen(answer, pids, camids)}
    expect(-1 not in asked, "A query is junk (-1). Nobody can be found who is not there.")
    expect(0 not in asked, "A query has pid 0. Distractors are different people: as queries they have no match.")


def there_is_a_match(answer: ChooseQueries) -> None:
    """Whom one camera alone saw is no query."""
    pids, camids = (*PIDS, 7, 7, 7), (*CAMIDS, 2, 2, 2)
    asked = {pids[place] for place in _chosen(answer, pids, camids)}
    expect(7 not in asked, "Person 7 was seen by one camera alone, so this query can never have a match.")


def one_of_each_track(answer: ChooseQueries) -> None:
    """Exactly one query a track."""
    places = _chosen(answer, PIDS, CAMIDS)
    tracks = _tracks(places, PIDS, CAMIDS)
    expect(len(set(places)) < len(PIDS), "Every picture is a query, and nothing is left in the gallery to be found.")
    by_person = [[track[0] for track in tracks].count(pid) for pid in (3, 5)]
    expect(by_person != [1, 1], "One query a person. Each camera that saw the person should ask once: one a track.")
    expect(
        min(by_person) > 1, f"{3 if by_person[0] < 2 else 5} was seen by several cameras and does not ask from each."
    )
    expect(
        len(set(tracks)) == len(tracks), "A track asks twice. Its pictures are nearly the same: one query is enough."
    )
    expect(len(tracks) == 5, f"There are 5 tracks here and {len(tracks)} of them have a query.")


def order_does_not_matter(answer: ChooseQueries) -> None:
    """Tracks need not lie together in the list."""
    tracks = _tracks(_chosen(answer, EXTRA_PIDS, EXTRA_CAMIDS), EXTRA_PIDS, EXTRA_CAMIDS)
    hint = "With the same pictures in another order you choose more queries. A track's pictures need not be neighbours."
    expect(tracks == [(3, 0), (3, 1), (5, 0), (5, 1)], hint)


def counted_leaks(train: list[Row], query: list[Row], gallery: list[Row]) -> tuple[set[int], set[str]]:
    """The same by counting in how many splits a picture is, and by asking for each person of the training."""
    splits = Counter(picture for rows in (train, query, gallery) for picture in {row[3] for row in rows})
    tested = {row[1] for row in [*query, *gallery]}
    people = {row[1] for row in train if row[1] > 0 and row[1] in tested}
    return people, {picture for picture, count in splits.items() if count > 1}


def some_split(draw: Draw) -> tuple[list[Row], ...]:
    """Three splits of unequal length, with some people and some pictures in two or three of them, or twice in one."""

    def row(place: int) -> Row:
        return f"{place}.png", int(draw.integers(-1, 14)), int(draw.integers(4)), f"p{draw.integers(25)}"

    return tuple([row(place) for place in range(length)] for length in (9, 5, 7))


def tracks_that_ask(pids: Sequence[int], camids: Sequence[int]) -> list[Track]:
    """All tracks of people with two cameras or more."""
    tracks = set(zip(pids, camids, strict=True))
    cameras = Counter(pid for pid, _ in tracks)
    return sorted(track for track in tracks if track[0] > 0 and cameras[track[0]] > 1)


def asked_tracks(found: Any, pids: Sequence[int], camids: Sequence[int]) -> list[Track]:
    """The tracks of an answer's places; those of the library as they are."""
    whole = list(found)
    return whole if whole and isinstance(whole[0], tuple) else _tracks(map(int, whole), pids, camids)


def some_tracks(draw: Draw) -> tuple[list[int], list[int]]:
    """Seven people with one to five cameras, and two to four pictures a track; junk and distractors; all shuffled."""
    rows = [(-1, 0)] * 3 + [(0, camid) for camid in (0, 1, 1)]
    for pid, cameras in enumerate(draw.permutation([1, 2, 3, 4, 5, 1, 4]), start=1):
        for camid in draw.permutation(6)[:cameras]:
            rows += [(pid, int(camid))] * int(draw.integers(2, 5))
    shuffled = [rows[place] for place in draw.permutation(len(rows))]
    return [pid for pid, _ in shuffled], [camid for _, camid in shuffled]


EXERCISES = (
    Exercise(
        "find_leak",
        2,
        find_leak,
        (
            two_collections,
            the_test_shares_its_people,
            cameras_may_be_shared,
            junk_is_nobody,
            distractors_are_many,
            people_of_the_test,
            repeats_do_no_harm,
            names_prove_nothing,
            pictures_of_all_pairs,
            pictures_of_anybody,
            agrees(counted_leaks, some_split, view=lambda found, *_: tuple(map(set, found))),
        ),
        example=sound_split,
        plain=True,
    ),
    Exercise(
        "choose_queries",
        2,
        choose_queries,
        (
            places_in_the_list,
            nobody_is_asked_for,
            there_is_a_match,
            one_of_each_track,
            order_does_not_matter,
            agrees(tracks_that_ask, some_tracks, view=asked_tracks),
        ),
        example=lambda: (list(PIDS), list(CAMIDS)),
        plain=True,
    ),
)
