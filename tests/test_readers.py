"""Readers: tiny copies of every layout, written and read back; every error is one line that says what to do."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from paullite.data.csv import from_csv
from paullite.data.items import ReIDDataset, open_image
from paullite.data.readers import MSMT17, DukeMTMCreID, ImageFolder, Market1501, load_dataset
from paullite.data.rows import numbers_of
from paullite.errors import InputError

MARKET_NAMES = {
    "bounding_box_train": ["0002_c1s1_000451_03.jpg", "0002_c2s1_000452_03.jpg", "0007_c6s3_000001_01.jpg"],
    "query": ["0001_c1s1_001051_00.jpg"],
    "bounding_box_test": ["-1_c3s2_000001_00.jpg", "0000_c1s1_000151_01.jpg", "0001_c2s1_000301_00.jpg"],
}
DUKE_NAMES = {
    "bounding_box_train": ["0001_c2_f0046182.jpg", "0005_c8_f0051341.jpg"],
    "query": ["0005_c2_f0046985.jpg"],
    "bounding_box_test": ["0005_c1_f0051341.jpg", "0010_c8_f0051342.jpg"],
}
MSMT_LISTS = {
    "list_train.txt": ["0000/0000_000_01_0303morning_0008_0.jpg 0", "0001/0001_000_15_0303noon_0008_0.jpg 1"],
    "list_val.txt": ["0000/0000_001_02_0303morning_0008_0.jpg 0"],
    "list_query.txt": ["0000/0000_000_03_0303morning_0008_0.jpg 0", "0001/0001_000_04_0303noon_0008_0.jpg 1"],
    "list_gallery.txt": ["0000/0000_001_05_0303morning_0008_0.jpg 0", "0001/0001_001_06_0303noon_0008_0.jpg 1"],
}


def picture(path: Path) -> Path:
    """A small JPEG or PNG of noise, whole and readable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 255, (16, 8, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


def cut_short(path: Path) -> Path:
    """A JPEG of which the end is lost."""
    whole = picture(path).read_bytes()
    path.write_bytes(whole[:-40])
    return path


def folders(root: Path, names: dict[str, list[str]]) -> Path:
    for folder, files in names.items():
        for file in files:
            picture(root / folder / file)
    return root


def msmt(root: Path, images: tuple[str, str] = ("train", "test")) -> Path:
    for place, (name, lines) in zip([images[0]] * 2 + [images[1]] * 2, MSMT_LISTS.items(), strict=True):
        for line in lines:
            picture(root / place / line.split()[0])
        (root / name).write_text("\r\n".join(lines) + "\r\n\r\n")
    return root


def table(root: Path, *lines: str, header: str = "path,pid,camid,split") -> Path:
    for line in lines:
        if line.split(",")[0].endswith(".png"):
            picture(root / line.split(",")[0])
    root.mkdir(exist_ok=True)
    (root / "own.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return root / "own.csv"


def fails(read: Callable[[], object], *words: str) -> str:
    """The one line that the reader refuses with; it has the three parts and the given words."""
    with pytest.raises(InputError) as caught:
        read()
    line = str(caught.value)
    assert "\n" not in line and line.count("; ") >= 2 and "expected" in line, line
    assert not [word for word in words if word not in line], line
    return line


# Market-1501 and DukeMTMC-reID


def test_market_reads_numbers_as_printed(tmp_path: Path) -> None:
    data = Market1501(folders(tmp_path, MARKET_NAMES))
    assert (data.train.pids, data.train.camids) == ((2, 2, 7), (1, 2, 6))
    assert (data.query.pids, data.query.camids) == ((1,), (1,))
    assert (data.gallery.pids, data.gallery.camids) == ((-1, 0, 1), (3, 1, 2))  # junk and distractor stay
    assert data.gallery.identities == 2 and data.train[0].image.size == (8, 16)
    assert data.unlabelled()[0].pid is None


@pytest.mark.parametrize(
    "nesting", ["", "Market-1501-v15.09.15", "Market-1501", "market1501/Market-1501-v15.09.15", "what ever"]
)
def test_market_is_found_in_usual_nestings(tmp_path: Path, nesting: str) -> None:
    folders(tmp_path / nesting, MARKET_NAMES)
    assert len(Market1501(tmp_path).train) == 3


def test_each_finds_its_own_where_both_lie_side_by_side(tmp_path: Path) -> None:
    folders(tmp_path / "Market-1501", MARKET_NAMES)
    folders(tmp_path / "DukeMTMC-reID", DUKE_NAMES)
    assert Market1501(tmp_path).train.pids == (2, 2, 7) and DukeMTMCreID(tmp_path).train.pids == (1, 5)


@pytest.mark.parametrize("nesting", ["", "DukeMTMC-reID", "dukemtmc-reid/DukeMTMC-reID"])
def test_duke(tmp_path: Path, nesting: str) -> None:
    folders(tmp_path / nesting, DUKE_NAMES)
    data = DukeMTMCreID(tmp_path)
    assert (data.name, data.train.pids, data.train.camids) == ("DukeMTMC-reID", (1, 5), (2, 8))
    assert data.gallery.pids == (5, 10) and data.query.camids == (2,)


def test_files_that_are_no_images_are_passed_over(tmp_path: Path) -> None:
    folders(tmp_path, MARKET_NAMES)
    (tmp_path / "bounding_box_train" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "query" / "._0001_c1s1_001051_00.jpg").write_bytes(b"")
    (tmp_path / "query" / ".hidden").mkdir()
    data = Market1501(tmp_path)
    assert len(data.train) == 3 and len(data.query) == 1


def test_junk_is_left_out_of_train_and_query(tmp_path: Path) -> None:
    folders(tmp_path, MARKET_NAMES)
    picture(tmp_path / "bounding_box_train" / "-1_c1s1_000001_00.jpg")
    picture(tmp_path / "query" / "-1_c1s1_000001_00.jpg")
    data = Market1501(tmp_path)
    assert len(data.train) == 3 and len(data.query) == 1


def test_any_pid_and_camera_survive_the_name(tmp_path: Path) -> None:
    rng = random.Random(0)
    rows = sorted({(rng.randrange(0, 10**4), rng.randrange(1, 20)) for _ in range(40)})
    names = {**MARKET_NAMES, "bounding_box_train": [f"{p:04d}_c{c}s1_{i:06d}_00.jpg" for i, (p, c) in enumerate(rows)]}
    train = Market1501(folders(tmp_path, names)).train
    assert sorted(zip(train.pids or (), train.camids or (), strict=True)) == rows


# MSMT17


@pytest.mark.parametrize("nesting", ["", "MSMT17_V1", "MSMT17_V2", "msmt17/MSMT17_V1"])
@pytest.mark.parametrize("images", [("train", "test"), ("mask_train_v2", "mask_test_v2")])
def test_msmt17_both_versions(tmp_path: Path, nesting: str, images: tuple[str, str]) -> None:
    msmt(tmp_path / nesting, images)
    data = MSMT17(tmp_path)
    assert (data.train.pids, data.train.camids) == ((0, 1, 0), (1, 15, 2))  # train, then val; 0 is a person
    assert (data.query.pids, data.query.camids) == ((0, 1), (3, 4))
    assert (data.gallery.pids, data.gallery.camids) == ((0, 1), (5, 6))
    assert data.train.identities == 2 and f"{images[1]}" in data.gallery.paths[0]


def test_msmt17_all_lists_numbers_the_people_of_the_test_on(tmp_path: Path) -> None:
    data = MSMT17(msmt(tmp_path), lists="all")
    assert data.train.pids == (0, 1, 0, 2, 3, 2, 3)
    assert data.train.camids == (1, 15, 2, 3, 4, 5, 6)
    assert len(data.query) == len(data.gallery) == 0
    assert load_dataset("msmt17", tmp_path, lists="all").train == data.train


def test_msmt17_all_lists_count_the_people_of_val_too(tmp_path: Path) -> None:
    """In a part of the lists the highest number may stand in val alone."""
    msmt(tmp_path)
    line = "0000/0000_001_02_0303morning_0009_0.jpg"
    picture(tmp_path / "train" / line)
    (tmp_path / "list_val.txt").write_text(f"{line} 7\n")
    assert MSMT17(tmp_path, lists="all").train.pids == (0, 1, 7, 8, 9, 8, 9)


def test_msmt17_refusals(tmp_path: Path) -> None:
    msmt(tmp_path)
    fails(lambda: MSMT17(tmp_path, lists="val"), "'val'", '"train" or "all"')  # type: ignore[arg-type]
    (tmp_path / "train" / "0000" / "0000_000_01_0303morning_0008_0.jpg").unlink()
    fails(lambda: MSMT17(tmp_path), "cannot read 1 of 7", "0000_000_01_0303morning_0008_0.jpg (missing)")
    with pytest.warns(UserWarning, match="left out 1 of 7"):
        assert len(MSMT17(tmp_path, skip_unreadable=True).train) == 2
    (tmp_path / "list_val.txt").write_text("\n0000/0000.jpg\n")
    fails(lambda: MSMT17(tmp_path), "list_val.txt line 2", "0303morning")
    (tmp_path / "list_val.txt").unlink()
    fails(lambda: MSMT17(tmp_path), "list_val.txt", "mask_train_v2", "paullite data check msmt17")


# A folder of one's own


def test_folder_with_splits_and_names(tmp_path: Path) -> None:
    names = {"train": ["1_c1_a.png", "2_c3.png"], "query": ["3_c1.jpg"], "gallery": ["3_c2.JPG", "-1_c2.webp"]}
    data = ImageFolder(folders(tmp_path, names))
    assert (data.train.pids, data.train.camids) == ((1, 2), (1, 3))
    assert (data.query.pids, data.gallery.pids, data.gallery.camids) == ((3,), (-1, 3), (2, 2))


def test_folder_per_person_numbers_names_alike_in_every_split(tmp_path: Path) -> None:
    names = {"train/eve": ["1.png", "2.png"], "train/adam": ["1.png"], "query/zoe": ["a.png"], "gallery/zoe": ["b.png"]}
    with pytest.warns(UserWarning, match="only the query's own file") as caught:
        data = ImageFolder(folders(tmp_path, names))
    assert len(caught) == 1 and "\n" not in str(caught[0].message)
    assert data.train.pids == (0, 1, 1) and data.query.pids == data.gallery.pids == (2,)
    assert data.train.camids is data.query.camids is data.gallery.camids is None


def test_folder_per_person_may_name_cameras(tmp_path: Path) -> None:
    data = ImageFolder(folders(tmp_path, {"eve": ["0001_c4.png"], "adam": ["0001_c2.png"]}))
    assert (data.train.pids, data.train.camids) == ((0, 1), (2, 4))


def test_some_cameras_are_no_cameras(tmp_path: Path) -> None:
    names = {"train/a": ["1_c1.png"], "train/b": ["1_c1.png"], "query/c": ["1_c1.png"], "gallery/c": ["2.png"]}
    with pytest.warns(UserWarning, match="no camera numbers"):
        data = ImageFolder(folders(tmp_path, names))
    assert data.query.camids is None and data.gallery.camids is None and data.train.camids == (1, 1)


def test_unlabelled_images_are_for_adapt_and_search(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="adapt and search"):
        data = ImageFolder(folders(tmp_path, {"": ["IMG_1.png", "IMG_2.png"]}))
    assert data.train.pids is None and data.train[0].pid is None and len(data.query) == 0
    assert data.train[1].image.mode == "RGB"


def test_unlabelled_train_keeps_the_cameras_of_the_test(tmp_path: Path) -> None:
    folders(tmp_path, {"train": ["x.png", "y.png"], "query": ["1_c1.png"], "gallery": ["1_c2.png"]})
    with pytest.warns(UserWarning, match="no identities"):
        data = ImageFolder(tmp_path)
    assert data.train.pids is None and data.query.camids == (1,) and data.gallery.camids == (2,)


def test_a_test_without_train_is_enough_to_evaluate(tmp_path: Path) -> None:
    data = ImageFolder(folders(tmp_path, {"query": ["1_c1.png"], "gallery": ["1_c2.png"]}))
    assert len(data.train) == 0 and len(data.gallery) == 1


def test_folder_pattern(tmp_path: Path) -> None:
    folders(tmp_path, {"": ["cam2-eve-1.png", "cam1-adam-1.png"]})
    data = ImageFolder(tmp_path, r"cam(?P<camid>\w+)-(?P<pid>[a-z]+)")
    assert (data.train.pids, data.train.camids) == ((0, 1), (1, 2))
    fails(lambda: ImageFolder(tmp_path, r"cam(?P<camid>\d)"), "(?P<pid>", "the usual pattern is")
    fails(lambda: ImageFolder(tmp_path, r"(?P<pid>"), "has a mistake", "regular expression")


def test_folder_refusals(tmp_path: Path) -> None:
    fails(lambda: ImageFolder(tmp_path), "is empty", "paullite data check folder")
    fails(lambda: ImageFolder(tmp_path / "no"), "found no folder", "check the path")
    fails(lambda: ImageFolder(picture(tmp_path / "half" / "1_c1.png")), "is a file", "unpack")
    picture(tmp_path / "half" / "me.png")
    fails(lambda: ImageFolder(tmp_path / "half"), "me.png", "every name", "or none")
    picture(tmp_path / "half" / "eve" / "1.png")
    fails(lambda: ImageFolder(tmp_path / "half"), "also in its folders eve", "from_csv")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("a")
    with pytest.warns(UserWarning, match=r"^1 file passed over: 1 \.txt"):
        fails(lambda: ImageFolder(tmp_path / "text"), "found no images", ".jpg", "paullite data check folder")
    fails(
        lambda: ImageFolder(folders(tmp_path / "one", {"": ["1_c1.png", "1_c2.png"]})), "found 1 identity", "2 or more"
    )
    fails(lambda: ImageFolder(folders(tmp_path / "q", {"query": ["1_c1.png"]})), "1 query and 0 gallery", "both")
    fails(
        lambda: ImageFolder(folders(tmp_path / "g", {"query": ["1_c1.png"], "gallery": ["a.png"]})), "gallery needs it"
    )


# CSV


def test_csv_with_names_and_cameras(tmp_path: Path) -> None:
    lines = (
        "a/1.png,eve,1,train",
        "2.png,adam,2,train",
        "",
        "3.png,zoe,1,query",
        "4.png,zoe,3,gallery",
        "4.png,-1,3,gallery",
    )
    data = from_csv(table(tmp_path, *lines))
    assert (data.name, data.train.pids, data.train.camids) == ("own", (1, 0), (1, 2))
    assert (data.query.pids, data.gallery.pids, data.gallery.camids) == ((2,), (2, -1), (3, 3))
    assert Path(data.train.paths[0]) == tmp_path / "a" / "1.png" and data.train[0].image.size == (8, 16)


def test_csv_any_column_order_absolute_paths_byte_order_mark(tmp_path: Path) -> None:
    far = picture(tmp_path / "far" / "1.png")
    path = table(tmp_path / "t", f"train,note,{far},7,1", f"train,,{far},9,1", header="\ufeffsplit,note,path,pid,camid")
    data = from_csv(path)
    assert data.train.pids == (7, 9) and data.train.paths == (str(far), str(far))


def test_csv_without_cameras_and_without_identities(tmp_path: Path) -> None:
    path = table(tmp_path, "1.png,,,train", "2.png,,,train", "3.png,5,,query", "4.png,5,,gallery")
    with pytest.warns(UserWarning) as caught:
        data = from_csv(path)
    assert len(caught) == 2 and all("\n" not in str(w.message) for w in caught)
    assert data.train.pids is None and data.query.camids is None and data.query.pids == (5,)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["1.png,1,1,train", "2.png,2,,train"], ["line 3 has no camid, unlike line 2", "every line or in none"]),
        (["1.png,1,,train", "2.png,2,4,query"], ["line 3 has a camid, unlike line 2"]),
        (["1.png,1,1,train", "2.png,,1,train"], ["line 3 has no pid, unlike line 2"]),
        (["1.png,1,1,train", "2.png,,1,query"], ["line 3 has no pid", "as it is in query"]),
        (["1.png,9.90000000e+16,1,train"], ["line 2 has the rounded pid 9.90000000e+16", "all of its digits"]),
        (["1.png,1,1,test"], ["line 2 has the split 'test'", "train, query, gallery"]),
        (["1.png,1,1"], ["line 2 has 3 values", "expected 4: path,pid,camid,split"]),
        ([",1,1,train"], ["line 2 has no path"]),
        (["1.png,1,1,train"], ["found 1 identity", "2 or more"]),
        (["gone.jpg,1,1,train", "2.png,2,1,train"], ["1 of 2 images", "gone.jpg (missing)", "--skip-unreadable"]),
        ([], ["found no images", "paullite data check csv"]),
        (['"1.png,1,1,train'], ["cannot read the table"]),
    ],
)
def test_csv_refusals_carry_the_line(tmp_path: Path, lines: list[str], words: list[str]) -> None:
    fails(lambda: from_csv(table(tmp_path, *lines)), "own.csv" if "line" in words[0] else "", *words)


