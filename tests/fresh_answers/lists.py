"""Answers to five exercises about lists, written from the text of the exercise alone, before its check was read."""

import random
from collections import Counter, defaultdict

import numpy as np
import torch
from torchvision.ops import box_iou


def rank1_by_counting(first_ranks, camids):
    hits, of = defaultdict(int), defaultdict(int)
    for rank, camera in zip(first_ranks, camids, strict=True):
        if rank is None:
            continue
        of[camera] += 1
        hits[camera] += rank == 1
    return {camera: hits[camera] / of[camera] for camera in of}


def rank1_as_float32_means(first_ranks, camids):
    groups = defaultdict(list)
    for rank, camera in zip(first_ranks, camids, strict=True):
        if rank is not None:
            groups[camera].append(rank == 1)
    return {camera: np.mean(np.array(hits, dtype=np.float32)) for camera, hits in groups.items()}


def rank1_as_tensors(first_ranks, camids):
    result = {}
    for camera in set(camids):
        ranks = [r for r, c in zip(first_ranks, camids, strict=True) if c == camera and r is not None]
        if ranks:
            result[camera] = (torch.tensor(ranks) == 1).float().mean()
    return result


def rank1_with_nan(first_ranks, camids):
    ranks = np.array([np.nan if r is None else r for r in first_ranks], dtype=float)
    cameras = np.asarray(camids)
    result = {}
    for camera in np.unique(cameras):
        own = ranks[(cameras == camera) & ~np.isnan(ranks)]
        if own.size:
            result[camera] = (own <= 1).mean()
    return result


def rank1_with_counters(first_ranks, camids):
    kept = [(r, c) for r, c in zip(first_ranks, camids, strict=True) if r]
    of = Counter(c for _, c in kept)
    hits = Counter(c for r, c in kept if r == 1)
    return {c: hits[c] / n for c, n in of.items()}


def rank1_no_match_is_a_miss(first_ranks, camids):
    result = {}
    for camera in set(camids):
        ranks = [r for r, c in zip(first_ranks, camids, strict=True) if c == camera]
        result[camera] = sum(r == 1 for r in ranks) / len(ranks)
    return result


def rank1_empty_camera_is_zero(first_ranks, camids):
    result = {}
    for camera in set(camids):
        ranks = [r for r, c in zip(first_ranks, camids, strict=True) if c == camera and r is not None]
        result[camera] = sum(r == 1 for r in ranks) / len(ranks) if ranks else 0.0
    return result


def rank1_is_rank5(first_ranks, camids):
    groups = defaultdict(list)
    for rank, camera in zip(first_ranks, camids, strict=True):
        if rank is not None:
            groups[camera].append(rank <= 5)
    return {camera: sum(hits) / len(hits) for camera, hits in groups.items()}


def rank1_of_all_queries(first_ranks, camids):
    found = sum(r is not None for r in first_ranks)
    hits = Counter(c for r, c in zip(first_ranks, camids, strict=True) if r == 1)
    return {c: hits[c] / found for r, c in zip(first_ranks, camids, strict=True) if r is not None}


def rank1_out_of_step(first_ranks, camids):
    ranks = [r for r in first_ranks if r is not None]
    groups = defaultdict(list)
    for rank, camera in zip(ranks, camids, strict=False):
        groups[camera].append(rank == 1)
    return {camera: sum(hits) / len(hits) for camera, hits in groups.items()}


def split_by_loop(pids, camids, tests):
    cameras = defaultdict(set)
    for pid, camid in zip(pids, camids, strict=True):
        if pid > 0:
            cameras[pid].add(camid)
    chosen = [pid for pid, seen in cameras.items() if len(seen) >= 2][:tests]
    train, test = [], []
    for i, pid in enumerate(pids):
        (test if pid <= 0 or pid in chosen else train).append(i)
    return train, test


