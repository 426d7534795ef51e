"""The explorer's training in the library's own words: what the JavaScript of book/explorer has to agree with."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import paullite as pl
from paullite.config import AdaptConfig
from paullite.evaluation import score_ranking
from paullite.memory import FeatureMemory
from paullite.models import PatchLinear
from paullite.step import take_step


class Data:
    """The arrays and the header of a data file, read as the page reads them."""

    def __init__(self, file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        middle = text.rindex(',"')
        self.header: dict[str, Any] = json.loads(text[text.index("(") + 1 : middle])
        blob = base64.b64decode(text[middle + 2 : text.rindex('"')])
        self.arrays: dict[str, np.ndarray] = {}
        for one in self.header["arrays"]:
            kind, shape = np.dtype(one["type"]), tuple(one["shape"])
            values = np.frombuffer(blob, kind, count=int(np.prod(shape)), offset=one["first"])
            self.arrays[one["name"]] = values.reshape(shape)

    def tensor(self, name: str, statistics: str = "target") -> Tensor:
        """A tensor of the network; the running statistics are those that were re-estimated, if asked for."""
        other = f"{statistics}.{name}"
        return torch.tensor(self.arrays[other if other in self.arrays else f"source.{name}"])

    def pooled(self, statistics: str = "target") -> Tensor:
        """Pooled vectors (M, P, C) of all images and then of the surrogates."""
        unit = self.arrays[f"{statistics}.unit"]
        return torch.tensor(self.arrays[f"{statistics}.pooled"].astype(np.float32) * unit)


class Reductions(nn.Module):
    """The part of a PatchNet that learns in the page: from pooled vectors to features and embeddings."""

    def __init__(self, data: Data, statistics: str = "target") -> None:
        super().__init__()
        patches, width, channels = data.tensor("reduction.weight").shape
        self.reduction, self.norm = PatchLinear(patches, channels, width), nn.BatchNorm1d(patches * width)
        for name, value in self.state_dict().items():
            if value.is_floating_point():
                value.copy_(data.tensor(name, statistics))
        self.rows = F.normalize(data.tensor("embedding.weight"), dim=-1)  # P E/P D

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """(B, P, C) -> features (B, P, D) and cosines (B, E)."""
        reduced = self.reduction(pooled)
        reduced = self.norm(reduced.flatten(1)).view_as(reduced)
        features = F.normalize(reduced, dim=-1)
        return features, torch.einsum("bpd,ped->bpe", features, self.rows).flatten(1)


class Twin:
    """The trainer of the page, of the library's memory, step, losses and of torch's SGD."""

    def __init__(self, data: Data, statistics: str = "target", **changes: Any) -> None:
        self.data, self.net = data, Reductions(data, statistics)
        self.config: AdaptConfig = replace(pl.PRESETS["paperdolls"].adapt, **changes)
        self.x, (self.n, self.q, self.g) = data.pooled(statistics), data.header["counts"]
        p, d = self.net.reduction.weight.shape[:2]
        e = self.net.rows.shape[0] * self.net.rows.shape[1]
        self.memory = FeatureMemory(self.n, p, d, momentum=self.config.memory_momentum)
        self.centers = FeatureMemory(self.n, 1, e, momentum=self.config.center_momentum)
        c = self.config
        self.optimiser = torch.optim.SGD(
            self.net.parameters(), lr=c.lr, momentum=c.momentum, weight_decay=c.weight_decay
        )

    @torch.no_grad()
    def fill(self, batches: list[list[int]]) -> None:
        """The first pass, with the statistics of each batch."""
        self.net.train()
        for batch in batches:
            self.memory.update(torch.tensor(batch), self.net(self.x[batch])[0])

    def step(self, index: list[int], view: list[int]) -> dict[str, float]:
        """One step on a batch: images and which surrogate of each."""
        self.net.train()
        rows = torch.tensor(index)
        others = self.n + self.q + self.g + torch.tensor(view) * self.n + rows
        features, embeddings = self.net(self.x[torch.cat([rows, others])])
        both = embeddings.unflatten(0, (2, -1)).transpose(0, 1)
        step = take_step(features[: len(rows)], both, rows, self.memory, self.centers, self.config)
        loss = pl.losses.paul(step)
        self.optimiser.zero_grad()
        loss.total.backward()
        self.optimiser.step()
        return {name: float(value.detach()) for name, value in loss._asdict().items()}

    @torch.no_grad()
    def scores(self, *, camera_mean: bool = False) -> pl.evaluation.Scores:
        """Rank the gallery for every query, perhaps less the mean of the camera over the training images."""
        self.net.eval()
        x = self.net(self.x[: self.n + self.q + self.g])[0]
        cameras, pids = (torch.tensor(self.data.header[name]) for name in ("camids", "pids"))
        if camera_mean:
            for camera in cameras.unique():
                x[cameras == camera] -= x[: self.n][cameras[: self.n] == camera].mean(0)
        parts = (slice(self.n, self.n + self.q), slice(self.n + self.q, None))
        flat = x.flatten(1)
        columns = (values[part] for values in (pids, cameras) for part in parts)
        return score_ranking(flat[parts[0]], flat[parts[1]], *columns)