def test_csv_header_and_file_refusals(tmp_path: Path) -> None:
    fails(lambda: from_csv(table(tmp_path, header="path;pid;camid;split")), "line 1 is path;pid", "with commas")
    fails(lambda: from_csv(table(tmp_path, header="path,pid,split")), "line 1", "path,pid,camid,split", "add camid")
    fails(lambda: from_csv(tmp_path / "no.csv"), "no.csv (No such file", "path,pid,camid,split")
    (tmp_path / "own.csv").write_bytes("path,pid,camid,split\nä.png".encode("latin-1"))
    fails(lambda: from_csv(tmp_path / "own.csv"), "cannot read the table", "UTF-8")
    (tmp_path / "own.csv").write_bytes(b"")
    fails(lambda: from_csv(tmp_path / "own.csv"), "line 1 is empty")


def test_numbering_is_one_to_one_and_keeps_numbers() -> None:
    rng = random.Random(1)
    for _ in range(50):
        numbers = [str(rng.randrange(-1, 99)) for _ in range(rng.randrange(1, 12))]
        assert numbers_of("identities", numbers) == {n: int(n) for n in numbers}
        names = {rng.choice(["eve", "adam", "-1", "7", "zoë", "Bo"]) for _ in range(4)} | {"eve"}
        number = numbers_of("identities", names)
        people = sorted(number[n] for n in names - {"-1"})
        assert people == list(range(len(people))) and number.get("-1", -1) == -1