def split_with_numpy(pids, camids, tests):
    pids, camids = np.asarray(pids), np.asarray(camids)
    people = [p for p in np.unique(pids[pids > 0]) if np.unique(camids[pids == p]).size > 1]
    test = (pids < 1) | np.isin(pids, people[:tests])
    return np.flatnonzero(~test), np.flatnonzero(test)


def split_with_torch(pids, camids, tests):
    pids, camids = torch.as_tensor(pids), torch.as_tensor(camids)
    people = [p for p in pids.unique().tolist() if p > 0 and len(camids[pids == p].unique()) > 1]
    test = (pids < 1) | torch.isin(pids, torch.tensor(people[-tests:]))
    return (~test).nonzero().flatten(), test.nonzero().flatten()


def split_person_by_person(pids, camids, tests):
    where = defaultdict(list)
    for i, pid in enumerate(pids):
        where[pid].append(i)
    train, test = [], where.pop(-1, []) + where.pop(0, [])
    for places in where.values():
        if tests and len({camids[i] for i in places}) > 1:
            test += places
            tests -= 1
        else:
            train += places
    return train, test


def split_by_chance(pids, camids, tests):
    seen = {(p, c) for p, c in zip(pids, camids, strict=True) if p > 0}
    people = sorted(p for p, n in Counter(p for p, _ in seen).items() if n >= 2)
    chosen = set(random.sample(people, tests))
    test = {i for i, p in enumerate(pids) if p in chosen or p in (-1, 0)}
    return sorted(set(range(len(pids))) - test), sorted(test)


def split_two_pictures(pids, camids, tests):
    count = Counter(p for p in pids if p > 0)
    chosen = [p for p, n in count.items() if n >= 2][:tests]
    test = [i for i, p in enumerate(pids) if p <= 0 or p in chosen]
    return [i for i in range(len(pids)) if i not in test], test


def split_junk_is_a_person(pids, camids, tests):
    cameras = defaultdict(set)
    for pid, camid in zip(pids, camids, strict=True):
        cameras[pid].add(camid)
    chosen = [p for p in sorted(cameras) if len(cameras[p]) >= 2][:tests]
    test = [i for i, p in enumerate(pids) if p <= 0 or p in chosen]
    return [i for i in range(len(pids)) if i not in test], test


def split_test_first(pids, camids, tests):
    train, test = split_by_loop(pids, camids, tests)
    return test, train


def split_distractors_train(pids, camids, tests):
    train, test = split_by_loop(pids, camids, tests)
    distractors = [i for i in test if pids[i] == 0]
    return train + distractors, [i for i in test if pids[i] != 0]


def split_one_a_track(pids, camids, tests):
    train, test = split_by_loop(pids, camids, tests)
    kept, seen = [], set()
    for i in test:
        track = pids[i], camids[i]
        (train if track in seen and pids[i] > 0 else kept).append(i)
        seen.add(track)
    return train, kept


def queries_by_dictionary(pids, camids):
    cameras = defaultdict(set)
    for pid, camid in zip(pids, camids, strict=True):
        cameras[pid].add(camid)
    first = {}
    for i, track in enumerate(zip(pids, camids, strict=True)):
        if track[0] > 0 and len(cameras[track[0]]) > 1:
            first.setdefault(track, i)
    return list(first.values())


def queries_with_numpy(pids, camids):
    pids, camids = np.asarray(pids), np.asarray(camids)
    tracks, first = np.unique(np.stack([pids, camids], 1), axis=0, return_index=True)
    people, count = np.unique(tracks[:, 0], return_counts=True)
    several = set(people[(count > 1) & (people > 0)])
    return first[[p in several for p in tracks[:, 0]]]


def queries_as_tensor(pids, camids):
    return torch.tensor(queries_by_dictionary(pids, camids))


def queries_as_view(pids, camids):
    last = {(p, c): i for i, (p, c) in enumerate(zip(pids, camids, strict=True)) if p not in (-1, 0)}
    for p in {p for p, _ in last}:
        if sum(q == p for q, _ in last) == 1:
            last = {track: i for track, i in last.items() if track[0] != p}
    return last.values()


