"""Find who looks most like a person, in a folder of one's own."""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from ..data.items import Split, open_image
from ..data.layouts import IMAGE_ENDINGS, find_unreadable
from ..errors import InputError, at_least_one
from ..features import extract
from ..files import writable_folder, write_csv
from ..models import PatchNet
from .pictures import draw_matches


def search(
    image: str | Path,
    pictures: Split,
    net: PatchNet,
    *,
    top: int = 12,
    threshold: float | None = None,
    workers: int = 0,
    output: str | Path = "search",
) -> list[tuple[str, float]]:
    """Rank pictures of people by how much they look like one picture.

    Args:
        image: picture of one person, cut out as a detector would.
        pictures: to look through, one person in each, as from `pictures_below`.
        net: its retrieval features are compared.
        top: how many to return, at most.
        threshold: least cosine similarity of a picture that is returned, in -1..1; none: whoever is nearest.
        workers: processes that read images.
        output: folder for ``matches.png`` and ``matches.csv``.

    Returns:
        (path, cosine similarity in -1..1), the most similar first; nothing if nobody reaches the threshold.

    Raises:
        InputError: a picture that cannot be read, or a setting out of range.

    >>> import tempfile, paullite as pl
    >>> dolls = pl.data.PaperDolls("target", identities=2, test_identities=3)
    >>> net = PatchNet("test_resnet", pretrained=False, size=(128, 64), feature_dim=8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     dolls.query[0].image.save(Path(folder, "0.png"))
    ...     found = search(Path(folder, "0.png"), dolls.gallery, net, top=2, output=folder)
    >>> len(found), found[0][1] >= found[1][1]
    (2, True)
    """
    at_least_one(top=top)
    if threshold is not None and not -1 <= threshold <= 1:
        raise InputError(f"found threshold = {threshold:g}", "expected a cosine in -1..1", "try 0.7")
    query, target = open_image(image), writable_folder(output)
    scores = unit_features(net, pictures, workers) @ unit_features(net, Split((str(image),), None, None))[0]
    best = scores.argsort(descending=True, stable=True)[:top].tolist()
    if threshold is not None:
        best = [i for i in best if scores[i] >= threshold]
    found = [(pictures.paths[i], float(scores[i])) for i in best]
    draw_matches(query, pictures, best, [score for _, score in found], target / "matches.png")
    rows = [{"place": n, "similarity": round(s, 6), "path": p} for n, (p, s) in enumerate(found, start=1)]
    write_csv(target / "matches.csv", rows, ("place", "similarity", "path"))
    return found


def unit_features(net: PatchNet, pictures: Split, workers: int = 0) -> Tensor:
    """Retrieval features of length 1, (len(pictures), P * D), on the CPU: their products are cosines."""
    return F.normalize(extract(net, pictures, workers=workers).flatten(1), dim=1).cpu()


def pictures_below(folder: str | Path, skip_unreadable: bool = False, without: str | Path = "") -> Split:
    """All pictures in a folder and the folders inside it, sorted by name.

    Args:
        folder: where to look.
        skip_unreadable: leave out pictures that cannot be read.
        without: one more picture to leave out.

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
        endings = ", ".join(sorted(IMAGE_ENDINGS))
        raise InputError(f"found no picture in {folder}", f"expected files that end in {endings}", "check the path")
    return Split(kept, None, None)