def test_two_ways_to_write_a_number_are_no_two_people(tmp_path: Path) -> None:
    data = folders(tmp_path / "a", {"12": ["1.png"], "0012": ["1.png"], "7": ["1.png"]})
    fails(lambda: ImageFolder(data), "identities 0012 and 12", "one number", "rename")
    rows = ["1.png,7,1,train", "2.png,8,1,train", "3.png,07,1,query", "4.png,7,2,gallery"]
    fails(lambda: from_csv(table(tmp_path / "b", *rows)), "identities 07 and 7")
    words = ImageFolder(folders(tmp_path / "c", {"12": ["1.png"], "0012": ["1.png"], "eve": ["1.png"]}))
    assert words.train.pids == (0, 1, 2)  # beside a word they are words


# What other programs write


def test_numbers_as_pandas_writes_them(tmp_path: Path) -> None:
    """One missing cell makes pandas write 5001.0, and NaN for the cell itself."""
    clean = from_csv(table(tmp_path, "1.png,5001,10,train", "2.png,7,2,train", "3.png,7,1,query", "4.png,-1,2,gallery"))
    float_lines = ["1.png,5001.0,10.0,train", "2.png, 7.0 ,2.0,train", "3.png,7.,1.0,query", "4.png,-1.0,2.0,gallery"]
    data = from_csv(table(tmp_path, *float_lines, "  ,,\t,"))
    assert (data.train, data.query, data.gallery) == (clean.train, clean.query, clean.gallery)
    assert data.train.pids == (5001, 7) and data.gallery.pids == (-1,)


