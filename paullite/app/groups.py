"""Sort a folder of one's own into people, without labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from torch import Tensor

from ..data.items import Split
from ..errors import InputError, at_least_one
from ..files import writable_folder, write_csv
from ..models import PatchNet
from .pictures import draw_groups
from .search import unit_features

ALONE = -1
MOST_ROWS = 40  # of the montage


def group(
    pictures: Split,
    net: PatchNet,
    *,
    distance: float = 0.3,
    least: int = 2,
    workers: int = 0,
    output: str | Path = "groups",
) -> dict[int, list[str]]:
    """Sort pictures into groups that look like one person each.

    Args:
        pictures: one person in each. Time and memory grow with the square of their number: 10,000 take about 2 GB.
        net: its retrieval features are compared.
        distance: see `clusters`.
        least: see `clusters`.
        workers: processes that read images.
        output: folder for ``groups.csv`` and ``groups.png``, which shows the largest groups and those alone.

    Returns:
        The paths of each group: 1 is the largest; -1, always there and last, are those alone.

    Raises:
        InputError: fewer than two pictures, an unreadable one, a setting out of range, or no scikit-learn.
    """
    at_least_one(least=least)
    if not 0 < distance <= 2:
        raise InputError(f"found distance = {distance:g}", "expected a cosine distance above 0, at most 2", "try 0.3")
    if find_spec("sklearn") is None:
        raise InputError("found no scikit-learn", "expected it for groups", "type: pip install scikit-learn")
    if len(pictures) < 2:
        raise InputError(f"found {len(pictures)} picture", "expected two or more", "check the folder")
    target = writable_folder(output)
    numbers = clusters(unit_features(net, pictures, workers), distance=distance, least=least)
    write_csv(target / "groups.csv", [{"path": p, "group": n} for p, n in zip(pictures.paths, numbers, strict=True)])
    groups = {
        n: pictures.take(i for i, m in enumerate(numbers) if m == n) for n in (*range(1, max(numbers) + 1), ALONE)
    }
    draw_groups(_montage(groups), target / "groups.png")
    return {n: list(members.paths) for n, members in groups.items()}


def _montage(groups: Mapping[int, Split]) -> dict[str, Split]:
    """The rows to draw: the largest groups, how many more there are, and who is alone."""
    rows = {f"group {n}: {len(members)}": members for n, members in groups.items() if 0 < n <= MOST_ROWS}
    alone, more = groups[ALONE], len(groups) - 1 - len(rows)
    rows |= {f"{more} more groups": alone.take([])} if more else {}
    return rows | ({f"alone: {len(alone)}": alone} if alone else {})


def clusters(features: Tensor, *, distance: float, least: int = 2) -> list[int]:
    """Join the two groups with the least mean distance d, again and again, while d is below a limit (average linkage).

    d(A, B) = mean over a in A and b in B of 1 - cos(a, b)

    Args:
        features: (N, F), each of length 1; N is 2 or more.
        distance: the limit, in 0..2.
        least: fewest members of a group.

    Returns:
        N numbers: 1 for the largest group, then 2 ...; -1 for those in no group.

    >>> import torch
    >>> clusters(torch.eye(2)[[0, 1, 1, 1, 0]], distance=0.5), clusters(torch.eye(2)[[0, 1, 1]], distance=0.5)
    ([2, 1, 1, 1, 2], [-1, 1, 1])
    """
    from sklearn.cluster import AgglomerativeClustering

    apart = (1 - features @ features.T).clamp(min=0).double().numpy()
    options = {"n_clusters": None, "metric": "precomputed", "linkage": "average", "distance_threshold": distance}
    found = AgglomerativeClustering(**options).fit_predict(apart).tolist()
    large = [name for name, size in Counter(found).most_common() if size >= least]
    return [large.index(name) + 1 if name in large else ALONE for name in found]
