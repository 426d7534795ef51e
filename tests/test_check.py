"""The data check: what it prints for whole, small, broken and wrong data sets."""

from __future__ import annotations

from pathlib import Path

from paullite.app.check import CheckReport, Count, check_dataset
from paullite.data.layouts import PUBLISHED, quoted
from tests.test_readers import DUKE_NAMES, MARKET_NAMES, cut_short, fails, folders, msmt, picture, table


def squeezed(report: CheckReport) -> str:
    """The printed lines, one space between words."""
    return "\n".join(" ".join(line.split()) for line in str(report).splitlines())


def counts(report: CheckReport) -> dict[tuple[str, str], int]:
    return {(count.split, count.what): count.found for count in report.counts}


def test_a_whole_small_market(tmp_path: Path) -> None:
    folders(tmp_path / "Market-1501-v15.09.15", MARKET_NAMES)
    (tmp_path / "Market-1501-v15.09.15" / "readme.txt").write_text("hello")
    report = check_dataset("market1501", tmp_path)
    text = squeezed(report)
    assert report.ok and report.opened == 7 and not report.unreadable and text.isascii()
    assert "ok bounding_box_train/ 3 images" in text and "not used readme.txt" in text
    assert Count("train", "images", 3, 12936) in report.counts and "3 12,936 differs" in text
    assert counts(report)["gallery", "junk"] == counts(report)["gallery", "distractors"] == 1
    assert counts(report)["gallery", "not junk"] == 2 and counts(report)["train", "cameras"] == 3
    assert text.splitlines()[-1] == f"Next: paullite adapt market1501 {tmp_path} --start FILE"


def test_broken_images_are_named(tmp_path: Path) -> None:
    folders(tmp_path, MARKET_NAMES)
    cut_short(tmp_path / "query" / "0003_c1s1_000001_00.jpg")
    for i in range(11):
        (tmp_path / "query" / f"0004_c1s1_{i:06d}_00.jpg").write_bytes(b"")
    report = check_dataset("market1501", tmp_path)
    assert not report.ok and len(report.unreadable) == 12 and not report.problem
    assert counts(report)["query", "images"] == 13  # counted, though broken
    text = squeezed(report)
    assert "Unreadable: 12 (19 images opened)" in text and "and 2 more" in text and "(skip_unreadable=True)" in text
    assert "0003_c1s1_000001_00.jpg: image file is truncated" in text and "000003_00.jpg: 0 bytes" in text
    assert report.do.endswith("--start FILE --skip-unreadable")


def test_quick_check_opens_nothing(tmp_path: Path) -> None:
    folders(tmp_path, MARKET_NAMES)
    cut_short(tmp_path / "query" / "0003_c1s1_000001_00.jpg")
    report = check_dataset("market1501", tmp_path, full=False)
    assert report.ok and report.opened == 0 and "no image opened" in squeezed(report)


def test_wrong_layout_shows_found_and_expected(tmp_path: Path) -> None:
    folders(tmp_path, {"query": ["0001_c1s1_001051_00.jpg"], "training": [f"{i}.jpg" for i in range(3)]})
    report = check_dataset("market1501", tmp_path)
    text = squeezed(report)
    assert not report.ok and not report.counts
    assert "MISSING bounding_box_train/" in text and "ok query/" in text
    assert "not used training/ 3 images" in text
    assert "Problem: found query/, training/" in text
    assert text.splitlines()[-1] == f"Next: correct it, then paullite data check market1501 {tmp_path}"


def test_missing_root_file_and_unknown_kind(tmp_path: Path) -> None:
    report = check_dataset("duke", tmp_path / "no where")
    assert not report.ok and "no where: not there" in squeezed(report)
    assert report.do == f"paullite data check duke {quoted(tmp_path / 'no where')}" and report.do[-1] in "'\""
    assert "a file" in squeezed(check_dataset("duke", picture(tmp_path / "a.zip.png")))
    (tmp_path / "empty").mkdir()
    assert "is empty" in squeezed(check_dataset("duke", tmp_path / "empty"))
    fails(lambda: check_dataset("dukes", tmp_path), "'dukes'", "did you mean duke")
    fails(lambda: check_dataset("paperdolls-target", ""), "drawn", "market1501", "nothing needs a check")


def test_msmt17(tmp_path: Path) -> None:
    report = check_dataset("msmt17", msmt(tmp_path, ("mask_train_v2", "mask_test_v2")))
    assert report.ok and "ok mask_train_v2/ 3 images" in squeezed(report)
    assert counts(report)["train", "images"] == 3 and report.do == f"paullite pretrain msmt17 {tmp_path}"
    assert counts(report)["all", "images"] == 7 and counts(report)["all", "identities"] == 4
    (tmp_path / "list_val.txt").unlink()
    text = squeezed(check_dataset("msmt17", tmp_path))
    assert "ok mask_train_v2/" in text and "MISSING list_val.txt" in text


def test_duke_says_why_it_was_withdrawn(tmp_path: Path) -> None:
    report = check_dataset("duke", folders(tmp_path, DUKE_NAMES))
    assert report.ok and "withdrew" in squeezed(report) and counts(report)["gallery", "distractors"] == 1


def test_folder_and_csv(tmp_path: Path) -> None:
    names = {"query/eve": ["1.png"], "gallery/eve": ["2.png"]}
    report = check_dataset("folder", folders(tmp_path / "f", names))
    assert report.ok and report.do.startswith("paullite evaluate folder") and "no camera numbers" in squeezed(report)
    assert "MISSING train/" in squeezed(report)
    report = check_dataset("csv", table(tmp_path / "c", "1.png,1,1,train", "2.png,2,2,train"))
    assert report.ok and counts(report) == {("train", w): 2 for w in ("images", "identities", "cameras")}
    report = check_dataset("csv", table(tmp_path / "c", "1.png,1,1,train", "2.png,2,2,tests"))
    assert not report.ok and "line 3 has the split 'tests'" in squeezed(report)
    flat = folders(tmp_path / "many", {"": [f"{i}_c1.png" for i in range(8)]})
    assert "found 3 more" in squeezed(check_dataset("folder", flat))


def test_published_numbers_add_up() -> None:
    train, query, gallery, every = PUBLISHED["msmt17"].values()
    assert train["images"] + query["images"] + gallery["images"] == every["images"] == 126441
    assert train["identities"] + query["identities"] == every["identities"] == 4101
    gallery = PUBLISHED["market1501"]["gallery"]
    assert gallery["images"] - gallery["junk"] == gallery["not junk"]
