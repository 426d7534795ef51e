"""Wrong answers to the two-hour assignment's exercises, each another misconception. Written before the properties."""

from collections.abc import Sequence

import numpy as np
from paulbook.exercises.assignment_02 import rank1_by_camera, split_people

Ranks = Sequence[int | None]
Ints = Sequence[int]


def _groups(ranks: Ranks, camids: Ints) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for rank, camid in zip(ranks, camids, strict=True):
        if rank is not None:
            groups.setdefault(camid, []).append(rank)
    return groups


def whole_test(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """Gives every camera the rank-1 of the whole test."""
    kept = [rank for rank in ranks if rank is not None]
    return {camid: sum(rank == 1 for rank in kept) / len(kept) for camid in _groups(ranks, camids)}


def lone_queries_are_wrong(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """A query without a match counts as one that was not found."""
    cameras = _groups(ranks, camids)
    return {c: sum(rank == 1 for rank in cameras[c]) / list(camids).count(c) for c in cameras}


def percent(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """Right, in percent."""
    return {c: 100 * value for c, value in rank1_by_camera(ranks, camids).items()}


def rank_five(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """Share of queries whose first match is among the first five."""
    return {c: float(np.mean([rank <= 5 for rank in group])) for c, group in _groups(ranks, camids).items()}


def mean_rank(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """Averages the ranks."""
    return {c: float(np.mean(group)) for c, group in _groups(ranks, camids).items()}


def mean_reciprocal(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """Averages one over the rank."""
    return {c: float(np.mean([1 / rank for rank in group])) for c, group in _groups(ranks, camids).items()}


def of_all_queries(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """Divides by the queries of the whole test."""
    groups = _groups(ranks, camids)
    total = sum(map(len, groups.values()))
    return {c: sum(rank == 1 for rank in group) / total for c, group in groups.items()}


def of_all_hits(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """Which share of the hits belongs to the camera."""
    hits = {c: sum(rank == 1 for rank in group) for c, group in _groups(ranks, camids).items()}
    return {c: count / max(1, sum(hits.values())) for c, count in hits.items()}


def only_cameras_with_hits(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """A camera enters the dictionary with its first hit."""
    return {c: value for c, value in rank1_by_camera(ranks, camids).items() if value}


def drops_none_first(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """Takes the None out of one list, and pairs what is left with the other list as it was."""
    kept = [rank for rank in ranks if rank is not None]
    return rank1_by_camera(kept, list(camids)[: len(kept)])


def zero_for_lone_cameras(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """A camera that has nothing but lone queries gets 0."""
    return {c: 0.0 for c in camids} | rank1_by_camera(ranks, camids)


def divides_by_nothing(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """Goes through all cameras, also those without a query that counts."""
    groups = _groups(ranks, camids)
    return {c: sum(r == 1 for r in groups.get(c, [])) / len(groups.get(c, [])) for c in set(camids)}


def a_list(ranks: Ranks, camids: Ints) -> list[float]:
    """A list, in the order of the cameras."""
    return [value for _, value in sorted(rank1_by_camera(ranks, camids).items())]


def pictures(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """Cuts the list of pictures, not of people."""
    return list(range(tests, len(pids))), list(range(tests))


def numbers_of_people(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """Gives back people in place of places."""
    train, test = split_people(pids, camids, tests)
    return [pids[i] for i in train], [pids[i] for i in test]


def swapped(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """Test first, training second."""
    return split_people(pids, camids, tests)[::-1]


def junk_trains(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """Junk goes to training."""
    train, test = split_people(pids, camids, tests)
    return [*train, *(i for i in test if pids[i] == -1)], [i for i in test if pids[i] != -1]


def distractors_train(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """0 is taken for a person, who then trains."""
    train, test = split_people(pids, camids, tests)
    return [*train, *(i for i in test if pids[i] == 0)], [i for i in test if pids[i] != 0]


def _chosen(pids: Ints, people: set[int]) -> tuple[list[int], list[int]]:
    test = [i for i, pid in enumerate(pids) if pid in people or pid < 1]
    return [i for i in range(len(pids)) if i not in test], test


def anybody(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """Takes people with the fewest pictures, without a look at cameras."""
    people = sorted({pid for pid in pids if pid > 0}, key=lambda pid: list(pids).count(pid))
    return _chosen(pids, set(people[:tests]))


def two_pictures_suffice(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """Counts pictures in place of cameras."""
    often = sorted(
        {pid for pid in pids if pid > 0 and list(pids).count(pid) > 1}, key=lambda pid: -list(pids).count(pid)
    )
    return _chosen(pids, set(often[:tests]))


def forgets_who_had_one_camera(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """People with one camera are in neither part."""
    train, test = split_people(pids, camids, tests)
    cameras = {pid: {c for p, c in zip(pids, camids, strict=True) if p == pid} for pid in pids}
    return [i for i in train if len(cameras[pids[i]]) > 1], test


def forgets_junk_and_distractors(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """What is nobody's is in neither part."""
    train, test = split_people(pids, camids, tests)
    return train, [i for i in test if pids[i] > 0]


def nobody_is_somebody(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """Counts -1 and 0 among the people of the test."""
    return _chosen(pids, set(sorted(set(pids))[:tests]))


def one_picture_stays(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """The first picture of each test person stays in training."""
    train, test = split_people(pids, camids, tests)
    first = {pids[i]: i for i in reversed(test) if pids[i] > 0}
    return [*train, *first.values()], [i for i in test if i not in first.values()]


def from_one(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """Places counted from 1."""
    train, test = split_people(pids, camids, tests)
    return [i + 1 for i in train], [i + 1 for i in test]


def training_is_everything(pids: Ints, camids: Ints, tests: int) -> tuple[list[int], list[int]]:
    """Makes a test, and leaves its pictures in training as well."""
    return list(range(len(pids))), split_people(pids, camids, tests)[1]


def test_only(pids: Ints, camids: Ints, tests: int) -> list[int]:
    """Gives one list."""
    return split_people(pids, camids, tests)[1]


WRONG = {
    "rank1_by_camera": (
        whole_test,
        lone_queries_are_wrong,
        percent,
        rank_five,
        mean_rank,
        mean_reciprocal,
        of_all_queries,
        of_all_hits,
        only_cameras_with_hits,
        drops_none_first,
        zero_for_lone_cameras,
        divides_by_nothing,
        a_list,
    ),
    "split_people": (
        pictures,
        numbers_of_people,
        swapped,
        junk_trains,
        distractors_train,
        anybody,
        two_pictures_suffice,
        forgets_who_had_one_camera,
        forgets_junk_and_distractors,
        nobody_is_somebody,
        one_picture_stays,
        from_one,
        training_is_everything,
        test_only,
    ),
}


def by_arrays(ranks: Ranks, camids: Ints) -> dict[int, float]:
    """With masks."""
    r, c = np.array([rank or 0 for rank in ranks]), np.array(camids)
    return {int(k): float((r[(c == k) & (r > 0)] == 1).mean()) for k in np.unique(c[r > 0])}


def last_people(pids: Ints, camids: Ints, tests: int) -> tuple[np.ndarray, np.ndarray]:
    """Other people, as arrays."""
    p, c = np.array(pids), np.array(camids)
    able = [pid for pid in np.unique(p[p > 0]) if len(set(c[p == pid])) > 1]
    test = np.isin(p, able[len(able) - tests :]) | (p < 1)
    return np.flatnonzero(~test), np.flatnonzero(test)


OTHER_RIGHT = {"rank1_by_camera": (by_arrays,), "split_people": (last_people,)}
