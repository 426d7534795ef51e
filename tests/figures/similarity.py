"""The figure of chapter 3: one cell of a map against all cells of two; cosines as paullite's network gives them."""

import random
from functools import cache

import torch
import torch.nn.functional as F

import paullite as pl

ROWS, COLUMNS = 8, 4


def settings(rng: random.Random) -> list[dict[str, float]]:
    """Twenty cells."""
    return [{"row": float(rng.randrange(ROWS)), "column": float(rng.randrange(COLUMNS))} for _ in range(20)]


@cache
@torch.no_grad()
def cosines() -> torch.Tensor:
    """The table that the figure should carry, from the chapter's two pictures: 32 x 64."""
    net, source = pl.shipped_net(), pl.data.PaperDolls("source")
    images = [item.image for item in source.query if item.pid == 111]
    maps = net.backbone(torch.stack([net.transform(image) for image in (images[0], images[-1])]))  # 2 C H W
    a, b = F.normalize(maps, dim=1).flatten(2).transpose(1, 2)  # each 32 C
    return a @ torch.cat([a, b]).T


def expected(history: list[dict[str, float]], data: dict) -> dict[str, str]:
    """The read-outs for the last cell, from the figure's rounded table, which must be the network's."""
    table = torch.tensor(data["cosines"], dtype=torch.float64)
    assert torch.allclose(table, cosines().double(), atol=0.001)
    row = table[int(history[-1]["row"]) * COLUMNS + int(history[-1]["column"]), ROWS * COLUMNS :].tolist()
    best = row.index(max(row))
    return {"best": f"row {best // COLUMNS}, column {best % COLUMNS}", "cosine": f"{row[best] + 1e-9:.2f}"}
