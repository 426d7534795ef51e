"""The data of the explorer: a drawn world, the network that ships, and what that network sees of the world.

    python -m book.explorer.data FILE     after ``make weights``; the build of the site calls `write` by itself

The file is a classic script, because browsers refuse ``fetch`` and modules on ``file://``. It calls
``paulExplorerData(header, text)`` with the settings and the shapes of all arrays, and with the arrays in base64.

Backbone and patch generator are frozen in the page, so an image is its P pooled vectors of C numbers. They are stored
in 8 bits, with one unit per channel: a pooled vector is unit times byte. Each image is there twice, once for each set
of batch-norm statistics: those of the source, and those that were re-estimated on the target.
"""

from __future__ import annotations

import base64
import copy
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import paullite as pl
from paullite.controls import batch_norm
from paullite.data.items import Split
from paullite.data.paperdolls import dolls, draw_person, random_look
from paullite.data.paperdolls.backgrounds import strip
from paullite.data.paperdolls.cameras import make_cameras
from paullite.data.paperdolls.raster import SUPER
from paullite.data.views import originals, surrogates, uniforms
from paullite.models import PatchNet, patch_attention, pool_patches

SHEET = 24  # crops in a row of the sheet
CAMERA_NUMBERS = (
    "saturation",
    "brightness",
    "gamma",
    "haze",
    "gradient",
    "blur",
    "tilt",
    "lean",
    "stretch",
    "tightness",
)


@dataclass(frozen=True)
class Size:
    """How much of the drawn world goes into the file: people of each split, further gallery images, surrogates."""

    people: int = 30
    test_people: int = 30
    others: int = 40
    surrogates: int = 4
    figures: int = 24


@dataclass(frozen=True)
class Images:
    """The images of the file, train then query then gallery, with the labels that only the evaluator may see."""

    pixels: torch.Tensor  #: (M, 3, height, width) uint8
    pids: list[int]
    camids: list[int]
    counts: tuple[int, int, int]


def world() -> pl.data.PaperDolls:
    """The drawn target world that the page shows."""
    return pl.data.PaperDolls("target", seed=0, passage_share=0.8)


def chosen(dataset: pl.data.PaperDolls, size: Size) -> list[Split]:
    """Training images of the first people; queries and gallery of the first test people, with others spread evenly."""
    train = first_people(dataset.train, size.people)
    query = first_people(dataset.query, size.test_people)
    tested = set(query.pids or ())
    pids = dataset.gallery.pids or []
    others = set(dataset.gallery.where(lambda pid: pid <= 0).spread(size.others).paths)
    rows = enumerate(zip(dataset.gallery.paths, pids, strict=True))
    return [train, query, dataset.gallery.take(i for i, (path, pid) in rows if path in others or pid in tested)]


def first_people(split: Split, count: int) -> Split:
    """The images of the first ``count`` people of a split, in its order."""
    return split.where(set(sorted(set(split.pids or ()))[:count]).__contains__)


def gather(splits: Sequence[Split]) -> Images:
    """All images of some splits one after the other."""
    pixels = [np.asarray(item.image) for split in splits for item in split]
    return Images(
        pixels=torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous(),
        pids=[int(pid) for split in splits for pid in split.pids or ()],
        camids=[int(camera) for split in splits for camera in split.camids or ()],
        counts=(len(splits[0]), len(splits[1]), len(splits[2])),
    )


