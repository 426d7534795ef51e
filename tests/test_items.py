"""Items and splits, data sets from sequences in memory, and pictures that stand upright."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

import paullite as pl
from paullite.data.items import Item, Split, open_image, to_rgb
from tests.test_readers import fails, picture

# A picture whose four corners differ, so that each of the eight ways to lay it down gives another one.
CORNERS = np.zeros((32, 16, 3), dtype=np.uint8)
CORNERS[:8, :8] = 255, 0, 0
CORNERS[:8, 8:] = 0, 255, 0
CORNERS[24:, :8] = 0, 0, 255

# How a camera stores the upright picture for each number in the EXIF block.
STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


class Pictures(Dataset[Any]):
    """A torch data set of arrays that counts how often a picture is made."""

    def __init__(self, rows: list[tuple[int, ...]]) -> None:
        self.rows = rows
        self.made = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> tuple[Any, ...]:
        self.made += 1
        return Image.fromarray(np.full((8, 4, 3), place, dtype=np.uint8)), *self.rows[place]


# ---- upright ----


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_pictures_stand_upright(tmp_path: Path, orientation: int, ending: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](CORNERS)))
    options = {"quality": 95, "subsampling": 0} if ending == "jpg" else {}
    stored.save(tmp_path / f"a.{ending}", exif=exif, **options)
    image = open_image(tmp_path / f"a.{ending}")
    assert image.size == (16, 32) and image.mode == "RGB"
    away = np.abs(np.asarray(image).astype(int) - CORNERS)
    assert away.mean() < 4 and (ending == "jpg" or away.max() == 0)
    assert np.array_equal(to_rgb(image), image)  # turned once, not twice


@pytest.mark.parametrize("damage", ["no block", "a fraction for a width"])
def test_a_damaged_exif_block_costs_no_picture(tmp_path: Path, damage: str) -> None:
    tags = [struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0), struct.pack(">HHII", 0x0100, 12, 1, 38)]  # lying; at byte 38
    block = b"Exif\0\0MM\0*\0\0\0\x08\0\x02" + b"".join(tags) + bytes(4) + struct.pack(">d", 1.5)
    Image.fromarray(CORNERS).save(tmp_path / "a.jpg", exif=b"Exif\0\0nonsense" if damage == "no block" else block)
    assert open_image(tmp_path / "a.jpg").size == (16, 32)


def test_a_deep_grey_picture_is_turned_too(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = np.ascontiguousarray(np.rot90(np.arange(128, dtype=np.uint16).reshape(16, 8) * 500, 1))
    Image.fromarray(deep).save(tmp_path / "a.png", exif=exif)
    image = np.asarray(open_image(tmp_path / "a.png"))
    assert image.shape == (16, 8, 3) and image[0, 0, 0] < image[0, 7, 0] < image[15, 0, 0]


# ---- deep grey ----

GREY = np.arange(128, dtype=np.uint8).reshape(16, 8) * 2


def written(path: Path, values: np.ndarray) -> np.ndarray:
    """A picture of these values as it is read again, one colour of it."""
    Image.fromarray(values).save(path)
    image = np.asarray(open_image(path))
    assert image.shape == (*values.shape, 3)
    return image[..., 0]


def twelve_bits(path: Path, values: np.ndarray) -> Path:
    """A TIFF of 12 bits a pixel, which Pillow cannot write."""
    height, width = values.shape
    a, b = values[:, ::2].astype(int), values[:, 1::2].astype(int)
    pixels = np.stack((a >> 4, (a & 15) << 4 | b >> 8, b & 255), -1).astype(np.uint8).tobytes()
    tags = {256: width, 257: height, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(pixels)}
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    head = struct.pack("<2sHI", b"II", 42, 8 + len(pixels))
    path.write_bytes(head + pixels + struct.pack("<H", len(tags)) + table + bytes(4))
    return path


def test_deep_grey_has_the_brightness_of_its_values(tmp_path: Path) -> None:
    as_shares = (GREY / 255).astype(np.float32)
    deep = GREY.astype(np.uint16) * 257
    forms: dict[str, np.ndarray] = {"a.tif": as_shares, "b.tif": as_shares * 255, "c.tif": as_shares * 65535}
    forms |= {"d.png": deep, "e.tif": deep, "f.tif": deep.astype(np.int32)}
    for name, values in forms.items():
        assert np.array_equal(written(tmp_path / name, values), GREY), name
    twelve = np.asarray(open_image(twelve_bits(tmp_path / "g.tif", GREY.astype(int) * 4095 // 255)))
    assert abs(twelve[..., 0].astype(int) - GREY).max() <= 1
    assert not written(tmp_path / "h.tif", GREY.astype(np.float32) * 0).any()  # black is black in every range


@pytest.mark.parametrize("spot", [np.nan, np.inf, -np.inf])
def test_one_spoilt_pixel_spoils_no_other(tmp_path: Path, spot: float) -> None:
    values = (GREY / 255).astype(np.float32)
    values[3, 4] = spot
    read = written(tmp_path / "a.tif", values)
    assert read[3, 4] == (255 if spot == np.inf else 0)
    assert np.argwhere(read != GREY).tolist() == [[3, 4]]


@pytest.mark.parametrize(
    "values",
    [
        GREY.astype(np.uint16),  # perhaps 8 bits in 16, perhaps a dark frame: both are of one camera
        GREY.astype(np.uint16) * 16,  # perhaps 12 bits in 16
        GREY.astype(np.float32) / 127 - 1,
        GREY.astype(np.int32) * 70000,
        GREY.astype(np.float32) / 25,
    ],
)
def test_a_range_that_nobody_can_tell_is_refused(tmp_path: Path, values: np.ndarray) -> None:
    fails(lambda: written(tmp_path / "a.tif", values), "a.tif", "deep grey", "8 bits, scaled alike")


# ---- splits ----


def test_a_split_is_a_sequence() -> None:
    split = Split.from_rows([("a", 3, 0), ("b", -1, 1), ("c", 5, 1)])
    item, rest = split[-1], split[1:]
    assert isinstance(item, Item) and (item.path, item.pid, item.camid) == ("c", 5, 1)
    assert isinstance(rest, Split) and rest.paths == ("b", "c") and rest.camids == (1, 1)
    assert [i.path for i in split] == ["a", "b", "c"] and split.identities == 2 and split[0] in split
    assert [i.path for i in reversed(split)] == ["c", "b", "a"]
    with pytest.raises(IndexError):
        split[3]


def test_a_column_is_kept_if_every_row_has_it() -> None:
    assert Split.from_rows([("a", 3, 0), ("b", 4, None)]).camids is None
    unlabelled = Split.from_rows([("a", None, 0), ("b", 4, 1)])
    assert unlabelled.pids is None and unlabelled.camids == (0, 1) and unlabelled[1].pid is None
    assert Split.from_rows([]).pids == () and len(Split.from_rows([])) == 0


def test_first_people_keep_all_junk_and_distractors(dolls: pl.data.PaperDolls) -> None:
    few = dolls.first_people(2)
    chosen = set(few.query.pids or ())
    assert len(chosen) == 2 and few.train.identities == 2
    wanted = [item.path for item in dolls.gallery if item.pid in {-1, 0} | chosen]
    assert list(few.gallery.paths) == wanted
    pids = few.gallery.pids or ()
    assert pids.count(-1) == 3 and pids.count(0) > 0 and chosen <= set(pids) < set(dolls.gallery.pids or ())


def test_first_people_keep_distractors_with_numbers_of_their_own() -> None:
    query = Split.from_rows([("q", 5, 0), ("r", 7, 0)])
    gallery = Split.from_rows([("a", 5, 1), ("b", 7, 1), ("c", 3, 1), ("d", -1, 1), ("e", 0, 1)])
    few = pl.data.ReIDDataset("toy", Split.from_rows([]), query, gallery).first_people(1)
    assert few.query.pids == (5,) and few.gallery.pids == (5, 3, -1, 0) and len(few.train) == 0


def test_first_people_of_unlabelled_images_are_some_of_them_all() -> None:
    split = Split.from_rows([(f"{i:03d}", i // 10, i % 2) for i in range(100)])
    few = pl.data.ReIDDataset("own", split.unlabelled(), split, split).first_people(2)
    assert few.train.pids is None and len(few.train) == 40 and few.query.identities == few.gallery.identities == 2
    assert few.train.paths[::39] == ("000", "099") and list(few.train.paths) == sorted(few.train.paths)
    assert len(pl.data.ReIDDataset("own", split.unlabelled(), split, split).first_people(6).train) == 100


def test_person_0_is_a_person() -> None:
    split = Split.from_rows([("a", 0, 0), ("b", 1, 0), ("c", -1, 1)])
    data = pl.data.ReIDDataset("own", split, split, split)
    assert split.identities == 2 and data.first_people(1).train.pids == (0,)
    assert data.first_people(1).gallery.pids == (0, -1)


@pytest.mark.parametrize("value", ["eve", "5", 1.7, float("inf"), 2**63, (1,)])
def test_rows_of_a_split_take_whole_numbers(value: Any) -> None:
    fails(lambda: Split.from_rows([("a", value, 0)]), repr(value), "whole numbers")
    fails(lambda: Split.from_rows([("a", 0, value)]), repr(value), "whole numbers")


def test_rows_of_a_split_know_nothing_in_any_form() -> None:
    for nothing in (None, float("nan"), np.nan, np.float32("nan"), ""):
        split = Split.from_rows([("a", 3, nothing), ("b", nothing, 1)])  # type: ignore[list-item]
        assert split.pids is split.camids is None
    split = Split.from_rows([("a", 5001.0, np.int16(3)), ("b", np.float32(-1), 0)])  # type: ignore[list-item]
    assert Split.from_rows([("a", torch.tensor(3), np.int64(-(2**62)))]).pids == (3,)  # type: ignore[list-item]
    assert split.pids == (5001, -1) and split.camids == (3, 0) and {type(pid) for pid in split.pids or ()} == {int}


# ---- from_items ----


def test_every_form_of_image(tmp_path: Path) -> None:
    colour = np.arange(96, dtype=np.uint8).reshape(8, 4, 3)
    grey = colour[..., 0].copy()
    path = picture(tmp_path / "a.png")
    rows = [(colour, 1, 0), (grey, 1, 1), (Image.fromarray(grey), 2, 0), (path, 2, 1), [str(path), np.int64(3), 2]]
    data = pl.data.from_items(rows)
    assert data.train.pids == (1, 1, 2, 2, 3) and data.train.camids == (0, 1, 0, 1, 2)
    assert data.train.paths[:3] == tuple(f"item-train-{i:06d}" for i in range(3))
    assert data.train.paths[3:] == (str(path), str(path)) and type(data.train.pids[4]) is int
    images = [np.asarray(item.image) for item in data.train]
    assert np.array_equal(images[0], colour) and np.array_equal(images[1], images[2])
    assert np.array_equal(images[3], Image.open(path)) and all(image.shape[2] == 3 for image in images)
    assert len(data.query) == len(data.gallery) == 0 and data.name == "items"


def test_a_whole_test_with_junk() -> None:
    array = np.zeros((8, 4, 3), dtype=np.uint8)
    rows = [(array, pid, camid) for pid, camid in ((4, 0), (-1, 0), (6, 1))]
    data = pl.data.from_items(rows, query=rows, gallery=rows, name="own")
    assert data.train.pids == data.query.pids == (4, 6) and data.gallery.pids == (4, -1, 6)
    assert data.query.paths == ("item-query-000000", "item-query-000002") and data.name == "own"
    assert data.unlabelled()[0].pid is None and data.first_people(1).gallery.pids == (4, -1)


def test_cameras_only_if_all_have_one() -> None:
    array = np.zeros((8, 4), dtype=np.uint8)
    with pytest.warns(UserWarning, match="no camera numbers"):
        data = pl.data.from_items([(array, 1), (array, 2, 0)], [(array, 1, 0)], [(array, 1)])
    assert data.train.camids is data.query.camids is data.gallery.camids is None
    kept = pl.data.from_items([(array, 1), (array, 2)], [(array, 1, 0)], [(array, 1, 1)])
    assert kept.train.camids is None and kept.query.camids == (0,) and kept.gallery.camids == (1,)


def test_nobody_in_train_is_unlabelled() -> None:
    array = np.zeros((8, 4), dtype=np.uint8)
    with pytest.warns(UserWarning, match="adapt and search"):
        data = pl.data.from_items([(array, None, 0), (array, None, 1)])
    assert data.train.pids is None and data.train.camids == (0, 1)


def test_a_torch_dataset_is_asked_only_when_a_picture_is_needed() -> None:
    source = Pictures([(1, 0), (2, 1), (2, 0)])
    data = pl.data.from_items(source)
    assert source.made == 3 and data.train.pids == (1, 2, 2)
    part = data.train.take([2])
    assert source.made == 3 and part[0].image.getpixel((0, 0)) == (2, 2, 2) and source.made == 4
    assert pl.data.from_items(Pictures([(1,), (2,)])).train.camids is None


def test_items_travel_to_workers() -> None:
    train = pl.data.from_items(Pictures([(1, 0), (2, 1), (3, 0)])).train
    again = pickle.loads(pickle.dumps(train))
    assert [np.asarray(item.image)[0, 0, 0] for item in again] == [0, 1, 2]
    loader = DataLoader(Brightness(train), batch_size=None, num_workers=1)
    assert [int(value) for value in loader] == [0, 1, 2]


class Brightness(Dataset[int]):
    def __init__(self, split: Split) -> None:
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, place: int) -> int:
        return int(np.asarray(self.split[place].image)[0, 0, 0])


ARRAY = np.zeros((8, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(ARRAY, 1, 0), ARRAY], ["found a ndarray in train[1]", "(image, person, camera)"]),
        ([(ARRAY,)], ["found a tuple of 1 in train[0]"]),
        ([(ARRAY, 1, 0, 4)], ["found a tuple of 4 in train[0]"]),
        ([{"image": ARRAY, "pid": 1, "camid": 0}], ["found a dict in train[0]"]),
        ([(ARRAY, "eve", 0)], ["'eve'", "train[0]", "whole numbers"]),
        ([(ARRAY, 1.5, 0)], ["1.5", "whole numbers"]),
        ([(ARRAY, 1, 0), (ARRAY, None, 0)], ["no person in train[1]", "in no row of train"]),
        ([(torch.zeros(3, 8, 4), 1, 0)], ["found a Tensor of torch.float32, (3, 8, 4)", "must not turn images"]),
        ([(ARRAY.astype(float), 1, 0)], ["found a ndarray of float64, (8, 4, 3)", "uint8"]),
        ([(ARRAY[..., :2], 1, 0)], ["uint8, (8, 4, 2)"]),
        ([(ARRAY, 1, 0)], ["found 1 identity", "2 or more"]),
        ([], ["found no images"]),
        (iter([(ARRAY, 1, 0)]), ["found a list_iterator as train", "make it a list"]),
        (None, ["found a NoneType as train"]),
    ],
)
def test_wrong_rows_are_shown(rows: Any, words: list[str]) -> None:
    fails(lambda: pl.data.from_items(rows), *words)


def test_half_a_test_and_a_test_without_people_are_errors() -> None:
    train = [(ARRAY, 1, 0), (ARRAY, 2, 0)]
    fails(lambda: pl.data.from_items(train, query=train), "2 query and 0 gallery", "both")
    fails(lambda: pl.data.from_items(train, [(ARRAY, None, 0)], train), "no person in query[0]")
