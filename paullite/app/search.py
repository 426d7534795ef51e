"""In a folder of one's own: who looks most like a person, and which pictures show the same one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from ..data.items import Split, open_image
from ..data.layouts import IMAGE_ENDINGS, find_unreadable
from ..errors import InputError, at_least_one
from ..features import extract
from ..files import writable_folder, write_csv
from ..models import PatchNet
from .pictures import File, draw_groups, draw_matches

ALONE = -1
MOST_ROWS = 40  # of the montage


def search(
    image: File,
    pictures: Split,
    net: PatchNet,
    *,
    top: int = 12,
    threshold: float | None = None,
    workers: int = 0,
    output: File = "search",
) -> list[tuple[str, float]]:
    """Rank pictures by how much the person looks like the one in another picture: (path, cosine), most similar first.

    Args:
        image: picture of one person, cut out as a detector would.
        pictures: to look through, one person in each, as from ``pictures_below``.
        top: how many to return, at most.
        threshold: least cosine of a picture that is returned, in -1..1; none: whoever is nearest.
        output: folder for ``matches.png`` and ``matches.csv``.

    Raises:
        InputError: a picture that cannot be read, or a setting out of range.

    >>> import tempfile, paullite as pl
    >>> dolls = pl.data.PaperDolls("target", identities=2, test_identities=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     dolls.query[0].image.save(f"{folder}/0.png")
    ...     len(search(f"{folder}/0.png", dolls.gallery, pl.shipped_net(), top=2, output=folder))
    2
    """
    at_least_one(top=top)
    if threshold is not None and not -1 <= threshold <= 1:
        raise InputError(f"found threshold = {threshold:g}", "expected a cosine in -1..1", "try 0.7")
    query, target = open_image(image), writable_folder(output)
    scores = unit_features(net, pictures, workers) @ unit_features(net, Split((str(image),), None, None))[0]
    best = scores.argsort(descending=True, stable=True)[:top].tolist()
    best = [i for i in best if threshold is None or scores[i] >= threshold]
    found = [(pictures.paths[i], float(scores[i])) for i in best]
    draw_matches(query, pictures, best, [score for _, score in found], target / "matches.png")
    rows = [{"place": n, "similarity": round(s, 6), "path": p} for n, (p, s) in enumerate(found, start=1)]
    write_csv(target / "matches.csv", rows, ("place", "similarity", "path"))
    return found


def group(
    pictures: Split, net: PatchNet, *, distance: float = 0.3, least: int = 2, workers: int = 0, output: File = "groups"
) -> dict[int, list[str]]:
    """Sort pictures into groups that look like one person each; the paths of each group.

    Group 1 is the largest; -1, always there and last, are those alone.

    Args:
        pictures: one person in each. Time and memory grow with the square of their number: 10,000 take about 2 GB.
        distance, least: see `clusters`.
        output: folder for ``groups.csv`` and ``groups.png``, which shows the largest groups and those alone.

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
    names = (*range(1, max(numbers) + 1), ALONE)
    groups = {name: pictures.take(i for i, n in enumerate(numbers) if n == name) for name in names}
    draw_groups(_montage(groups), target / "groups.png")
    return {name: list(members.paths) for name, members in groups.items()}


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
        distance, least: the limit, in 0..2, and the fewest members of a group.

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


def unit_features(net: PatchNet, pictures: Split, workers: int = 0) -> Tensor:
    """Retrieval features of length 1, (len(pictures), P * D), on the CPU: their products are cosines."""
    return F.normalize(extract(net, pictures, workers=workers).flatten(1), dim=1).cpu()


def pictures_below(folder: File, skip_unreadable: bool = False, without: File = "") -> Split:
    """All pictures in a folder and those inside it, by name; ``without`` one of them, or without unreadable ones.

    Raises:
        InputError: no such folder, or no picture in it.
    """
    if not Path(folder).is_dir():
        raise InputError(f"found no folder {folder}", "expected a folder with pictures of people", "check the path")
    every = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in IMAGE_ENDINGS)
    files = [str(p) for p in every if p.resolve() != Path(without).resolve()]
    broken = find_unreadable(files, full=True) if skip_unreadable else {}
    kept = tuple(file for file in files if file not in broken)
    if not kept:
        expected = f"expected files that end in {', '.join(sorted(IMAGE_ENDINGS))}"
        raise InputError(f"found no picture in {folder}", expected, "check the path")
    return Split(kept, None, None)
