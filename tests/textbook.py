"""The losses, the memory and the scores as the textbook has them: slow loops, one step a line, to be read."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def pedal(x: np.ndarray, w: np.ndarray, index: Sequence[int], scale: float, k: int) -> float:
    """PEDAL over (B, P, D) features and an (N, P, D) memory."""
    losses = []
    for i, own in enumerate(index):
        for p in range(x.shape[1]):
            others = [j for j in range(len(w)) if j != own]
            d2 = {j: float(((x[i, p] - w[j, p]) ** 2).sum()) for j in others}
            nearest = sorted(others, key=lambda j: d2[j])[:k]
            smallest = min(d2.values())  # taken out above and below the line, so that nothing underflows
            above = sum(math.exp(-scale * (d2[j] - smallest)) for j in nearest)
            below = sum(math.exp(-scale * (d2[j] - smallest)) for j in others)
            losses.append(-math.log(above / below))
    return sum(losses) / len(losses)


def ipfl(
    e: np.ndarray, c: np.ndarray, owner: Sequence[int], margin: float, nearest: int, most: int, no_negative: str
) -> float:
    """IPFL over (A, E) anchors and (B, E) centers."""
    losses = []
    for a, own in enumerate(owner):
        distance = [float(np.linalg.norm(e[a] - center)) for center in c]
        negative = None
        candidates = sorted((j for j in range(len(c)) if j != own), key=lambda j: distance[j])
        for j in candidates[:most]:
            others = sorted((i for i in range(len(c)) if i != j), key=lambda i: float(np.linalg.norm(c[j] - c[i])))
            if own not in [j, *others][:nearest]:
                negative = j
                break
        if negative is not None:
            losses.append(max(0.0, margin + distance[own] - distance[negative]))
        elif no_negative == "pull":
            losses.append(max(0.0, margin + distance[own]))
    return sum(losses) / len(losses) if losses else 0.0


def visited(old: np.ndarray | None, new: np.ndarray, momentum: float) -> np.ndarray:
    """One entry of a memory after a visit; ``old`` is None before the first."""
    return new if old is None else (1 - momentum) * old + momentum * new


def paul(
    x: np.ndarray,
    e: np.ndarray,
    index: Sequence[int],
    w: list[np.ndarray | None],
    c: list[np.ndarray | None],
    settings: Mapping[str, Any],
) -> dict[str, float]:
    """A step of PAUL: patch features (B, P, D), embeddings of both views (2, B, E), both memories as lists of N rows.

    The memories are changed in place, before anything is compared.
    """
    for i, row in enumerate(index):
        w[row] = visited(w[row], x[i], settings["memory_momentum"])
        c[row] = visited(c[row], (e[0, i] + e[1, i]) / 2, settings["center_momentum"])
    memory = np.stack([np.zeros(x.shape[1:]) if row is None else row for row in w])
    centers = np.stack([c[row] for row in index])
    anchors = [e[view, i] for view in range(2) for i in range(len(index))]
    owner = [i for _ in range(2) for i in range(len(index))]
    parts = {
        "pedal": pedal(x, memory, index, settings["scale"], settings["k"]),
        "ipfl": ipfl(
            np.stack(anchors),
            centers,
            owner,
            settings["margin"],
            settings["nearest"],
            settings["max_candidates"],
            settings["no_negative"],
        ),
    }
    return {"total": settings["pedal_weight"] * parts["pedal"] + settings["ipfl_weight"] * parts["ipfl"], **parts}


def batch_triplet(e: np.ndarray, labels: Sequence[int], margin: float, positive: str) -> float:
    """Triplet loss over (B, E) rows."""
    e = e / np.linalg.norm(e, axis=1, keepdims=True)
    losses = []
    for i in range(len(e)):
        same = [float(np.linalg.norm(e[i] - e[j])) for j in range(len(e)) if labels[j] == labels[i] and j != i]
        other = [float(np.linalg.norm(e[i] - e[j])) for j in range(len(e)) if labels[j] != labels[i]]
        if same and other:
            pull = min(same) if positive == "nearest" else max(same)
            losses.append(max(0.0, margin + pull - min(other)))
    return sum(losses) / len(losses) if losses else 0.0


def ranking(q, g, q_pids, g_pids, q_cams=None, g_cams=None, own=None) -> dict[str, object]:  # type: ignore[no-untyped-def]
    """CMC, both APs and mINP, one query at a time."""
    q = q / np.linalg.norm(q, axis=1, keepdims=True)
    g = g / np.linalg.norm(g, axis=1, keepdims=True)
    similarity = q @ g.T
    first, step, trapezoid, minp, lone = [], [], [], [], 0
    for i in range(len(q)):
        kept = []
        for j in range(len(g)):
            same_camera = q_cams is not None and q_cams[i] == g_cams[j]
            if g_pids[j] == -1 or (own is not None and own[i] == j) or (g_pids[j] == q_pids[i] and same_camera):
                continue
            kept.append(j)
        order = sorted(kept, key=lambda j: (-similarity[i, j], j))
        hits = [rank for rank, j in enumerate(order, start=1) if g_pids[j] == q_pids[i] and q_pids[i] != -1]
        if not hits:
            lone += 1
            continue
        first.append(hits[0])
        step.append(sum(n / r for n, r in enumerate(hits, start=1)) / len(hits))
        before = [(n - 1) / (r - 1) if r > 1 else 1.0 for n, r in enumerate(hits, start=1)]
        trapezoid.append(
            sum((n / r + b) / 2 for (n, r), b in zip(enumerate(hits, start=1), before, strict=True)) / len(hits)
        )
        minp.append(len(hits) / hits[-1])
    cmc = [sum(f <= r for f in first) / len(first) for r in range(1, len(g) + 1)]
    mean = lambda values: sum(values) / len(values)  # noqa: E731
    return {
        "cmc": cmc,
        "map_step": mean(step),
        "map_trapezoid": mean(trapezoid),
        "minp": mean(minp),
        "queries": len(first),
        "lone_queries": lone,
    }


def threshold(q, g, q_pids, g_pids, q_cams=None, g_cams=None, own=None, *, false_accept) -> dict[str, Any]:  # type: ignore[no-untyped-def]
    """Pairwise verification: the lowest bar, in millionths, that lets at most a share of the impostors pass."""
    q = q / np.linalg.norm(q, axis=1, keepdims=True)
    g = g / np.linalg.norm(g, axis=1, keepdims=True)
    genuine, impostors = [], []  # step of the cosine, and the one or two people
    for i in range(len(q)):
        for j in range(len(g)):
            same_camera = q_cams is not None and q_cams[i] == g_cams[j]
            if -1 in (q_pids[i], g_pids[j]) or (own is not None and own[i] == j):
                continue
            pair = math.ceil(min(1.0, float(q[i] @ g[j])) * 1e6), {q_pids[i], g_pids[j]}
            if q_pids[i] != g_pids[j]:
                impostors.append(pair)
            elif not same_camera:
                genuine.append(pair)
    share = lambda bar: sum(s > bar for s, _ in impostors) / len(impostors)  # noqa: E731
    bar = min(s for s, _ in impostors if share(s) <= false_accept)
    rejects = [(s <= bar, people) for s, people in genuine]
    return {
        "cosine": bar / 1e6,
        "false_accept": share(bar),
        "false_accept_interval": wilson([(s > bar, people) for s, people in impostors]),
        "false_reject": sum(wrong for wrong, _ in rejects) / len(rejects),
        "false_reject_interval": wilson(rejects),
        "genuine": len(genuine),
        "impostors": len(impostors),
        "strangers": strangers(q, g, q_pids, g_pids, own, bar),
    }


def strangers(q, g, q_pids, g_pids, own, bar) -> float:  # type: ignore[no-untyped-def]
    """Share of the queries that see somebody else above the bar, of those that see somebody else."""
    named = []
    for i in range(len(q)):
        others = [j for j in range(len(g)) if g_pids[j] not in (-1, q_pids[i]) and (own is None or own[i] != j)]
        if q_pids[i] != -1 and others:
            named.append(any(math.ceil(min(1.0, float(q[i] @ g[j])) * 1e6) > bar for j in others))
    return sum(named) / len(named)


def wilson(trials: list[tuple[bool, set[int]]]) -> tuple[float, float]:
    """95 % interval of a share of errors in trials, each of one or two people: Wilson, its n from a jackknife."""
    mean = lambda pairs: sum(wrong for wrong, _ in pairs) / len(pairs)  # noqa: E731
    people = set().union(*(who for _, who in trials))
    without = [[pair for pair in trials if person not in pair[1]] for person in people]
    p, z = mean(trials), 1.959964
    n = float(len(people))
    if not all(without):
        n = 1.0
    elif 0 < p < 1:
        rates = [mean(pairs) for pairs in without]
        middle = sum(rates) / len(rates)
        variance = (n - 1) / n * sum((rate - middle) ** 2 for rate in rates)
        n = min(p * (1 - p) / variance, len(trials)) if variance else len(trials)
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)