def queries_as_numpy_ints(pids, camids):
    pids, camids = np.array(pids), np.array(camids)
    places = []
    for pid in set(pids.tolist()) - {-1, 0}:
        seen = np.unique(camids[pids == pid])
        if len(seen) < 2:
            continue
        for camid in seen:
            places.append(np.flatnonzero((pids == pid) & (camids == camid))[-1])
    return places


def queries_one_a_person(pids, camids):
    first = {}
    for i in queries_by_dictionary(pids, camids):
        first.setdefault(pids[i], i)
    return list(first.values())


def queries_with_distractors(pids, camids):
    seen = {(p, c) for p, c in zip(pids, camids, strict=True) if p >= 0}
    count = Counter(p for p, _ in seen)
    return [list(zip(pids, camids, strict=True)).index(t) for t in seen if count[t[0]] > 1]


def queries_of_one_camera_too(pids, camids):
    first = {}
    for i, track in enumerate(zip(pids, camids, strict=True)):
        if track[0] > 0:
            first.setdefault(track, i)
    return list(first.values())


def queries_two_pictures(pids, camids):
    count = Counter(pids)
    return [i for i in queries_of_one_camera_too(pids, camids) if count[pids[i]] > 1]


def queries_where_the_track_changes(pids, camids):
    right = {(pids[i], camids[i]) for i in queries_by_dictionary(pids, camids)}
    tracks = list(zip(pids, camids, strict=True))
    return [i for i, t in enumerate(tracks) if t in right and (i == 0 or tracks[i - 1] != t)]


def gain_vectorised(queries, before, after, draws=2000, seed=0):
    queries, before, after = map(np.asarray, (queries, before, after))
    n = len(queries)
    if n < 2:
        return None
    places = np.random.default_rng(seed).integers(n, size=(draws, n))
    gains = (after - before)[places].sum(1) / queries[places].sum(1)
    return tuple(np.quantile(gains, [0.025, 0.975]))


def gain_by_loop(queries, before, after, draws=2000, seed=0):
    people = range(len(queries))
    if len(people) == 1:
        return None
    rng = random.Random(seed)
    gains = []
    for _ in range(draws):
        drawn = rng.choices(people, k=len(people))
        total = sum(queries[i] for i in drawn)
        gains.append(sum(after[i] for i in drawn) / total - sum(before[i] for i in drawn) / total)
    gains.sort()
    return gains[int(0.025 * draws)], gains[int(0.975 * draws)]


def gain_with_torch(queries, before, after, draws=2000, seed=0):
    queries, before, after = (torch.as_tensor(v).double() for v in (queries, before, after))
    if len(queries) < 2:
        return None
    generator = torch.Generator().manual_seed(seed)
    places = torch.randint(len(queries), (draws, len(queries)), generator=generator)
    gains = (after[places].sum(1) - before[places].sum(1)) / queries[places].sum(1)
    return gains.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64))


def gain_by_weights(queries, before, after, draws=2000, seed=0):
    n = len(queries)
    if n < 2:
        return None
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    gains = weights @ (np.array(after) - np.array(before)) / (weights @ np.array(queries))
    return np.percentile(gains, (2.5, 97.5))


def gain_with_choice(queries, before, after, draws=2000, seed=0):
    if len(queries) == 1:
        return None
    rng = np.random.RandomState(seed)
    table = np.stack([queries, before, after])
    sums = np.array([table[:, rng.choice(len(queries), len(queries))].sum(1) for _ in range(draws)])
    return list(np.percentile((sums[:, 2] - sums[:, 1]) / sums[:, 0], [2.5, 97.5]))


