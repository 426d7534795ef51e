"""The rules of a ranking: who is whose match, who is left out, and what the ranks of the matches are worth."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .data.items import Split, content_keys
from .errors import InputError

Features = Tensor | np.ndarray
Columns = Tensor | np.ndarray | Sequence[int] | Sequence[str]


@dataclass(frozen=True, eq=False)
class RankingRules:
    """Who matches and who is left out of each query's ranking; the columns are those of `score_ranking`.

    >>> match, left_out = RankingRules.of(1, 4, [5], [5, 6, -1, 5], [0], [0, 0, 0, 1], None)(0)
    >>> match.tolist(), left_out.tolist()
    ([3], [0, 2])
    """

    query_pids: np.ndarray
    gallery_pids: np.ndarray
    query_camids: np.ndarray | None
    gallery_camids: np.ndarray | None
    own: np.ndarray | None

    @classmethod
    def of(cls, q: int, g: int, *columns: Columns | None, **named: Columns | None) -> "RankingRules":
        """From Q, G and the five columns, by place or by name. Raises an `InputError` if they do not fit."""
        names = tuple(cls.__dataclass_fields__)
        given = dict.fromkeys(names) | dict(zip(names, columns, strict=False)) | named
        arrays = {name: None if column is None else _array(column) for name, column in given.items()}
        for name, column in arrays.items():
            shape, length = np.shape([] if column is None else column), g if name.startswith("gallery") else q
            needed = column is not None or name.endswith("_pids")
            if needed and (shape[:1] != (length,) or len(shape) > 1 + (name == "own")):
                raise InputError(f"found {name} of shape {shape}", f"expected ({length},)")
        if (arrays["query_camids"] is None) != (arrays["gallery_camids"] is None):
            raise InputError("found cameras on one side only", "expected them for query and gallery, or None twice")
        numbers = (_numbered(*(arrays.pop(name) for name in part)) for part in (names[:2], names[2:4], names[4:]))
        return cls(*itertools.chain(*numbers), **arrays)  # type: ignore[arg-type]  # a name that there is not

    def __call__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Gallery places that match query i, and those that are left out for it."""
        same = self.gallery_pids == self.query_pids[i]  # G
        hidden = self.gallery_pids == -1
        if self.query_camids is not None:
            hidden |= same & (self.gallery_camids == self.query_camids[i])
        if self.own is not None:
            own = np.atleast_1d(self.own[i])
            hidden[own[own >= 0]] = True
        return np.flatnonzero(same & ~hidden), np.flatnonzero(hidden)


def ranking_columns(query: Split, gallery: Split) -> tuple[Columns, Columns, Columns | None, Columns | None, Columns]:
    """Identities, cameras (or None twice) and the places of each query's own image in the gallery, (Q, K), or -1.

    Without cameras an image is its own wherever its content is the same, by whatever path; with cameras, where its path
    is, since the rule of the cameras leaves copies out.
    """
    known = query.camids is not None and gallery.camids is not None
    cameras = (query.camids, gallery.camids) if known else (None, None)
    asked, there = (query.paths, gallery.paths) if known else content_keys(query, gallery)
    places = defaultdict(list)
    for place, key in enumerate(there):
        places[key].append(place)
    own = [places.get(key, []) for key in asked]
    width = max(map(len, own), default=0)
    return query.pids or (), gallery.pids or (), *cameras, np.array([(*row, *[-1] * (width - len(row))) for row in own])


def cosines(query: Features, gallery: Features, chunk: int = 256) -> Iterator[tuple[int, np.ndarray]]:
    """A few queries at a time, so that Q x G are never held: the first one's place, and their cosines (chunk, G)."""
    # a query in float64 keeps the order of cosines that float32 takes for equal; half precision is widened
    dtype = torch.promote_types(torch.as_tensor(query[:0]).dtype, torch.float32)
    q = _unit_rows(query, "query", dtype)  # Q D
    g = _unit_rows(gallery, "gallery", dtype).to(q.device)  # G D
    if q.shape[1] != g.shape[1]:
        found = f"found features of {q.shape[1]} numbers for the query and {g.shape[1]} for the gallery"
        raise InputError(found, "expected those of one network")
    for start in range(0, len(q), chunk):
        yield start, (q[start : start + chunk] @ g.T).cpu().numpy()


def match_ranks(similarity: np.ndarray, match: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """Ranks, from 1, of the matches among (G,) similarities; equal ones keep the gallery's order."""
    kept = similarity.copy()
    kept[left_out] = -np.inf
    ascending = np.sort(kept)  # values only: several times quicker than sorting places
    found = kept[match]
    first, end = (np.searchsorted(ascending, found, side=side) for side in ("left", "right"))
    above = len(kept) - end
    for i in np.flatnonzero(end - first > 1):
        above[i] += np.count_nonzero(kept[: match[i]] == found[i])
    return np.sort(above) + 1


def average_precision(ranks: np.ndarray, rule: str = "step") -> float:
    """Average precision of one query from the ascending ranks r_1..r_n of its matches, counted from 1.

    ``step``: mean of i / r_i; ``trapezoid``: mean of (i / r_i + (i - 1) / (r_i - 1)) / 2, the second term 1 at rank 1.

    >>> average_precision(np.array([1, 4])), round(average_precision(np.array([1, 4]), "trapezoid"), 4)
    (0.75, 0.7083)
    """
    i = np.arange(1, len(ranks) + 1)
    if rule == "step":
        return float((i / ranks).mean())
    before = np.where(ranks == 1, 1.0, (i - 1) / np.maximum(ranks - 1, 1))
    return float((i / ranks + before).mean() / 2)


def _unit_rows(features: Features, name: str, dtype: torch.dtype) -> Tensor:
    # an array is copied: torch would warn of one that cannot be written, and refuse one that runs backwards
    x = features.detach() if isinstance(features, Tensor) else torch.as_tensor(np.array(features))
    if x.ndim != 2 or not len(x):
        raise InputError(f"found {name} features of shape {tuple(x.shape)}", "expected (images, D), one image or more")
    bad = int((~torch.isfinite(x)).any(1).sum())
    if bad:
        raise InputError(f"found NaN or infinity in {bad} of {len(x)} {name} features", "expected finite numbers")
    return F.normalize(x.to(dtype), dim=1)


def _array(column: Columns) -> np.ndarray:
    return np.asarray(column.detach().cpu() if isinstance(column, Tensor) else column)


def _numbered(*columns: np.ndarray | None) -> list[Any]:
    """Whole numbers in 64 bits; names, and what else is no such number, are numbered, equal ones alike; -1 is junk."""
    given = [c for c in columns if c is not None]
    if all(np.can_cast(c.dtype, np.int64) or (c.dtype.kind == "f" and (c == np.trunc(c)).all()) for c in given):
        return [c.astype(np.int64) for c in given] or [None] * len(columns)
    names = np.concatenate([c.astype(str) for c in given])
    if np.isin(names, ("", "nan", "None", "<NA>")).any():
        raise InputError("found images without a label", "expected a number or name for each", "leave them out")
    numbers = np.where(np.isin(names, ("-1", "-1.0")), -1, np.unique(names, return_inverse=True)[1])
    return np.split(numbers, [len(given[0])])[: len(given)]
