"""In a folder of one's own: who looks most like a person, which pictures show the same one, and what is kept of it."""

import os
import stat
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..data.items import Split, open_image
from ..data.layouts import HIDDEN, find_unreadable, image_files
from ..errors import InputError, at_least_one
from ..features import extract
from ..files import replacing, writable_folder, write_csv
from ..models import PatchNet
from ..runs.provenance import digest
from ..version import __version__
from .pictures import File, draw_groups, draw_matches

INDEX = "index.safetensors"
ALONE = -1
NEAREST = 5  # neighbours of an image, itself among them
TIE = 1e-6  # cosines that differ by less are equal
APART = 0.9  # distance from which on two groups are two people
MOST = 20_000  # pictures to group; their table of pairs takes about 10 GB
MOST_ROWS = 40  # of the montage
RESULTS = ("matches.png", "groups.png")  # ours, where the table of the same name lies beside


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

    Settings and results are those of the command ``paullite search``; ``pictures`` are as from `pictures_below`. One
    that cannot be read, or a setting out of range, is an `InputError`.

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
    scores = indexed_features(net, pictures, target, workers=workers) @ net.feature(query).cpu()
    best = scores.argsort(descending=True, stable=True)[:top].tolist()
    best = [i for i in best if threshold is None or scores[i] > threshold]
    found = [(pictures.paths[i], float(scores[i])) for i in best]
    draw_matches(query, pictures.take(best), [score for _, score in found], target / "matches.png")
    rows = [{"place": n, "similarity": round(s, 6), "path": p} for n, (p, s) in enumerate(found, start=1)]
    write_csv(target / "matches.csv", rows, ("place", "similarity", "path"))
    return found


def group(
    pictures: Split, net: PatchNet, *, distance: float = 0.3, least: int = 2, workers: int = 0, output: File = "groups"
) -> dict[int, list[str]]:
    """Sort pictures into groups that look like one person each: paths by group, 1 the largest, -1 (last) those alone.

    Settings and results are those of the command ``paullite group``; `clusters` says how. Fewer than 2 pictures, or
    more than 20,000, since time and memory grow with the square of their number; an unreadable one; a setting out of
    range; and no scikit-learn are an `InputError`.
    """
    at_least_one(least=least)
    if not 0 < distance <= 2:
        raise InputError(f"found distance = {distance:g}", "expected a cosine distance above 0, at most 2", "try 0.3")
    if find_spec("sklearn") is None:
        raise InputError("found no scikit-learn", "expected it for groups", "type: pip install scikit-learn")
    if not 2 <= len(pictures) <= MOST:
        raise InputError(f"found {len(pictures):,} pictures", f"expected 2 to {MOST:,}", "group folder by folder")
    target = writable_folder(output)
    numbers = clusters(indexed_features(net, pictures, target, workers=workers), distance=distance, least=least)
    write_csv(target / "groups.csv", [{"path": p, "group": n} for p, n in zip(pictures.paths, numbers, strict=True)])
    names = (*range(1, max(numbers) + 1), ALONE)
    groups = {name: pictures.take(i for i, n in enumerate(numbers) if n == name) for name in names}
    rows = {f"group {n}: {len(members)}": members for n, members in groups.items() if 0 < n <= MOST_ROWS}
    alone, more = groups[ALONE], len(groups) - 1 - len(rows)
    rows |= {f"{more} more groups": alone.take([])} if more else {}
    draw_groups(rows | ({f"alone: {len(alone)}": alone} if alone else {}), target / "groups.png")
    return {name: list(members.paths) for name, members in groups.items()}


def clusters(features: Tensor, *, distance: float, least: int = 2) -> list[int]:
    """Join groups of images that have mutual nearest neighbours in common (average linkage), while d is below 0.9.

    d(a, b) is the share of the members of M(a) and M(b) together that lie in one of the two alone; M(a) are those of
    a's five nearest images, itself the first, that have a among theirs. A limit on what two images share fits networks
    whose cosines differ in height.

    Args:
        features: (N, F), each of length 1; N is 2 or more.
        distance: cosine distance, in 0..2, from which on two images are no neighbours.
        least: fewest members of a group. The groups are numbered 1, the largest, 2 ...; -1 is in no group.

    Source: Zhong et al., CVPR 2017 (k-reciprocal neighbours and their Jaccard distance).

    >>> clusters(torch.eye(2)[[0, 1, 1, 1, 0]], distance=0.5), clusters(torch.eye(2)[[0, 1, 1]], distance=0.5)
    ([2, 1, 1, 1, 2], [-1, 1, 1])
    """
    from sklearn.cluster import AgglomerativeClustering

    cosine = (features @ features.T).fill_diagonal_(2)  # N N; each is its own nearest
    last = cosine.topk(min(NEAREST, len(cosine))).values[:, -1:]
    near = (cosine >= last - TIE).float()  # all copies of an image, however many, are its neighbours
    mutual = near * near.T * (cosine > 1 - distance)
    common, size = mutual @ mutual.T, mutual.sum(1)
    apart = 1 - common / (size[:, None] + size - common)
    join = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=APART)
    found = join.fit_predict(apart.double().numpy()).tolist()
    large = [name for name, size in Counter(found).most_common() if size >= least]
    return [large.index(name) + 1 if name in large else ALONE for name in found]


