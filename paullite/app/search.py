"""Find who looks most like a person, in a folder of one's own."""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from ..data.items import Split, open_image
from ..data.layouts import IMAGE_ENDINGS
from ..data.unreadable import find_unreadable
from ..errors import InputError, at_least_one
from ..models import PatchNet
from ..runs import extract, writable_folder, write_csv
from .pictures import draw_matches


def search(
    image: str | Path,
    folder: str | Path,
    net: PatchNet,
    *,
    top: int = 12,
    threshold: float | None = None,
    workers: int = 0,
    output: str | Path = "search",
    skip_unreadable: bool = False,
) -> list[tuple[str, float]]:
    """Rank all pictures below a folder by how much they look like one picture.

    Args:
        image: picture of one person, cut out as a detector would.
        folder: pictures to look through, one person in each; folders inside it count too.
        net: its retrieval features are compared.
        top: how many to return, at most.
        threshold: least cosine similarity of a picture that is returned, in -1..1; none: whoever is nearest.
        workers: processes that read images.
        output: folder for ``matches.png`` and ``matches.csv``.
        skip_unreadable: leave out pictures that cannot be read.

    Returns:
        (path, cosine similarity in -1..1), the most similar first; none if nobody reaches the threshold. The picture
        itself is left out.

    Raises:
        InputError: no such picture or folder, no other picture in it, an unreadable one, a setting out of range.

    >>> import tempfile, paullite as pl
    >>> dolls = pl.data.PaperDolls("target", identities=2, test_identities=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for n in range(4):
    ...         dolls.query[n].image.save(Path(folder, f"{n}.png"))
    ...     net = PatchNet("test_resnet", pretrained=False, size=(128, 64), feature_dim=8)
    ...     found = search(Path(folder, "0.png"), folder, net, top=2, output=Path(folder, "found"))
    >>> len(found), found[0][1] >= found[1][1]
    (2, True)
    """
    at_least_one(top=top)
    if threshold is not None and not -1 <= threshold <= 1:
        raise InputError(f"found threshold = {threshold:g}", "expected a cosine in -1..1", "try 0.7")
    if Path(image).is_dir():
        raise InputError(
            f"found the folder {image}", "expected a picture first, then the folder", "search IMAGE FOLDER"
        )
    query, target = open_image(image), writable_folder(output)
    split = pictures_below(folder, skip_unreadable, without=Path(image))
    one = Split((str(image),), None, None)
    scores = unit_features(net, split, workers) @ unit_features(net, one)[0]
    best = scores.argsort(descending=True, stable=True)[:top].tolist()
    if threshold is not None:
        best = [i for i in best if scores[i] >= threshold]
    found = [(split.paths[i], float(scores[i])) for i in best]
    draw_matches(query, split, best, [score for _, score in found], target / "matches.png")
    rows = [{"place": n, "similarity": round(s, 6), "path": p} for n, (p, s) in enumerate(found, start=1)]
    write_csv(target / "matches.csv", rows, ("place", "similarity", "path"))
    return found


def unit_features(net: PatchNet, split: Split, workers: int = 0) -> Tensor:
    """Retrieval features of length 1, (len(split), P * D), on the CPU: their products are cosines."""
    return F.normalize(extract(net, split, workers=workers).flatten(1), dim=1).cpu()


def pictures_below(folder: str | Path, skip_unreadable: bool, without: Path | None = None) -> Split:
    """All pictures in a folder and the folders inside it, but for one.

    Raises:
        InputError: no such folder, or no picture in it.
    """
    if not Path(folder).is_dir():
        raise InputError(f"found no folder {folder}", "expected a folder with pictures of people", "check the path")
    left_out = without and without.resolve()
    every = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in IMAGE_ENDINGS)
    files = [str(p) for p in every if p.resolve() != left_out]
    broken = find_unreadable(files, full=True) if skip_unreadable else {}
    kept = tuple(file for file in files if file not in broken)
    if not kept:
        endings = ", ".join(sorted(IMAGE_ENDINGS))
        raise InputError(f"found no picture in {folder}", f"expected files that end in {endings}", "check the path")
    return Split(kept, None, None)