@pytest.mark.parametrize("nothing", ["", " ", "NaN", "nan", "NA", "<NA>", "None", "null", "\u00a0"])
def test_nothing_as_other_programs_write_it(tmp_path: Path, nothing: str) -> None:
    with pytest.warns(UserWarning, match="no identities"):
        data = from_csv(table(tmp_path, f"1.png,{nothing},{nothing},train", f"2.png,{nothing},{nothing},train"))
    assert data.train.pids is data.train.camids is None
    lines = ["1.png,5,1,train", f"2.png,{nothing},1,train"]
    fails(lambda: from_csv(table(tmp_path, *lines)), "line 3 has no pid, unlike line 2")


def test_numbers_beyond_64_bits_are_numbered(tmp_path: Path) -> None:
    eve, adam, west = "99000000000000005001", "99000000000000005002", "20240101120000000010"
    lines = [f"1.png,{eve},{west},train", f"2.png,{adam},1,train", f"3.png,{adam},1,query", f"4.png,-1,{west},gallery"]
    with pytest.warns(UserWarning, match=f"cameras are numbered: 1 is 0, {west} is 1"):
        data = from_csv(table(tmp_path, *lines))
    assert data.train.pids == (0, 1) and data.query.pids == (1,) and data.gallery.pids == (-1,)
    assert data.train.camids == (1, 0) and data.gallery.camids == (1,)


