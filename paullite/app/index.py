"""The features of a folder's pictures, kept in a file, so that the next look at the folder takes seconds."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from ..data.items import Split, open_image
from ..errors import InputError
from ..features import extract
from ..files import replacing
from ..models import PatchNet
from ..runs.provenance import digest
from ..version import __version__
from ..weights import read_weights

INDEX = "index.safetensors"


def indexed_features(net: PatchNet, pictures: Split, folder: Path, *, workers: int = 0) -> Tensor:
    """Retrieval features of length 1, (len(pictures), P * D), on the CPU: their products are cosines.

    Those of files are kept in ``index.safetensors`` in ``folder``, in half precision, which moves a cosine by about
    1e-5. A file of the same path, size and time, seen by the same network, is not looked at again; one that is gone is
    dropped. An index that is damaged, or of another network, is made anew.

    >>> import tempfile, paullite as pl
    >>> dolls = pl.data.PaperDolls("target", identities=2, test_identities=2)
    >>> indexed_features(pl.shipped_net(), dolls.query, Path(tempfile.gettempdir())).norm(dim=1).round()[:2]
    tensor([1., 1.])
    """
    if pictures.opener is not open_image:  # pictures that are drawn, not read
        return _unit_features(net, pictures, workers)
    owner = digest(net.state_dict(), f"{net.settings} {net.normalisation} {__version__}")
    files = [_state(path) for path in pictures.paths]
    rows, kept = _read(folder / INDEX, owner)
    new = [i for i, file in enumerate(files) if file not in rows]
    if new:
        fresh = _unit_features(net, pictures.take(new), workers).half()
        rows |= {files[i]: len(rows) + n for n, i in enumerate(new)}
        kept = torch.cat([kept, fresh]) if len(kept) else fresh
    features = kept[[rows[file] for file in files]]
    if new or len(rows) > len(files):
        facts = torch.frombuffer(bytearray(json.dumps([owner, files]).encode()), dtype=torch.uint8)
        with replacing(folder / INDEX) as temporary:
            save_file({"features": features, "files": facts}, temporary)
    return features.float()


def _state(path: str) -> str:
    with suppress(OSError):  # of a file that is gone, which its reader will say
        found = os.stat(path)
        return f"{found.st_size} {found.st_mtime_ns} {os.path.abspath(path)}"
    return path


def _read(file: Path, owner: str) -> tuple[dict[str, int], Tensor]:
    """The row of each file's features, and the features; none if there is no whole index of this network."""
    with suppress(InputError, KeyError, ValueError):
        found = read_weights(file)
        maker, files = json.loads(bytes(found["files"].numpy()))
        if maker == owner and len(files) == len(found["features"]):
            return {name: row for row, name in enumerate(files)}, found["features"].clone()  # not a view of the file
    return {}, torch.empty(0)


def _unit_features(net: PatchNet, pictures: Split, workers: int) -> Tensor:
    return F.normalize(extract(net, pictures, workers=workers).flatten(1), dim=1).cpu()