@torch.no_grad()
def pooled(net: PatchNet, images: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """What the frozen part of a network makes of normalised images: pooled vectors (M, P, C) and theta (M, P, 2, 3)."""
    vectors, thetas = [], []
    net.eval()
    for part in images.split(128):
        feature_map = net.backbone(part)
        theta = net.generator(feature_map)
        vectors.append(pool_patches(patch_attention(theta, *feature_map.shape[-2:]), feature_map))
        thetas.append(theta)
    return torch.cat(vectors).numpy(), torch.cat(thetas).numpy()


def views(net: PatchNet, images: Images, count: int) -> torch.Tensor:
    """Normalised images, then ``count`` surrogates of every training image, as phase 2 makes them in its epochs."""
    train = images.pixels[: images.counts[0]]
    forms = torch.full((len(train),), net.size[0] / net.size[1])
    config = pl.PRESETS["paperdolls"].adapt
    found = [originals(images.pixels, net.size, net.normalisation)]
    for epoch in range(count):
        u = uniforms(0, epoch, range(len(train)))
        found.append(surrogates(train, forms, u, net.size, net.normalisation, config))
    return torch.cat(found)


def quantised(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(M, P, C) -> bytes of the same shape and the unit of each channel (C,). Pooled activations are never negative."""
    unit = np.maximum(vectors.max((0, 1)), 1e-6) / 255
    return np.rint(vectors / unit).astype(np.uint8), unit.astype(np.float32)


def weights(net: PatchNet) -> dict[str, np.ndarray]:
    """The tensors that the page needs, in float32: no classifier, no counters."""
    left_out = ("classifier.", "embedding.bias")
    state = {k: v for k, v in net.state_dict().items() if v.is_floating_point() and not k.startswith(left_out)}
    return {name.removeprefix("backbone.net."): value.numpy() for name, value in state.items()}


def arrays(size: Size, start: PatchNet, dataset: pl.data.PaperDolls) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Everything in the file: arrays by name, and the labels and looks that go into the header."""
    images = gather(chosen(dataset, size))
    nets = {"source": copy.deepcopy(start), "target": batch_norm(start, dataset)}
    found = {f"source.{name}": value for name, value in weights(nets["source"]).items()}
    moved = {name: value for name, value in weights(nets["target"]).items() if "running" in name}
    found |= {f"target.{name}": value for name, value in moved.items()}
    pictures = views(start, images, size.surrogates)
    for statistics, net in nets.items():
        vectors, theta = pooled(net, pictures)
        found[f"{statistics}.pooled"], found[f"{statistics}.unit"] = quantised(vectors)
        found[f"{statistics}.theta"] = theta[: len(images.pids)]
    found["sheet"] = np.frombuffer(sheet(images.pixels), np.uint8)
    facts = {"pids": images.pids, "camids": images.camids, "counts": images.counts, "surrogates": size.surrogates}
    return found, {**facts, **people(dataset, size), "sheet": {"columns": SHEET, "type": "image/webp"}}


def sheet(pixels: torch.Tensor) -> bytes:
    """All crops on one picture, ``SHEET`` in a row, as WebP."""
    count, _, height, width = pixels.shape
    rows = -(-count // SHEET)
    whole = np.zeros((rows * height, SHEET * width, 3), np.uint8)
    for place, picture in enumerate(pixels.permute(0, 2, 3, 1).numpy()):
        top, left = place // SHEET * height, place % SHEET * width
        whole[top : top + height, left : left + width] = picture
    buffer = io.BytesIO()
    Image.fromarray(whole).save(buffer, "webp", quality=72, method=4)
    return buffer.getvalue()


def people(dataset: pl.data.PaperDolls, size: Size) -> dict[str, Any]:
    """Looks of drawn people, the palettes, and the cameras with a piece of their place, to draw people in the page."""
    asked = first_people(dataset.query, size.figures)
    looks = {pid: dataset.pictures[path].look for path, pid in zip(asked.paths, asked.pids or (), strict=True)}
    names = {"skin": "SKIN", "hair": "HAIR", "cloth": "CLOTH", "lower": "LOWER", "shoes": "SHOES", "bags": "BAGS"}
    palettes = {name: getattr(dolls, table) for name, table in names.items()}
    cameras = make_cameras(dataset.domain, dataset.cameras, dataset.seed, dataset.camera_shift)
    shown = [
        {**{name: getattr(camera, name) for name in CAMERA_NUMBERS}, "tint": camera.tint, "place": backdrop(camera)}
        for camera in cameras
    ]
    people = {"looks": [asdict(look) for look in looks.values()], "look_pids": list(looks)}
    return {**people, "palettes": palettes, "cameras": shown}


def backdrop(camera: Any, size: tuple[int, int] = (128, 64)) -> str:
    """The middle of a camera's place at the size of a canvas, as the address of a WebP picture."""
    pixels = strip(camera.place, camera.name, camera.clutter, camera.place_strength, size)
    rows, columns = size[0] * SUPER, size[1] * SUPER
    top, left = (pixels.shape[0] - rows) // 2, (pixels.shape[1] - columns) // 2
    buffer = io.BytesIO()
    Image.fromarray(pixels[top : top + rows, left : left + columns]).save(buffer, "webp", quality=80, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def settings(net: PatchNet, dataset: pl.data.PaperDolls, size: Size) -> dict[str, Any]:
    """What the page was made from and what it starts with."""
    preset = pl.PRESETS["paperdolls"].adapt
    names = ("seed", "batch", "lr", "momentum", "weight_decay", "scale", "k", "memory_momentum", "center_momentum")
    names += ("margin", "nearest", "max_candidates", "pedal_weight", "ipfl_weight")
    shape = {"patches": net.patches, "feature_dim": net.feature_dim, "embedding_dim": net.settings["embedding_dim"]}
    shape |= {"channels": net.backbone.channels, "size": net.size, "map": net.backbone.map_size}
    made = {"domain": dataset.domain, "seed": dataset.seed, "passage_share": dataset.passage_share}
    facts = {"world": made, "size": asdict(size), "version": pl.__version__, "normalisation": net.normalisation}
    return {**facts, "network": shape, "preset": {name: getattr(preset, name) for name in names}}


def packed(found: dict[str, np.ndarray]) -> tuple[list[dict[str, Any]], bytes]:
    """Name, type, shape and first byte of every array, and all bytes; each array begins at a multiple of four."""
    index, blob = [], bytearray()
    for name, array in found.items():
        index.append({"name": name, "type": array.dtype.name, "shape": array.shape, "first": len(blob)})
        blob += np.ascontiguousarray(array).tobytes()
        blob += bytes(-len(blob) % 4)
    return index, bytes(blob)


def write_start(file: Path, count: int = 6) -> Path:
    """Write the picture that stands where the explorer will start: some people of the world, on plain paper."""
    looks = [random_look(seed=0, index=index) for index in range(count)]
    views = ("front", "right", "back", "left")
    drawn = [draw_person(look, views[i % 4], 12, (256, 128)) for i, look in enumerate(looks)]
    whole = Image.new("RGB", (sum(one.width for one in drawn), drawn[0].height))
    for i, one in enumerate(drawn):
        whole.paste(one, (i * one.width, 0))
    file.parent.mkdir(parents=True, exist_ok=True)
    whole.save(file, "webp", quality=80, method=4)
    return file


def write(file: Path, *, size: Size = Size(), start: PatchNet | None = None, dataset: Any = None) -> Path:
    """Write the data of the explorer to a file, whose path is returned."""
    start, dataset = start or pl.shipped_net(), dataset or world()
    found, facts = arrays(size, start, dataset)
    index, blob = packed(found)
    header = {"settings": settings(start, dataset, size), **facts, "arrays": index}
    text = json.dumps(header, separators=(",", ":")).replace("</", "<\\/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'paulExplorerData({text},"{base64.b64encode(blob).decode()}");\n', encoding="utf-8")
    return file


if __name__ == "__main__":
    written = write(Path(sys.argv[1] if len(sys.argv) > 1 else "explorer-data.js"))
    print(f"{written}: {written.stat().st_size / 1e6:.1f} MB")