def test_cameras_may_be_words(tmp_path: Path) -> None:
    lines = ("1.png,1,west,train", "2.png,2,cam1,train", "3.png,3,west,query", "4.png,3,east,gallery")
    with pytest.warns(UserWarning, match="cameras are numbered: cam1 is 0, east is 1, west is 2") as caught:
        data = from_csv(table(tmp_path, *lines))
    assert len(caught) == 1
    assert (data.train.camids, data.query.camids, data.gallery.camids) == ((2, 0), (2,), (1,))
    folders(tmp_path / "names", {"": ["cam2-eve-1.png", "cam1-adam-1.png"]})
    with pytest.warns(UserWarning, match="cam1 is 0, cam2 is 1"):
        train = ImageFolder(tmp_path / "names", r"(?P<camid>cam\d)-(?P<pid>[a-z]+)").train
    assert train.camids == (0, 1)


def test_paths_as_windows_writes_them(tmp_path: Path) -> None:
    folders(tmp_path, {"a": ["1.png", "2.png"]})
    data = from_csv(table(tmp_path, r"a\1.png,1,1,train", r"a\2.png,2,1,train"))
    assert [item.image.size for item in data.train] == [(8, 16)] * 2
    for name in MSMT_LISTS:
        msmt(tmp_path / "m")
        (tmp_path / "m" / name).write_text("\n".join(MSMT_LISTS[name]).replace("/", "\\"))
        assert [item.image.size for item in MSMT17(tmp_path / "m").train] == [(8, 16)] * 3


