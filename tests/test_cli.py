"""The command line: every command runs, every bad input is one line and exit code 2."""

import csv
import json
from pathlib import Path

import pytest
import torch
from PIL import Image

import paullite as pl
from paullite.app import cli
from paullite.app.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn people written out in the layout of Market-1501."""
    root = tmp_path_factory.mktemp("market")
    dolls = pl.data.PaperDolls("target", identities=6, test_identities=5, distractors=2, junk=3)
    parts = {"bounding_box_train": dolls.train, "query": dolls.query, "bounding_box_test": dolls.gallery}
    for name, split in parts.items():
        (root / name).mkdir()
        for n, item in enumerate(split):
            pid = f"{item.pid:04d}" if item.pid != -1 else "-1"
            item.image.save(root / name / f"{pid}_c{(item.camid or 0) % 6 + 1}s1_{n:06d}_00.jpg")
    return root


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A network to start from, as a file."""
    torch.manual_seed(0)
    net = pl.PatchNet("test_resnet", 4, 16, 8, 5, pretrained=False, size=(128, 64))
    return str(pl.save(net, tmp_path_factory.mktemp("start") / "net.safetensors"))


SMALL = ["--epochs", "1", "--batch", "8", "--workers", "0", "--no-progress"]


def error_line(capsys: pytest.CaptureFixture[str], args: list[str], code: int = 2) -> str:
    """The one line that a failing command prints on stderr."""
    assert main(args) == code
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.slow
def test_whole_chain_on_a_folder(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    network = ["--backbone", "test_resnet", "--no-pretrained", "--size", "128", "64", "--feature-dim", "16"]
    assert main(["pretrain", "market1501", str(folder), "--output", str(first), *network, *SMALL]) == 0
    net = str(first / "run.safetensors")
    assert f"--start {net}" in capsys.readouterr().out
    adapt = ["adapt", "market1501", str(folder), "--start", net, "--output", str(second), "--k", "3", *SMALL]
    assert main(adapt) == 0
    assert (
        main(["evaluate", "market1501", str(folder), "--net", str(second / "run.safetensors"), "--workers", "0"]) == 0
    )
    assert "rank-1" in capsys.readouterr().out
    assert (second / "history.csv").is_file() and (second / "curves.png").is_file()


def test_evaluate_control_and_people(folder: Path, start: str, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["evaluate", "market1501", str(folder), "--net", start, "--workers", "0"]
    assert main([*args, "--batch-norm"]) == 0
    assert main([*args, "--people", "3"]) == 0
    whole, part = capsys.readouterr().out.splitlines()
    assert whole != part and "queries" in part


def test_search_writes_picture_and_table(
    folder: Path, start: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = sorted((folder / "query").glob("*.jpg"))[0]
    out = tmp_path / "found"
    assert main(["search", str(image), str(folder / "query"), "--net", start, "--top", "3", "--output", str(out)]) == 0
    with open(out / "matches.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 and str(image) not in [row["path"] for row in rows]
    assert [float(r["similarity"]) for r in rows] == sorted((float(r["similarity"]) for r in rows), reverse=True)
    assert Image.open(out / "matches.png").width > 200


@pytest.mark.parametrize("what", ["patches", "ranking", "embedding"])
def test_show_draws(folder: Path, start: str, tmp_path: Path, what: str) -> None:
    out = tmp_path / f"{what}.png"
    assert main(["show", what, "market1501", str(folder), "--net", start, "--output", str(out)]) == 0
    assert Image.open(out).width > 200


def test_show_curves(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,loss,pedal,rank1\n1,2.0,1.0,\n2,1.0,0.5,0.3\n")
    assert main(["show", "curves", str(tmp_path), "--output", str(tmp_path / "curves.png")]) == 0
    assert Image.open(tmp_path / "curves.png").width > 200


def test_data_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", "market1501", str(folder)]) == 0
    assert "12936" in capsys.readouterr().out.replace(",", "")


@pytest.mark.slow
def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "torch" in out and "images a second" in out


@pytest.mark.slow
def test_demo_with_small_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo's wiring on a handful of people; its scores are tested in test_end_to_end."""
    import dataclasses

    from paullite.app import demo as demo_module

    small = pl.Preset(
        dataclasses.replace(pl.PRESETS["paperdolls"].pretrain, epochs=1, batch=8, workers=0, progress=False),
        dataclasses.replace(pl.PRESETS["paperdolls"].adapt, epochs=1, batch=8, workers=0, progress=False, k=3),
    )
    monkeypatch.setitem(demo_module.PRESETS, "paperdolls", small)
    tiny = lambda domain, seed: pl.data.PaperDolls(domain, identities=5, test_identities=4, seed=seed)  # noqa: E731
    monkeypatch.setattr(demo_module, "PaperDolls", tiny)
    assert main(["demo", "--output", str(tmp_path / "demo"), "--seed", "1"]) == 0
    report = json.loads((tmp_path / "demo" / "report.json").read_text())
    for row in ("direct_transfer", "batch_norm_only", "paul"):
        assert set(report[row]) == {"rank1", "rank5", "map_step", "map_trapezoid", "minp"}
        assert all(0 <= value <= 1 for value in report[row].values())
    assert report["settings"]["seed"] == 1 and report["versions"]["torch"] and report["seconds"]["total"] > 0
    for picture in ("curves.png", "patches.png", "rankings.png"):
        assert Image.open(tmp_path / "demo" / picture).width > 400
    assert "direct transfer" in capsys.readouterr().out
    assert str(tmp_path) not in json.dumps(report["settings"])


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["--help"],
        *([name, "--help"] for name in ("demo", "doctor", "pretrain", "adapt", "evaluate", "search", "data", "show")),
        ["data", "check", "--help"],
        *(["show", name, "--help"] for name in ("patches", "ranking", "embedding", "curves")),
    ],
)
def test_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 0
    assert "usage: paullite" in capsys.readouterr().out


def test_help_gives_the_presets_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    for args, scale in ((["adapt", "duke"], "5.0"), (["adapt", "x", "--preset", "market1501"], "15.0")):
        with pytest.raises(SystemExit):
            main([*args, "--help"])
        assert f"(default: {scale})" in capsys.readouterr().out


def test_unknown_options_are_the_parsers(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["adapt", "market1501", "x", "--epoch", "3"])
    assert stop.value.code == 2 and "--epochs" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0 and pl.__version__ in capsys.readouterr().out


def broken(root: Path, content: bytes) -> Path:
    """A copy of the layout with one more query image that is not whole."""
    import shutil

    copy = root.parent / f"broken{len(content)}"
    shutil.copytree(root, copy, dirs_exist_ok=True)
    (copy / "query" / "0001_c1s1_999999_00.jpg").write_bytes(content)
    return copy


def test_a_truncated_image_is_named_and_skipped_on_demand(
    folder: Path, start: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = next((folder / "query").glob("*.jpg")).read_bytes()
    for content in (b"", whole[: len(whole) // 2]):
        args = ["evaluate", "market1501", str(broken(folder, content)), "--net", start, "--workers", "0"]
        assert "0001_c1s1_999999_00.jpg" in error_line(capsys, args)
        with pytest.warns(UserWarning, match="0001_c1s1_999999_00.jpg"):
            assert main([*args, "--skip-unreadable"]) == 0
        capsys.readouterr()


def test_bad_input_is_one_line(folder: Path, start: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market, empty, text = str(folder), tmp_path / "empty", tmp_path / "weights.safetensors"
    empty.mkdir()
    text.write_text("no weights at all")
    image = next((folder / "query").glob("*.jpg"))
    one, lone = tmp_path / "one.csv", tmp_path / "lone.csv"
    one.write_text(f"path,pid,camid,split\n{image},1,1,train\n{image},1,2,train\n")
    lone.write_text(f"path,pid,camid,split\n{image},1,1,query\n{image},2,2,gallery\n")
    cpu = ["--workers", "0", "--no-progress", "--output", str(tmp_path / "run")]
    small = ["--backbone", "test_resnet", "--no-pretrained", "--size", "128", "64", *cpu]
    cases = {
        "absent": ["evaluate", "market1501", str(tmp_path / "absent"), "--net", start],
        "empty": ["evaluate", "market1501", str(empty), "--net", start],
        "bounding_box_train": ["evaluate", "market1501", str(folder / "query"), "--net", start],
        "did you mean market1501": ["evaluate", "market", market, "--net", start],
        "1 identit": ["pretrain", "csv", str(one), *small],
        "weights.safetensors": ["evaluate", "market1501", market, "--net", str(text)],
        "batch of 9999": ["adapt", "market1501", market, "--start", start, "--batch", "9999", *cpu],
        "K = 9999": ["adapt", "market1501", market, "--start", start, "--batch", "8", "--k", "9999", *cpu],
        "has a match": ["evaluate", "csv", str(lone), "--net", start, "--workers", "0"],
        "nearest names": ["pretrain", "market1501", market, *small, "--backbone", "test_resnett"],
        "--generator light": [
            "pretrain",
            "market1501",
            market,
            *small,
            "--generator",
            "reference",
            "--size",
            "32",
            "32",
        ],
        "market1501-referenc": ["adapt", "market1501", market, "--preset", "market1501-referenc"],
        "found no --start": ["adapt", "market1501", market],
        "found batch = 0": ["adapt", "market1501", market, "--start", start, "--batch", "0", *cpu],
        "found k = 0": ["adapt", "market1501", market, "--start", start, "--batch", "8", "--k", "0", *cpu],
        "found lr = -1": ["adapt", "market1501", market, "--start", start, "--batch", "8", "--lr", "-1", *cpu],
        "found people = 0": ["evaluate", "market1501", market, "--net", start, "--people", "0"],
        "found top = 0": ["search", str(image), market, "--net", start, "--top", "0"],
        "found images = 0": ["show", "patches", "market1501", market, "--net", start, "--images", "0"],
        "a picture first": ["search", market, str(image), "--net", start],
        "need no folder": ["evaluate", "paperdolls-target", market],
        "timm cannot make": ["pretrain", "market1501", market, *small, "--backbone-options", "foo", "bar"],
        "no picture": ["search", str(image), str(empty), "--net", start, "--output", str(tmp_path / "s")],
        "history.csv": ["show", "curves", str(empty)],
        "cannot write to": ["demo", "--output", str(text)],
    }
    if not torch.cuda.is_available():
        cases["found no cuda device"] = ["evaluate", "market1501", market, "--net", start, "--device", "cuda"]
    for words, args in cases.items():
        line = error_line(capsys, args)
        assert line.startswith("paullite: ") and words in line, (words, line)


def test_faults_of_the_program_are_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault(args: list[str]) -> None:
        raise KeyError("some\nthing")

    monkeypatch.setattr(cli, "run", fault)
    assert "KeyError" in error_line(capsys, ["doctor"], code=1)
    assert main(["doctor", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err
