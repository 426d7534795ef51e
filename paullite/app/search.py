"""Find who looks most like a person, in a folder of one's own."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F

from ..data.items import Split, open_image
from ..data.layouts import IMAGE_ENDINGS
from ..data.unreadable import find_unreadable
from ..errors import InputError
from ..features import extract
from ..files import writable_folder, write_csv
from ..models import PatchNet
from .pictures import draw_matches


def search(
    image: str | Path,
    folder: str | Path,
    net: PatchNet,
    *,
    top: int = 12,
    output: str | Path = "search",
    skip_unreadable: bool = False,
) -> list[tuple[str, float]]:
    """Rank all pictures below a folder by how much they look like one picture.

    Args:
        image: picture of one person, cut out as a detector would.
        folder: pictures to look through, one person in each; folders inside it count too.
        net: its retrieval features are compared.
        top: how many to return.
        output: folder for ``matches.png`` and ``matches.csv``.
        skip_unreadable: leave out pictures that cannot be read.

    Returns:
        (path, cosine similarity in -1..1), the most similar first. The picture itself is left out.

    Raises:
        InputError: no such picture or folder, no other picture in it, or an unreadable one.

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
    if Path(image).is_dir():
        raise InputError(
            f"found the folder {image}", "expected a picture first, then the folder", "search IMAGE FOLDER"
        )
    query, target = open_image(image), writable_folder(output)
    split = pictures_below(folder, Path(image), skip_unreadable)
    with torch.no_grad():
        device = next(net.parameters()).device
        q = F.normalize(net.eval().retrieval_features(net.transform(query)[None].to(device)), dim=1)
    scores = (F.normalize(extract(net, split).flatten(1), dim=1) @ q[0]).cpu()
    best = scores.argsort(descending=True, stable=True)[:top].tolist()
    found = [(split.paths[i], float(scores[i])) for i in best]
    draw_matches(query, split, best, [score for _, score in found], target / "matches.png")
    rows = [{"place": n, "similarity": round(s, 6), "path": p} for n, (p, s) in enumerate(found, start=1)]
    write_csv(target / "matches.csv", rows)
    return found


def pictures_below(folder: str | Path, image: Path, skip_unreadable: bool) -> Split:
    """All pictures in a folder and the folders inside it, without the one that is searched for."""
    if not Path(folder).is_dir():
        raise InputError(f"found no folder {folder}", "expected a folder with pictures of people", "check the path")
    files = sorted(
        p for p in Path(folder).rglob("*") if p.suffix.lower() in IMAGE_ENDINGS and p.resolve() != image.resolve()
    )
    if not files:
        raise InputError(
            f"found no picture in {folder}",
            f"expected files that end in {', '.join(sorted(IMAGE_ENDINGS))}",
            "check the path",
        )
    broken = find_unreadable(map(str, files), full=True) if skip_unreadable else {}
    return Split(tuple(str(f) for f in files if str(f) not in broken), None, None)