def test_where_no_name_leads_to_a_file_the_names_are_wrong(tmp_path: Path) -> None:
    msmt(tmp_path)
    for file in [*tmp_path.rglob("*.jpg")]:
        file.rename(file.with_suffix(".jpeg"))
    for skip in (False, True):
        fails(lambda skip=skip: MSMT17(tmp_path, skip_unreadable=skip), "7 of 7", "correct the names")  # type: ignore[misc]


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    folders(tmp_path / "m", MARKET_NAMES)
    folders(tmp_path / "f", {"": ["1_c1.png", "2_c1.png"]})
    table(tmp_path / "c", "~/f/1_c1.png,1,1,train", "~/f/2_c1.png,2,1,train")
    msmt(tmp_path / "s")
    kinds = {"market1501": "~/m", "folder": "~/f", "csv": "~/c/own.csv", "msmt17": "~/s"}
    assert [load_dataset(kind, root).train.identities for kind, root in kinds.items()] == [2, 2, 2, 2]
    folders(tmp_path / "~x", {"": ["1_c1.png", "2_c1.png"]})
    monkeypatch.chdir(tmp_path)
    assert len(ImageFolder("~x").train) == 2  # a name, and nobody's home


# Folders as people name and nest them


@pytest.mark.parametrize(
    "names",
    [
        ("Train", "Query", "Gallery"),
        ("TRAIN", "QUERY", "GALLERY"),
        ("train_images", "query_images", "gallery_images"),
        ("training", "query-set", "imgs_gallery"),
    ],
)
def test_parts_in_any_spelling(tmp_path: Path, names: tuple[str, str, str]) -> None:
    files = ["1_c1.png", "2_c1.png"], ["3_c1.png"], ["3_c2.png", "-1_c2.png"]
    data = ImageFolder(folders(tmp_path, dict(zip(names, files, strict=True))))
    assert (data.train.pids, data.query.pids, data.gallery.pids) == ((1, 2), (3,), (-1, 3))


def test_parts_of_which_two_are_one(tmp_path: Path) -> None:
    folders(tmp_path, {"train_images": ["1_c1.png", "2_c1.png"], "training": ["3_c1.png", "4_c1.png"]})
    fails(lambda: ImageFolder(tmp_path), "found train_images, training", "one folder for train")
    folders(tmp_path, {"train": ["1_c1.png", "2_c1.png"]})
    with pytest.warns(UserWarning, match="not read in .*: train_images/, training/"):
        assert len(ImageFolder(tmp_path).train) == 2


def test_other_parts_are_no_people_and_are_named(tmp_path: Path) -> None:
    parts = folders(tmp_path / "a", {"test": ["1.png"], "val": ["1.png"]})
    fails(lambda: ImageFolder(parts), "found the folders test, val", "rename them")
    folders(tmp_path / "b", {"train": ["1_c1.png", "2_c1.png"], "test": ["3_c1.png"], "": ["4_c1.png"], "notes": []})
    with pytest.warns(UserWarning, match="not read in .*: 4_c1.png, test/$"):
        assert len(ImageFolder(tmp_path / "b").train) == 2
    data = ImageFolder(folders(tmp_path / "c", {"test": ["1.png"], "eve": ["1.png"]}))
    assert data.train.identities == 2  # beside a name it may be one


def test_folders_nested_once_more(tmp_path: Path) -> None:
    line = fails(lambda: ImageFolder(folders(tmp_path / "a", {"own/eve": ["1.png"], "own/adam": ["1.png"]})), "inside")
    assert f"give {tmp_path / 'a' / 'own'}" in line
    people = {"eve/2020": ["1.png"], "adam": ["1.png"]}
    fails(lambda: ImageFolder(folders(tmp_path / "b", people)), f"inside {tmp_path / 'b' / 'eve'}", "move them up")
    folders(tmp_path / "c", {"eve": ["1.png"], "adam": ["1.png"], "eve/.thumbs": ["1.png"], "__MACOSX/eve": ["1.png"]})
    assert len(ImageFolder(tmp_path / "c").train) == 2