def gain_of_the_mean_person(queries, before, after, draws=2000, seed=0):
    queries, before, after = map(np.asarray, (queries, before, after))
    n = len(queries)
    if n < 2:
        return None
    each = (after - before) / queries
    places = np.random.default_rng(seed).integers(n, size=(draws, n))
    return tuple(np.quantile(each[places].mean(1), [0.025, 0.975]))


def gain_drawn_twice(queries, before, after, draws=2000, seed=0):
    queries, before, after = map(np.asarray, (queries, before, after))
    n = len(queries)
    if n < 2:
        return None
    rng = np.random.default_rng(seed)
    one, two = rng.integers(n, size=(2, draws, n))
    gains = after[one].sum(1) / queries[one].sum(1) - before[two].sum(1) / queries[two].sum(1)
    return tuple(np.quantile(gains, [0.025, 0.975]))


def gain_of_ninety_percent(queries, before, after, draws=2000, seed=0):
    queries, before, after = map(np.asarray, (queries, before, after))
    n = len(queries)
    if n < 2:
        return None
    places = np.random.default_rng(seed).integers(n, size=(draws, n))
    gains = (after - before)[places].sum(1) / queries[places].sum(1)
    return tuple(np.quantile(gains, [0.05, 0.95]))


def gain_over_queries(queries, before, after, draws=2000, seed=0):
    if len(queries) < 2:
        return None
    each = np.concatenate(
        [
            np.r_[np.ones(max(a - b, 0)), -np.ones(max(b - a, 0)), np.zeros(q - abs(a - b))]
            for q, b, a in zip(queries, before, after, strict=True)
        ]
    )
    places = np.random.default_rng(seed).integers(len(each), size=(draws, len(each)))
    return tuple(np.quantile(each[places].mean(1), [0.025, 0.975]))


def gain_of_one_person(queries, before, after, draws=2000, seed=0):
    queries, before, after = map(np.asarray, (queries, before, after))
    n = len(queries)
    places = np.random.default_rng(seed).integers(n, size=(draws, n))
    gains = (after - before)[places].sum(1) / queries[places].sum(1)
    return tuple(np.quantile(gains, [0.025, 0.975]))


def overlap_in_floats(a, b):
    shared, areas = 1.0, [1.0, 1.0]
    for axis in range(2):
        ends = []
        for i, theta in enumerate((a, b)):
            half, middle = abs(float(theta[axis][axis])), float(theta[axis][2])
            areas[i] *= 2 * half
            ends.append((middle - half, middle + half))
        shared *= max(0.0, min(ends[0][1], ends[1][1]) - max(ends[0][0], ends[1][0]))
    return shared / (sum(areas) - shared)


def overlap_by_corners(a, b):
    def corners(theta):
        ends = theta @ torch.tensor([[-1.0, 1.0], [-1.0, 1.0], [1.0, 1.0]])
        return ends.min(1).values, ends.max(1).values

    (low_a, high_a), (low_b, high_b) = corners(a), corners(b)
    shared = (torch.minimum(high_a, high_b) - torch.maximum(low_a, low_b)).clamp(min=0).prod()
    return shared / ((high_a - low_a).prod() + (high_b - low_b).prod() - shared)


def overlap_with_torchvision(a, b):
    boxes = []
    for theta in (a, b):
        half, middle = theta[:, :2].diag().abs(), theta[:, 2]
        boxes.append(torch.cat([middle - half, middle + half])[None])
    return box_iou(*boxes).item()


def overlap_with_numpy(a, b):
    a, b = np.asarray(a), np.asarray(b)
    size_a, size_b = 2 * np.abs(np.diag(a[:, :2])), 2 * np.abs(np.diag(b[:, :2]))
    shared = np.minimum(a[:, 2] + size_a / 2, b[:, 2] + size_b / 2) - np.maximum(
        a[:, 2] - size_a / 2, b[:, 2] - size_b / 2
    )
    area = np.prod(np.clip(shared, 0, None))
    return area / (size_a.prod() + size_b.prod() - area)


