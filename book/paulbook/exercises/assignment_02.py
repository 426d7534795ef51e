"""Exercises of the two-hour assignment: which camera fails, and a test of one's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from math import isclose, isnan
from typing import Any

import numpy as np

from ..agreement import Draw, agrees
from ..exercise import Exercise, Wrong, expect

Ranks = Sequence["int | None"]
Table = Callable[[Ranks, Sequence[int]], Any]
Splitter = Callable[[Sequence[int], Sequence[int], int], Any]


def rank1_by_camera(first_ranks: Ranks, camids: Sequence[int]) -> dict[int, float]:
    """Rank-1 of the queries of each camera: the book's own answer.

    >>> rank1_by_camera([1, 4, None, 1], [10, 10, 10, 11])
    {10: 0.5, 11: 1.0}
    """
    groups: dict[int, list[bool]] = {}
    for rank, camid in zip(first_ranks, camids, strict=True):
        if rank is not None:
            groups.setdefault(camid, []).append(rank == 1)
    return {camid: sum(hits) / len(hits) for camid, hits in groups.items()}


def split_people(pids: Sequence[int], camids: Sequence[int], tests: int) -> tuple[list[int], list[int]]:
    """Places of the training and of the test pictures: the book's own answer.

    >>> split_people([5, 5, 7, -1, 0], [1, 2, 1, 1, 2], tests=1)
    ([2], [0, 1, 3, 4])
    """
    cameras: dict[int, set[int]] = {}
    for pid, camid in zip(pids, camids, strict=True):
        cameras.setdefault(pid, set()).add(camid)
    chosen = [pid for pid, seen in cameras.items() if pid > 0 and len(seen) > 1][:tests]
    test = [place for place, pid in enumerate(pids) if pid in chosen or pid < 1]
    return [place for place in range(len(pids)) if place not in test], test


near = partial(isclose, abs_tol=1e-5)  # a share in single precision is a share


def table(answer: Table, ranks: Ranks, camids: Sequence[int]) -> dict[int, float]:
    """What the reader's function makes of a test.

    Raises:
        Wrong: no dictionary, or a division by zero.
    """
    try:
        found = answer(list(ranks), list(camids))
    except ZeroDivisionError:
        hint = "It divides by zero where all queries of a camera are None. Such a camera is left out."
        raise Wrong(hint) from None
    expect(isinstance(found, dict), f"It returns a {type(found).__name__}. Give a dictionary: camera, then share.")
    return {int(camid): float(share) for camid, share in found.items()}


def one_camera(answer: Table) -> None:
    """First matches at ranks 1, 3, 7 and 9: one query of four is a hit."""
    found = table(answer, [1, 3, 7, 9, 1, 1, 1], [2, 2, 2, 2, 5, 5, 5]).get(2, -1)
    said = f"First matches of one camera at ranks 1, 3, 7 and 9: its rank-1 is 0.25, yours is {found:.2f}."
    for wrong, hint in CAUSES.items():
        expect(not near(found, wrong), f"{said} {hint}")


CAUSES = {
    1: "You count the hits. Divide by the camera's queries.",
    25: "A share lies in 0..1, not in percent.",
    0: "The first place has rank 1 here, not 0.",
    0.5: "Only the first place counts, not the first five.",
    0.75: "That is the share that is not found.",
    5: "That is the mean of the ranks. Count those that are 1.",
    (1 + 1 / 3 + 1 / 7 + 1 / 9) / 4: "You average 1/rank. A first match at rank 3 is no hit at all.",
}


def cameras_apart(answer: Table) -> None:
    """Each camera has its own hits and its own number of queries."""
    found = table(answer, [1, 1, 1, 4], [1, 1, 2, 2])
    said = "Camera 1: ranks 1, 1. Camera 2: ranks 1, 4."
    both = found.get(1, -1), found.get(2, -1)
    expect(both[0] != both[1], f"{said} Yours has the same number for both. Only a camera's own queries count for it.")
    expect(not near(both[0], 0.5), f"{said} Yours gives camera 1 a half. Divide by its own queries, not by all.")
    expect(
        not near(both[0], 2 / 3),
        f"{said} You give each camera its share of all hits. Divide its hits by the number of its own queries.",
    )
    expect(
        near(both[0], 1) and near(both[1], 0.5), f"{said} Expected 1 and 0.5, found {both[0]:.2f} and {both[1]:.2f}."
    )


def cameras_without_hits(answer: Table) -> None:
    """A camera that never hits is the one to be seen."""
    found = table(answer, [1, 6], [3, 4])
    expect(4 in found, "Camera 4 has one query and no hit, and is missing from your table. Its rank-1 is 0.")


def lone_queries(answer: Table) -> None:
    """A query without a match has no say."""
    found = table(answer, [1, None, 2, 1], [1, 1, 1, 2])
    said = "Camera 1 has ranks 1, None and 2, camera 2 has rank 1."
    lost = f"{said} Camera 2 is not in your table: after None is taken out, do ranks and cameras still go together?"
    expect(2 in found, lost)
    share = found.get(1, -1)
    expect(not near(share, 1 / 3), f"{said} Yours divides by 3. A query without a match is left out of everything.")
    expect(near(share, 0.5), f"{said} Camera 1 has 1 hit of 2, yours says {share:.2f}.")


def cameras_with_lone_queries_only(answer: Table) -> None:
    """Nothing is known of such a camera."""
    found = table(answer, [1, None], [1, 2])
    hint = "All queries of camera 2 are None, so nothing is known about it, and 0 would be a result. Leave it out."
    expect(2 not in found or isnan(found[2]), hint)
    expect(2 not in found, "A camera about which nothing is known is NaN in your table. Leave it out.")


# people 105, 108 and 106 were seen by two cameras, 107 (three pictures) and 109 (one picture) by one
CROWD = [107, 105, 105, 107, 107, 109, 108, 108, -1, 0, 0, 105, 106, 106]
CAMERAS = [1, 1, 2, 1, 1, 2, 1, 3, 2, 1, 3, 3, 2, 3]
TESTS = 2


def parts(answer: Splitter, tests: int = TESTS) -> tuple[list[int], list[int]]:
    """Places of training and test as the reader's function gives them.

    Raises:
        Wrong: they are no two lists of places.
    """
    found = answer(list(CROWD), list(CAMERAS), tests)
    pair = isinstance(found, (tuple, list)) and len(found) == 2 and all(hasattr(part, "__len__") for part in found)
    expect(pair, "Return two lists, the indices of the training images and then those of the test images.")
    train, test = (sorted(int(place) for place in part) for part in found)
    everything = {*train, *test}
    expect(
        not everything & set(range(100, 110)),
        "These are person numbers. Return indices, where 0 stands for the first image.",
    )
    outside = (
        f"With {len(CROWD)} images the last index is {len(CROWD) - 1}, but yours goes to {max(everything, default=0)}."
    )
    expect(everything <= set(range(len(CROWD))), f"{outside} Count from 0.")
    return train, test


def people(places: list[int]) -> set[int]:
    """Who is on these pictures, junk and distractors left aside."""
    return {CROWD[place] for place in places} - {-1, 0}


def nobody_is_in_both(answer: Splitter) -> None:
    """No picture and no person is in training and test."""
    train, test = parts(answer)
    expect(
        not set(train) & set(test),
        f"{len(set(train) & set(test))} images are in both parts, but each image belongs to one.",
    )
    hint = f"Two people are asked for, and your test has {TESTS} images. Divide the people and not the images."
    expect(len(test) != TESTS, hint)
    shared = people(train) & people(test)
    expect(
        not shared,
        f"Person {min(shared, default=0)} is in training and in the test. All images of a person belong to one part.",
    )


def nobody_is_no_person(answer: Splitter) -> None:
    """Junk and distractors belong to the gallery of the test."""
    train, test = parts(answer)
    marks = {CROWD[place] for place in train}
    swapped = marks >= {-1, 0} and len(people(train)) == TESTS
    expect(not swapped, "The first list holds junk, distractors and two people. Training comes first, the test second.")
    expect(
        -1 not in marks, "Junk (-1) is in training. It shows nobody, so it belongs to the test, where it is left out."
    )
    expect(0 not in marks, "Distractors (0) are in training, as if they were one person, but they belong to the test.")
    missing = set(range(len(CROWD))) - {*train, *test}
    gone = {CROWD[place] for place in missing}
    hint = "Junk and distractors are in neither list, although they belong to the test."
    expect(not gone & {-1, 0}, hint)
    hint = f"Person {min(gone, default=0)} is in neither list. People who cannot be tested can be in training."
    expect(not gone, hint)


def as_many_as_asked_for(answer: Splitter) -> None:
    """Two people in the test."""
    for tests in (TESTS, 1):
        count = len(people(parts(answer, tests)[1]))
        said = f"{tests} people should be in the test, yours has {count}."
        expect(count >= tests, f"{said} Do not count -1 and 0, because they are nobody.")
        expect(count <= tests, f"{said} More of them could be tested, but stop at the number that is asked for.")


def by_two_cameras(answer: Splitter) -> None:
    """A test person has a match by another camera."""
    tested = people(parts(answer)[1])
    expect(109 not in tested, "A person with a single image is in the test, so there is a query without a match.")
    hint = (
        "Person 107 is in the test, although camera 1 took all three images. A match has to come from another camera."
    )
    expect(107 not in tested, hint)


def by_camera(first_ranks: Ranks, camids: Sequence[int]) -> dict[int, float]:
    """The same with arrays."""
    ranks, cameras = np.array([rank or 0 for rank in first_ranks]), np.array(camids)
    return {int(c): float((ranks[(cameras == c) & (ranks > 0)] == 1).mean()) for c in np.unique(cameras[ranks > 0])}


def some_ranks(draw: Draw) -> tuple[list[int | None], list[int]]:
    """40 to 60 queries of five cameras, some without a match, and a sixth camera that has only such."""
    count = int(draw.integers(40, 60))
    ranks = [None if rank == 0 else int(rank) for rank in draw.choice([0, 1, 1, 2, 5, 30], count)]
    return [*ranks, None], [*(int(camid) for camid in draw.integers(10, 15, count)), 15]


def rules_of_a_split(found: Any, pids: Sequence[int], camids: Sequence[int], tests: int) -> tuple[Any, ...]:
    """Each rule of the exercise, as a number that is the same for every right split."""
    train, test = (sorted(int(place) for place in part) for part in found)
    learned, tested = ({pids[place] for place in part} for part in (train, test))
    cameras = Counter(pid for pid, _ in set(zip(pids, camids, strict=True)))
    alone = [pid for pid in tested if pid > 0 and cameras[pid] < 2]
    return len(tested - {-1, 0}), alone, sorted(learned & tested), -1 in learned, 0 in learned, sorted(train + test)


RULES = "Go through the four rules of the text, one by one."


def some_pictures(draw: Draw) -> tuple[list[int], list[int], int]:
    """Nine people with one to four cameras, and one to three pictures a track; junk and distractors; all shuffled."""
    counts = [int(count) for count in draw.integers(1, 5, 9)] + [3, 4]
    rows = [(-1, 1), (-1, 2), (0, 1), (0, 2), (0, 2)]
    for pid, cameras in enumerate(counts, start=1):
        for camid in draw.permutation(5)[:cameras]:
            rows += [(pid, int(camid))] * int(draw.integers(1, 4))
    shuffled = [rows[place] for place in draw.permutation(len(rows))]
    enough = sum(count > 1 for count in counts)
    tests = enough if draw.random() < 0.5 else int(draw.integers(1, enough))
    return [pid for pid, _ in shuffled], [camid for _, camid in shuffled], tests


EXERCISES = (
    Exercise(
        "rank1_by_camera",
        0,
        rank1_by_camera,
        (
            one_camera,
            cameras_apart,
            cameras_without_hits,
            lone_queries,
            cameras_with_lone_queries_only,
            agrees(by_camera, some_ranks, hint="Do one camera by hand."),
        ),
        plain=True,
        example=lambda: ([1], [1]),
        assignment="assignment_02",
        points=4,
    ),
    Exercise(
        "split_people",
        0,
        split_people,
        (
            nobody_is_in_both,
            nobody_is_no_person,
            as_many_as_asked_for,
            by_two_cameras,
            agrees(split_people, some_pictures, times=30, view=rules_of_a_split, hint=RULES),
        ),
        plain=True,
        example=lambda: ([1, 1], [1, 2], 1),
        assignment="assignment_02",
        points=4,
    ),
)
