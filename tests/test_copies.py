"""Images that stand twice, by another spelling of the path or as a copy: the scores are those of the clean set."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import nn

import paullite as pl
from paullite.app.check import CheckReport, check_dataset
from paullite.data.items import Split, content_keys
from paullite.data.transforms import evaluation_transform

HEAD = "path,pid,camid,split\n"
PEOPLE, CAMERAS = 6, 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three noisy pictures of each of six people, one by each camera."""
    rng = np.random.default_rng(0)
    (tmp_path / "query").mkdir()
    for pid in range(PEOPLE):
        looks = rng.integers(0, 255, (8, 4, 3))
        for camid in range(CAMERAS):
            image = (looks + rng.normal(0, 200, looks.shape)).clip(0, 255).astype(np.uint8)
            Image.fromarray(image).resize((64, 128)).save(tmp_path / "query" / name_of(pid, camid))
    return tmp_path


def name_of(pid: int, camid: int) -> str:
    return f"{pid}_c{camid}.png"


def rows(prefix: str, split: str, cameras: bool = False) -> list[str]:
    everybody = [(pid, camid) for pid in range(PEOPLE) for camid in range(CAMERAS)]
    return [f"{prefix}{name_of(p, c)},{p},{c if cameras else ''},{split}" for p, c in everybody]


def with_camera(camid: str, line: str) -> str:
    path, pid, _, split = line.split(",")
    return f"{path},{pid},{camid},{split}"


def table(folder: Path, *lines: str) -> Path:
    (folder / "own.csv").write_text(HEAD + "\n".join(lines) + "\n")
    return folder / "own.csv"


def scored(data: pl.data.ReIDDataset) -> pl.evaluation.Scores:
    """Ranked by the pixels themselves."""
    return pl.evaluate(nn.Flatten(), data, transform=evaluation_transform((8, 4), ([0.5] * 3, [0.5] * 3)))


def clean(folder: Path) -> pl.evaluation.Scores:
    """Every picture asks for the others."""
    scores = scored(pl.data.from_csv(table(folder, *rows("query/", "query"), *rows("query/", "gallery"))))
    assert scores.rank1 < 1 and scores.queries == PEOPLE * CAMERAS  # else copies would change nothing
    return scores


def other_spelling(folder: Path) -> str:
    return "../" + folder.name + "/query/../query/"


def absolute(folder: Path) -> str:
    return f"{folder}/query/"


def link(folder: Path) -> str:
    (folder / "linked").symlink_to(folder / "query")
    return "linked/"


def copied(folder: Path) -> str:
    shutil.copytree(folder / "query", folder / "copied")
    return "copied/"


@pytest.mark.filterwarnings("ignore:no camera numbers")
@pytest.mark.parametrize("prefix", [other_spelling, absolute, link, copied])
def test_without_cameras_the_own_image_is_known_by_any_path(folder: Path, prefix: Callable[[Path], str]) -> None:
    wanted = clean(folder)
    again = rows(prefix(folder), "gallery")
    found = scored(pl.data.from_csv(table(folder, *rows("query/", "query"), *again)))
    assert found.headline() == wanted.headline() and found.first_ranks.tolist() == wanted.first_ranks.tolist()


@pytest.mark.parametrize("cameras", [True, False])
@pytest.mark.parametrize("prefix", [lambda _: "query/", other_spelling, absolute, link])
@pytest.mark.filterwarnings("ignore:no camera numbers")
def test_rows_that_stand_twice_count_once(folder: Path, prefix: Callable[[Path], str], cameras: bool) -> None:
    lines = [*rows("query/", "query", cameras), *rows("query/", "gallery", cameras)]
    wanted = scored(pl.data.from_csv(table(folder, *lines)))
    with pytest.warns(UserWarning, match="left out 36 rows that name an image again"):
        data = pl.data.from_csv(
            table(folder, *lines, *rows(prefix(folder), "gallery", cameras), *rows("query/./", "query", cameras))
        )
    assert scored(data).headline() == wanted.headline() and len(data.gallery) == PEOPLE * CAMERAS