def overlap_as_one_number_tensor(a, b):
    return torch.tensor([overlap_in_floats(a, b)])


def overlap_of_two_negatives(a, b):
    shared, areas = 1.0, [1.0, 1.0]
    for axis in range(2):
        ends = []
        for i, theta in enumerate((a, b)):
            half, middle = abs(float(theta[axis, axis])), float(theta[axis, 2])
            areas[i] *= 2 * half
            ends.append((middle - half, middle + half))
        shared *= min(ends[0][1], ends[1][1]) - max(ends[0][0], ends[1][0])
    shared = max(0.0, shared)
    return shared / (sum(areas) - shared)


def overlap_inside_the_map(a, b):
    def box(theta):
        half, middle = theta[:, :2].diag().abs(), theta[:, 2]
        return (middle - half).clamp(-1, 1), (middle + half).clamp(-1, 1)

    (low_a, high_a), (low_b, high_b) = box(a), box(b)
    shared = (torch.minimum(high_a, high_b) - torch.maximum(low_a, low_b)).clamp(min=0).prod()
    return float(shared / ((high_a - low_a).prod() + (high_b - low_b).prod() - shared))


def overlap_over_the_sum(a, b):
    iou = overlap_in_floats(a, b)
    return iou / (1 + iou)


def overlap_mirrored_in_y(a, b):
    def box(theta):
        half = torch.stack([theta[0, 0].abs(), theta[1, 1]])
        return theta[:, 2] - half, theta[:, 2] + half

    (low_a, high_a), (low_b, high_b) = box(a), box(b)
    shared = (torch.minimum(high_a, high_b) - torch.maximum(low_a, low_b)).clamp(min=0).prod()
    return float(shared / ((high_a - low_a).prod() + (high_b - low_b).prod() - shared))


def overlap_over_the_smaller(a, b):
    area_a, area_b = (4 * float((t[0, 0] * t[1, 1]).abs()) for t in (a, b))
    iou = overlap_in_floats(a, b)
    shared = iou * (area_a + area_b) / (1 + iou)
    return shared / min(area_a, area_b)


RIGHT = {
    "rank1_by_camera": (
        rank1_by_counting,
        rank1_as_float32_means,
        rank1_as_tensors,
        rank1_with_nan,
        rank1_with_counters,
    ),
    "split_people": (split_by_loop, split_with_numpy, split_with_torch, split_person_by_person, split_by_chance),
    "choose_queries": (
        queries_by_dictionary,
        queries_with_numpy,
        queries_as_tensor,
        queries_as_view,
        queries_as_numpy_ints,
    ),
    "gain_interval": (gain_vectorised, gain_by_loop, gain_with_torch, gain_by_weights, gain_with_choice),
    "overlap": (
        overlap_in_floats,
        overlap_by_corners,
        overlap_with_torchvision,
        overlap_with_numpy,
        overlap_as_one_number_tensor,
    ),
}

WRONG = {
    "rank1_by_camera": (
        rank1_no_match_is_a_miss,
        rank1_empty_camera_is_zero,
        rank1_is_rank5,
        rank1_of_all_queries,
        rank1_out_of_step,
    ),
    "split_people": (
        split_two_pictures,
        split_junk_is_a_person,
        split_test_first,
        split_distractors_train,
        split_one_a_track,
    ),
    "choose_queries": (
        queries_one_a_person,
        queries_with_distractors,
        queries_of_one_camera_too,
        queries_two_pictures,
        queries_where_the_track_changes,
    ),
    "gain_interval": (
        gain_of_the_mean_person,
        gain_drawn_twice,
        gain_of_ninety_percent,
        gain_over_queries,
        gain_of_one_person,
    ),
    "overlap": (
        overlap_of_two_negatives,
        overlap_inside_the_map,
        overlap_over_the_sum,
        overlap_mirrored_in_y,
        overlap_over_the_smaller,
    ),
}