def pictures_below(folder: File, skip_unreadable: bool = False, without: File = "") -> Split:
    """All pictures in a folder and those inside it, by name; ``without`` one of them, or without unreadable ones.

    Hidden files and folders, ``__MACOSX``, dead links and earlier results of `search` and `group` are passed over. A
    link to a folder is followed; a folder that may not be read is left out with a warning. No such folder, or no
    picture in it, is an `InputError`.
    """
    if not Path(folder).is_dir():
        raise InputError(f"found no folder {folder}", "expected a folder with pictures of people", "check the path")
    own = os.stat(without) if os.path.isfile(without) else None
    files = []
    for file in (str(file) for place in _folders(folder) for file in image_files(place)):
        result = os.path.basename(file) in RESULTS and os.path.exists(f"{file[:-3]}csv")
        with suppress(OSError):  # of dead links
            found = os.stat(file)
            if stat.S_ISREG(found.st_mode) and not result and not (own and os.path.samestat(found, own)):
                files.append(file)
    broken = find_unreadable(files, full=True) if skip_unreadable else {}
    kept = tuple(sorted(set(files) - set(broken)))
    if not kept:
        raise InputError(f"found no picture in {folder}", "expected .jpg, .png or the like", "check the path")
    return Split(kept, None, None)


def _folders(top: File) -> Iterator[Path]:
    """A folder and those inside it, each once, however many links lead there."""

    def warn(error: OSError) -> None:
        warnings.warn(f"left out {error.filename} ({error.strerror})", stacklevel=4)

    seen = {os.path.realpath(top)}
    for place, folders, _ in os.walk(top, onerror=warn, followlinks=True):
        real = {os.path.realpath(os.path.join(place, name)): name for name in folders if not name.startswith(HIDDEN)}
        folders[:] = [name for path, name in real.items() if path not in seen]
        seen.update(real)
        yield Path(place)


def indexed_features(net: PatchNet, pictures: Split, folder: Path, *, workers: int = 0) -> Tensor:
    """Retrieval features of length 1, (len(pictures), P * D), on the CPU: their products are cosines.

    Those of files are kept in ``index.safetensors`` in ``folder``, in half precision, which moves a cosine by about
    1e-5. A file of the same path, size and time, seen by the same network, is not looked at again; one that is gone is
    dropped. An index that is damaged, or of another network, is made anew.

    >>> import paullite as pl
    >>> query = pl.data.PaperDolls("target", identities=2, test_identities=2).query
    >>> indexed_features(pl.shipped_net(), query, Path()).norm(dim=1).round()[:2]
    tensor([1., 1.])
    """
    if pictures.opener is not open_image:  # pictures that are drawn, not read
        return _unit_features(net, pictures, workers)
    owner = digest(net.state_dict(), f"{net.settings} {net.normalisation} {__version__}")
    files = [_state(path) for path in pictures.paths]
    kept = _read(folder / INDEX, owner)
    new = [i for i, file in enumerate(files) if file not in kept]
    if new:
        fresh = _unit_features(net, pictures.take(new), workers).half()
        kept |= {files[i]: row.clone() for i, row in zip(new, fresh, strict=True)}  # safetensors refuses views
    features = {file: kept[file] for file in files}
    if new or len(kept) > len(features):
        with replacing(folder / INDEX) as temporary:
            save_file(features, temporary, metadata={"owner": owner})
    return torch.stack([features[file] for file in files]).float()


def _state(path: str) -> str:
    """What a file's feature is kept under, in ASCII, since a path may be no UTF-8."""
    with suppress(OSError):  # of a file that is gone, which its reader will say
        found = os.stat(path)
        return f"{found.st_size} {found.st_mtime_ns} {os.path.abspath(path)!a}"
    return path


def _read(file: Path, owner: str) -> dict[str, Tensor]:
    """The feature of each file; none if there is no whole index of this network."""
    with suppress(OSError, SafetensorError), safe_open(file, "pt") as index:
        if index.metadata() == {"owner": owner}:
            return {name: index.get_tensor(name).clone() for name in index.keys()}  # noqa: SIM118  # no mapping
    return {}


def _unit_features(net: PatchNet, pictures: Split, workers: int) -> Tensor:
    return F.normalize(extract(net, pictures, workers=workers).flatten(1), dim=1).cpu()