@pytest.mark.filterwarnings("ignore:no camera numbers")
def test_copies_in_folders_are_the_own_image(folder: Path) -> None:
    """Copied once into the gallery, and in it once more under another name."""
    wanted = clean(folder)
    for pid in range(PEOPLE):
        for camid in range(CAMERAS):
            (folder / "own" / "query" / str(pid)).mkdir(parents=True, exist_ok=True)
            (folder / "own" / "gallery" / str(pid)).mkdir(parents=True, exist_ok=True)
            for target in (f"query/{pid}/{camid}.png", f"gallery/{pid}/{camid}.png"):
                shutil.copy(folder / "query" / name_of(pid, camid), folder / "own" / target)
    found = scored(pl.data.ImageFolder(folder / "own"))
    assert found.headline() == wanted.headline()
    for file in [*(folder / "own" / "gallery").rglob("*.png")]:
        shutil.copy(file, file.with_name(f"again_{file.name}"))
    twice = scored(pl.data.ImageFolder(folder / "own"))
    assert twice.rank1 == wanted.rank1 < 1


@pytest.mark.filterwarnings("ignore:no camera numbers")
def test_pictures_in_memory_are_known_by_their_pixels(folder: Path) -> None:
    wanted = clean(folder)
    items: list[tuple[Any, int]] = [
        (Image.open(folder / "query" / name_of(p, c)).convert("RGB"), p) for p in range(PEOPLE) for c in range(CAMERAS)
    ]
    found = scored(pl.data.from_items(items, items, [(image.copy(), pid) for image, pid in items]))
    assert found.headline() == wanted.headline()


def test_only_files_that_may_be_equal_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, data in (("a", b"1"), ("b", b"12"), ("c", b"21"), ("d", b"12")):
        (folder / name).write_bytes(data)
    read: list[str] = []
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or whole(path))  # type: ignore[func-returns-value]
    (first, second) = content_keys(*(Split((f"{folder}/{a}", f"{folder}/{b}"), None, None) for a, b in ("ab", "cd")))
    assert first[1] == second[1] and len({*first, *second}) == 3 and sorted(read) == ["b", "c", "d"]


# ---- what the data check says ----


def counts(report: CheckReport) -> dict[tuple[str, str], int]:
    return {(count.split, count.what): count.found for count in report.counts}


def test_queries_with_a_match_are_counted(folder: Path) -> None:
    lines = [*rows("query/", "query", True), *rows("query/", "gallery", True)]
    assert counts(check_dataset("csv", table(folder, *lines)))["query", "with a match"] == 18
    report = check_dataset("csv", table(folder, *(with_camera("1", line) for line in lines)))
    assert counts(report)["query", "with a match"] == 0 and report.ok
    strangers = [line for line in lines if "gallery" in line and not line.startswith(("query/0", "query/1"))]
    report = check_dataset("csv", table(folder, *rows("query/", "query", True), *strangers), full=False)
    assert counts(report)["query", "with a match"] == 12  # person 0 is one of the two who are not there


@pytest.mark.parametrize("full", [True, False])
def test_an_own_image_is_no_match(folder: Path, full: bool) -> None:
    lines = [*rows("query/", "query"), *(line for line in rows("./query/", "gallery") if "_c0" in line)]
    assert counts(check_dataset("csv", table(folder, *lines), full=full))["query", "with a match"] == 12


def test_the_check_names_test_images_in_train_and_copies(folder: Path) -> None:
    copied(folder)
    train = [line for line in rows("copied/", "train", True) if line.startswith(("copied/0", "copied/1"))]
    lines = [*train, *rows("query/", "query", True), *rows("copied/", "gallery", True)]
    notes = check_dataset("csv", table(folder, *lines)).notes
    assert "6 of 18 test images are also in train, so the scores will be too high" in notes
    assert "18 of 18 query images are also in the gallery" in notes and len(notes) == 2
    lines += rows("query/", "gallery", True)
    notes = check_dataset("csv", table(folder, *lines)).notes
    assert "18 of 36 gallery images are copies of others there" in notes
    assert not check_dataset("csv", table(folder, *rows("query/", "train", True))).notes


def test_the_check_shows_numbered_cameras_and_what_was_passed_over(folder: Path) -> None:
    lines = [with_camera("west" if "_c0" in line else "east", line) for line in rows("query/", "train")]
    assert check_dataset("csv", table(folder, *lines)).notes == ("cameras are numbered: east is 0, west is 1",)
    (folder / "query" / "0_c1.heic").touch()
    (note,) = check_dataset("folder", folder / "query").notes
    assert note.startswith("1 file passed over: 1 .heic")
    assert "Note: 1 file passed over" in str(check_dataset("folder", folder / "query"))


def test_the_check_draws_parts_as_they_are_spelled(folder: Path) -> None:
    (folder / "query").rename(folder / "Train_Images")
    text = " ".join(str(check_dataset("folder", folder)).split())
    assert "ok Train_Images/ 18 images" in text and "MISSING query/" in text