@pytest.mark.parametrize("nesting", ["Market/Market", "a/b", "MARKET"])
def test_market_in_capitals_and_nested_twice(tmp_path: Path, nesting: str) -> None:
    folders(tmp_path / nesting, {name.title(): files for name, files in MARKET_NAMES.items()})
    data = Market1501(tmp_path)
    assert data.train.pids == (2, 2, 7) and data.gallery.pids == (-1, 0, 1)


def test_each_finds_its_own_at_any_depth(tmp_path: Path) -> None:
    folders(tmp_path / "market1501" / "Market-1501-v15.09.15", MARKET_NAMES)
    folders(tmp_path / "dukemtmc-reid", DUKE_NAMES)
    assert Market1501(tmp_path).train.pids == (2, 2, 7) and DukeMTMCreID(tmp_path).train.pids == (1, 5)


def test_a_layout_of_another_kind_is_named(tmp_path: Path) -> None:
    market, people = folders(tmp_path / "m", MARKET_NAMES), msmt(tmp_path / "s")
    own = folders(tmp_path / "f", {"Train": ["1_c1.png", "2_c1.png"], "query": ["3_c1.png"], "gallery": ["3_c2.png"]})
    fails(lambda: MSMT17(market), "of the kind market1501", f"paullite data check market1501 {market}")
    fails(lambda: ImageFolder(market), "of the kind market1501")
    fails(lambda: ImageFolder(people), "of the kind msmt17")
    fails(lambda: Market1501(people), "of the kind msmt17", f"paullite data check msmt17 {people}")
    fails(lambda: Market1501(own), "of the kind folder", f"paullite data check folder {own}")


def test_other_endings_are_read_or_counted(tmp_path: Path) -> None:
    folders(tmp_path, {"": ["1_c1.png", "2_c1.JFIF", "3_c1.jpe", "4_c1.jp2", "5_c1.pgm"]})
    for i in range(20):
        (tmp_path / f"{i}_c1.heic").write_bytes(b"x")
        (tmp_path / f"{i}_c1.dng").write_bytes(b"x")
    for name in ("list", "Thumbs.db", "film.mpg"):
        (tmp_path / name).touch()
    with pytest.warns(UserWarning) as caught:
        data = ImageFolder(tmp_path)
    text = str(caught[0].message)
    assert data.train.pids == (1, 2, 3, 4, 5) and all(item.image for item in data.train) and len(caught) == 1
    assert text.startswith("42 files passed over: ") and "db" not in text
    assert all(part in text for part in ("20 .heic", "20 .dng", "1 .mpg", "1 without ending"))
    picture(folders(tmp_path / "m", MARKET_NAMES) / "query" / "0009_c1s1_000001_00.png")
    (tmp_path / "m" / "query" / "0009_c1s1_000001_00.heic").touch()
    with pytest.warns(UserWarning, match=r"^1 file passed over: 1 .heic"):
        Market1501(tmp_path / "m")


def test_only_junk_is_nothing_to_learn_from(tmp_path: Path) -> None:
    fails(lambda: ImageFolder(folders(tmp_path, {"train": ["-1_c1.png", "-1_c2.png"]})), "found no images")


# Files


def test_every_kind_of_picture_becomes_rgb(tmp_path: Path) -> None:
    grey = np.linspace(0, 255, 128).reshape(16, 8).astype(np.uint8)
    kinds = {
        "1_c1_grey.png": Image.fromarray(grey),
        "2_c1_palette.png": Image.fromarray(grey).convert("P"),
        "3_c1_clear.png": Image.new("RGBA", (8, 16), (255, 0, 0, 0)),
        "4_c1_deep.png": Image.fromarray(grey.astype(np.uint16) * 257),
        "5_c1_cmyk.jpg": Image.new("CMYK", (8, 16)),
        "6_c1_bits.png": Image.fromarray(grey > 99),
    }
    for name, image in kinds.items():
        image.save(tmp_path / name)
    data = ImageFolder(tmp_path)
    images = [item.image for item in data.train]
    assert {(image.mode, image.size) for image in images} == {("RGB", (8, 16))}
    assert np.array_equal(np.asarray(images[0])[..., 0], grey) and np.array_equal(np.asarray(images[3])[..., 0], grey)
    assert images[2].getpixel((0, 0)) == (255, 255, 255)


def test_empty_image_is_found_by_its_size(tmp_path: Path) -> None:
    folders(tmp_path, MARKET_NAMES)
    (tmp_path / "query" / "0003_c1s1_000001_00.jpg").write_bytes(b"")
    fails(lambda: Market1501(tmp_path), "cannot read 1 of 8", "0003_c1s1_000001_00.jpg (0 bytes)", "--skip-unreadable")
    with pytest.warns(UserWarning, match=r"left out 1 of 8 .*0003_c1s1_000001_00.jpg \(0 bytes\)") as caught:
        data = Market1501(tmp_path, skip_unreadable=True)
    assert len(data.query) == 1 and len(caught) == 1


def test_broken_image_is_named_when_read_and_left_out_when_asked(tmp_path: Path) -> None:
    folders(tmp_path, MARKET_NAMES)
    broken = cut_short(tmp_path / "bounding_box_train" / "0009_c1s1_000001_00.jpg")
    data = Market1501(tmp_path)
    fails(lambda: data.train[3].image, broken.name, "--skip-unreadable")
    with pytest.warns(UserWarning, match=r"left out 1 of 8 .*0009_c1s1_000001_00.jpg \(.*truncated"):
        data = Market1501(tmp_path, skip_unreadable=True)
    assert len(data.train) == 3 and all(item.image for item in data.train)


def test_long_lists_of_broken_files_are_cut(tmp_path: Path) -> None:
    for i in range(9):
        (tmp_path / f"{i}_c1.jpg").write_bytes(b"")
    fails(lambda: ImageFolder(tmp_path), "cannot read 9 of 9", "and 6 more")
    with pytest.warns(UserWarning, match="left out 9 of 9"):
        fails(lambda: ImageFolder(tmp_path, skip_unreadable=True), "found no images")


def test_open_image_names_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    for path in (tmp_path / "text.jpg", tmp_path / "none.jpg", cut_short(tmp_path / "cut.jpg"), tmp_path):
        fails(lambda path=path: open_image(path), str(path))  # type: ignore[misc]


# Errors of layout, and data sets by name


def test_layout_refusals(tmp_path: Path) -> None:
    fails(lambda: Market1501(tmp_path), "is empty")
    fails(lambda: Market1501(tmp_path / "no"), "found no folder")
    fails(lambda: Market1501(picture(tmp_path / "b.jpg")), "is a file")
    for name in "acdefg":
        (tmp_path / name).mkdir()
    line = fails(lambda: Market1501(tmp_path), "found a/, b.jpg, c/, d/, e/ and 2 more", "bounding_box_train, query")
    assert f"paullite data check market1501 {tmp_path}" in line


def test_name_and_content_refusals(tmp_path: Path) -> None:
    folders(tmp_path, MARKET_NAMES)
    odd = picture(tmp_path / "query" / "holiday.jpg")
    fails(lambda: Market1501(tmp_path), str(odd), "0002_c1s1_000451_03.jpg", "rename or remove")
    for file in (tmp_path / "query").iterdir():
        file.unlink()
    fails(lambda: Market1501(tmp_path), "found no images in", "query")


def test_one_identity_is_too_few(tmp_path: Path) -> None:
    folders(tmp_path, {**MARKET_NAMES, "bounding_box_train": ["0002_c1s1_000451_03.jpg", "0002_c2s1_000451_03.jpg"]})
    fails(lambda: Market1501(tmp_path), "found 1 identity", "2 or more")


def test_load_dataset_by_kind(tmp_path: Path) -> None:
    places = {
        "market1501": folders(tmp_path / "m", MARKET_NAMES),
        "duke": folders(tmp_path / "d", DUKE_NAMES),
        "msmt17": msmt(tmp_path / "s"),
        "folder": folders(tmp_path / "f", {"": ["1_c1.png", "2_c1.png"]}),
        "csv": table(tmp_path / "c", "1.png,1,1,train", "2.png,2,1,train"),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = {kind: load_dataset(kind, root) for kind, root in places.items()}
    assert all(isinstance(d, ReIDDataset) and d.train.identities == 2 for d in data.values())
    fails(lambda: load_dataset("Market1501", tmp_path), "'Market1501'", "did you mean market1501")
    fails(lambda: load_dataset("duke"), "found no folder for duke", "duke my/folder")


def test_drawn_people_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paullite.data.readers.PaperDolls", lambda domain: domain)  # drawing them all takes seconds
    assert [load_dataset(f"paperdolls-{domain}") for domain in ("source", "target")] == ["source", "target"]
