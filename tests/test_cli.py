"""The command line: every command runs, every bad input is one line and exit code 2."""

import csv
import io
import json
import logging
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import paullite as pl
from paullite.app import cli, commands
from paullite.app.cli import main
from paullite.app.commands import make_adapt
from paullite.app.search import pictures_below
from paullite.run import Run


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
    net = pl.PatchNet(
        "test_resnet", patches=4, feature_dim=16, embedding_dim=8, identities=5, pretrained=False, size=(128, 64)
    )
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
    assert Image.open(first / "curves.png").width > 400
    net = str(first / "run.safetensors")
    assert f"--start {net}" in capsys.readouterr().out
    adapt = ["adapt", "market1501", str(folder), "--start", net, "--output", str(second), "--k", "3", *SMALL]
    assert main(adapt) == 0
    assert (
        main(["evaluate", "market1501", str(folder), "--net", str(second / "run.safetensors"), "--workers", "0"]) == 0
    )
    assert "rank-1" in capsys.readouterr().out
    assert (second / "history.csv").is_file() and Image.open(second / "curves.png").width > 400


def test_one_of_several_processes_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"epoch": 1.0, "loss": 2.0, "rank1": 0.5}
    run = Run(torch.nn.Module(), [row], pl.AdaptConfig(), tmp_path)  # type: ignore[arg-type]
    monkeypatch.setattr(commands, "RANK", "1")
    commands.report(run, "more")
    assert not list(tmp_path.iterdir()) and capsys.readouterr().out == ""
    monkeypatch.setattr(commands, "RANK", "0")
    commands.report(run, "more")
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]
    assert capsys.readouterr().out == f"loss 2.0000  rank1 0.5000\nwritten: {tmp_path}; next: more\n"
    commands.report(Run(torch.nn.Module(), [row], pl.AdaptConfig()), "more")  # type: ignore[arg-type]
    assert "written" not in capsys.readouterr().out


def test_other_processes_name_themselves(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(commands, "RANK", "3")
    assert error_line(capsys, ["search"]).startswith("paullite, process 3: found no IMAGE")
    monkeypatch.setattr(cli, "run", stop)
    assert main([]) == 130 and capsys.readouterr().err == ""
    monkeypatch.setattr(commands, "RANK", "0")
    assert error_line(capsys, [], 130) == "paullite: stopped"


def stop(args: list[str]) -> None:
    """What Ctrl-C does to a command."""
    raise KeyboardInterrupt


def test_evaluate_gives_a_threshold_that_search_takes(
    folder: Path, start: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["evaluate", "market1501", str(folder), "--net", start, "--workers", "0", "--false-accept"]
    with pytest.warns(
        UserWarning, match="of two people, [0-9] in all, for a false-accept rate of 0.1; 30 people and 30"
    ):
        assert main([*args, "0.1"]) == 0
    scores, said = capsys.readouterr().out.strip().splitlines()
    assert "rank-1" in scores and " of the queries would find somebody without their person" in said
    cosine = re.match(r"threshold (\S+): (\S+)% of ", said)
    assert cosine and 5 < float(cosine[2]) <= 10
    image = next((folder / "query").glob("*.jpg"))
    search = ["search", str(image), str(folder / "query"), "--net", start, "--output", str(tmp_path)]
    assert main([*search, "--threshold", cosine[1]]) == 0
    assert all(float(row["similarity"]) >= float(cosine[1]) for row in table(tmp_path / "matches.csv"))
    capsys.readouterr()
    assert "1,000,000 of two people or more for a rate of 1e-06" in error_line(capsys, [*args, "0.000001"])
    assert "found --control" in error_line(capsys, [*args, "0.1", "--control", "camera-mean"])


@pytest.mark.slow
def test_evaluate_control_and_people(folder: Path, start: str, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["evaluate", "market1501", str(folder), "--net", start, "--workers", "0"]
    for control in ("none", "batch-norm", "batch-norm-by-camera", "camera-mean"):
        assert main([*args, "--control", control]) == 0
    assert main([*args, "--people", "3"]) == 0
    *controls, part = capsys.readouterr().out.splitlines()
    assert len({*controls, part}) == 5 and "queries" in part


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


def test_a_picture_is_not_found_in_its_own_folder_however_it_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    image = sorted((folder / "query").glob("*.jpg"))[0]
    for written in (image, image.relative_to(folder), Path("query") / ".." / "query" / image.name):
        for place in (folder / "query", "query"):
            found = pictures_below(place, without=written).paths
            assert len(found) == len(list((folder / "query").glob("*.jpg"))) - 1
            assert image.name not in [Path(path).name for path in found]


def table(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_search_leaves_out_who_is_below_the_threshold(
    folder: Path, start: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = sorted((folder / "query").glob("*.jpg"))[0]
    args = ["search", str(image), str(folder / "query"), "--net", start, "--output", str(tmp_path)]
    assert main(args) == 0
    scores = [float(row["similarity"]) for row in table(tmp_path / "matches.csv")]
    between = (scores[0] + scores[1]) / 2
    assert main([*args, "--threshold", str(between)]) == 0
    assert [float(row["similarity"]) for row in table(tmp_path / "matches.csv")] == scores[:1]
    some = np.asarray(Image.open(tmp_path / "matches.png")).shape
    assert "nobody" not in capsys.readouterr().out
    assert main([*args, "--threshold", "1"]) == 0
    assert "nobody" in capsys.readouterr().out
    assert (tmp_path / "matches.csv").read_text().strip() == "place,similarity,path"
    assert np.asarray(Image.open(tmp_path / "matches.png")).shape == some  # the query, and a word in the other's place


class Console(io.TextIOWrapper):
    """A terminal of another encoding, as a pipe under Windows has."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="\n")

    def text(self) -> str:
        self.seek(0)
        return self.read()


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_names_that_the_console_cannot_print_are_escaped(
    folder: Path, start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """A person's name in Chinese, and one in latin-1 as a zip file from Windows leaves it on Linux."""
    image = sorted((folder / "query").glob("*.jpg"))[0]
    names = ["人_x.jpg", *([os.fsdecode(b"J\xfcrgen.jpg")] if sys.platform == "linux" else [])]
    (tmp_path / "人").mkdir()
    for name in names:
        (tmp_path / "人" / name).write_bytes(image.read_bytes())
    out, found = Console(encoding), tmp_path / "人" / "found"
    monkeypatch.setattr(sys, "stdout", out)
    where = [str(tmp_path / "人"), "--net", start, "--output", str(found)]
    assert main(["search", str(image), *where]) == 0 and main(["group", *where]) == 0
    curves = ["show", "curves", str(tmp_path / "人" / "history.csv"), "--output", str(tmp_path / "人.png")]
    (tmp_path / "人" / "history.csv").write_text("epoch,loss\n1,2.0\n")
    assert main(curves) == 0
    printed = out.text()
    for name in (*names, "人.png"):
        assert name.encode(encoding, "backslashreplace").decode(encoding) in printed
    assert out.errors == "strict"  # as it was
    for file in ("matches.csv", "groups.csv"):
        assert os.fsencode(names[-1]) in (found / file).read_bytes()


def test_the_home_folder_is_known_in_every_path(
    folder: Path, start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also behind the sign of equality, where the shell leaves ~ as it is."""
    from paullite.app.parsing import parse

    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    call = parse(commands.search, ["~/a.jpg", "~", "--output=~/out", "--net", "~/net", "--device=cpu~1"], "search")
    assert [Path(word) for word in call.args] == [tmp_path / "a.jpg", tmp_path]
    assert Path(call.keywords["output"]) == tmp_path / "out" and call.keywords["setup"].device == "cpu~1"
    assert Path(call.keywords["setup"].net) == tmp_path / "net"
    (tmp_path / "history.csv").write_text("epoch,loss\n1,2.0\n")
    assert main(["show", "curves", "~", "--output=~/made/../curves.png"]) == 2
    assert main(["show", "curves", "~", "--output=~/curves.png"]) == 0
    assert (tmp_path / "curves.png").is_file() and not (tmp_path / "~").exists()


def test_group_writes_picture_and_table(
    folder: Path, start: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["group", str(folder / "query"), "--net", start, "--output", str(tmp_path)]
    images = sorted(str(path) for path in (folder / "query").glob("*.jpg"))
    groups = {}
    for distance in ("0.000001", "2"):  # nobody is like anybody; everybody has neighbours
        assert main([*args, "--distance", distance]) == 0
        rows = table(tmp_path / "groups.csv")
        assert [row["path"] for row in rows] == images
        groups[distance] = {int(row["group"]) for row in rows} - {-1}
    assert not groups["0.000001"] and groups["2"] == set(range(1, len(groups["2"]) + 1))
    assert f"{len(groups['2'])} groups of " in capsys.readouterr().out
    assert Image.open(tmp_path / "groups.png").height >= 4 + 132 * len(groups["2"])


def test_group_names_the_package_that_it_needs(
    folder: Path, start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from paullite.app import search

    monkeypatch.setattr(search, "find_spec", lambda name: None)
    args = ["group", str(folder / "query"), "--net", start, "--output", str(tmp_path)]
    assert "pip install scikit-learn" in error_line(capsys, args)


def test_export_writes_the_network_of_a_file(
    start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    monkeypatch.setattr("paullite.networks.export_onnx", lambda net, path: asked.append((net, path)))
    assert main(["export", str(tmp_path / "net.onnx"), "--net", start]) == 0
    ((net, path),) = asked
    assert isinstance(net, pl.PatchNet) and path == str(tmp_path / "net.onnx")
    assert f"written: {path}" in capsys.readouterr().out


@pytest.mark.slow
def test_pictures_run_where_they_are_told(folder: Path, start: str, tmp_path: Path) -> None:
    for what in ("ranking", "embedding"):
        args = ["show", what, "market1501", str(folder), "--net", start, "--device", "cpu", "--workers", "1"]
        assert main([*args, "--output", str(tmp_path / "it.png")]) == 0


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
    assert "torch" in out and "images a second on" in out


def test_doctor_looks_where_a_run_would_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    from paullite.app import doctor

    def fault(*_: object) -> None:
        raise RuntimeError("the driver is too old\nfor this")

    monkeypatch.setattr(doctor, "chosen_device", lambda name: torch.device("meta"))
    monkeypatch.setattr(doctor, "build_net", fault)
    last = doctor.examine()[-1]
    assert last == (False, "training", "on meta: the driver is too old; use --device cpu")


def test_doctor_says_what_is_not_fine(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from paullite.app import doctor

    monkeypatch.setattr(doctor, "version", lambda name: "0.1")
    monkeypatch.setattr(doctor, "_step", lambda: (True, "training", "quick"))
    assert "some lines above say NO" in error_line(capsys, ["doctor"])


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
    for row in demo_module.ROWS:
        assert set(report[row]) == {"rank1", "rank5", "map_step", "map_trapezoid", "minp"}
        assert all(0 <= value <= 1 for value in report[row].values())
    assert report["settings"]["seed"] == 1 and report["versions"]["torch"] and report["seconds"]["total"] > 0
    for picture in ("curves.png", "patches.png", "rankings.png"):
        assert Image.open(tmp_path / "demo" / picture).width > 400
    out = capsys.readouterr().out
    assert all(title in out for title in demo_module.ROWS.values())
    assert str(tmp_path) not in json.dumps(report["settings"])


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["--help"],
        *(
            [name, "--help"]
            for name in ("demo", "doctor", "pretrain", "adapt", "evaluate", "search", "group", "export")
        ),
        *([name, *rest] for name in ("data", "show") for rest in ([], ["--help"])),
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


@pytest.mark.parametrize(
    ("args", "scale"),
    [
        (["duke", "folder"], 5.0),
        (["--epochs", "3", "duke", "folder"], 5.0),
        (["folder", "duke"], 15.0),
        (["folder", "x", "--output", "duke"], 15.0),
        (["folder", "--output=duke", "duke"], 15.0),
        (["folder", "x", "--preset", "duke"], 5.0),
        (["--preset=duke", "market1501", "x"], 5.0),
        (["paperdolls-target"], 2.0),
    ],
)
def test_the_preset_is_that_of_the_kind_alone(args: list[str], scale: float) -> None:
    assert cli.chosen_preset(make_adapt, args).adapt.scale == scale


def test_what_is_misspelt_is_one_line_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    cases = {
        "found --epoch; expected an option of paullite adapt; nearest: --epochs": [
            "adapt",
            "duke",
            "x",
            "--epoch",
            "3",
        ],
        "nearest: --lr-backbone": ["pretrain", "duke", "x", "--lr=3"],
        "nearest: --batch": ["evaluate", "duke", "x", "--bach", "3"],
        "found 'adpt'": ["adpt", "duke"],
        "nearest: ranking": ["show", "rankings"],
        "found no IMAGE, no FOLDER; expected paullite search IMAGE FOLDER": ["search"],
        "found no KIND": ["adapt"],
        "found --batch 'q'; expected --batch INT; see paullite evaluate": ["evaluate", "duke", "x", "--batch", "q"],
        "found --batch ''; expected --batch INT": ["evaluate", "duke", "x", "--batch="],
        "found --size 'a', 'b'; expected --size INT INT": ["pretrain", "duke", "x", "--size", "a", "b"],
        "found --threshold 'hot'; expected --threshold {None}|FLOAT": ["search", "x", "y", "--threshold", "hot"],
        "found --jitter without its value; expected 4 value": ["adapt", "duke", "x", "--jitter", "1"],
        "found --generator 'ligth'; expected one of light, reference; nearest: light": [
            "pretrain",
            "duke",
            "x",
            "--generator",
            "ligth",
        ],
        "nearest: camera-mean": ["evaluate", "duke", "x", "--control", "camera"],
        "found z; expected nothing there": ["show", "patches", "duke", "y", "z"],
        "found -b, 3; expected nothing there": ["evaluate", "duke", "x", "-b", "3"],
        "found --; expected an option": ["evaluate", "duke", "--", "x"],
        "type: paulbook compare a b": ["compare", "a", "b"],
        "type: paulbook experiment list": ["experiment", "list"],
        "type: paulbook marks .": ["marks", "."],
    }
    for words, args in cases.items():
        line = error_line(capsys, args)
        assert line.startswith("paullite: ") and words in line, (words, line)


def test_the_command_of_the_book_speaks_alike(capsys: pytest.CaptureFixture[str]) -> None:
    from paulbook.cli import main as book

    cases = {
        "found --seed; expected an option of paulbook experiment; nearest: --seeds": [
            "experiment",
            "list",
            "--seed",
            "3",
        ],
        "found 'experiments'; expected paulbook with one of experiment, compare, evaluate, marks": ["experiments"],
    }
    for words, args in cases.items():
        assert book(args) == 2
        assert capsys.readouterr().err.startswith(f"paulbook: {words}")


def test_a_setting_that_checks_itself_speaks_for_itself() -> None:
    import dataclasses

    from tyro.conf import OmitArgPrefixes

    from paullite.app.parsing import parse

    @dataclasses.dataclass(frozen=True)
    class Settings:
        size: int = 1

        def __post_init__(self) -> None:
            if self.size < 0:
                raise pl.InputError(f"found size = {self.size}", "expected 0 or more", "try 1")

    def command(settings: OmitArgPrefixes[Settings] = Settings()) -> None:
        """Does nothing."""

    command.__annotations__["settings"] = OmitArgPrefixes[Settings]
    with pytest.raises(pl.InputError, match="^found size = -1; expected 0 or more; try 1; see it --help$"):
        parse(command, ["--size", "-1"], "it")


HELPS = ("--help", "adapt --help", "pretrain --help", "evaluate --help", "group --help", "show ranking --help")


def test_help_needs_no_torch() -> None:
    """One process for all of them: what one would import is there at the next."""
    code = f"""
import sys
from paullite.app.cli import main
for args in {HELPS!r}:
    try:
        main(args.split())
    except SystemExit as stop:
        heavy = {{"torch", "torchvision", "timm", "accelerate", "matplotlib", "sklearn"}} & set(sys.modules)
        if heavy or stop.code:
            sys.exit(f"{{args}}: {{heavy or stop.code}}")
    else:
        sys.exit(f"{{args}} did not end")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    usages = [line.split("[-h]")[0].split() for line in run.stdout.splitlines() if line.startswith("usage: ")]
    assert usages == [["usage:", "paullite", *args.split()[:-1]] for args in HELPS]


def test_a_command_leaves_warnings_and_logging_as_they_were(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("paullite")

    def speak(args: list[str]) -> None:
        logger.info("one step takes %d s", 3)
        warnings.warn("a file is missing", stacklevel=1)
        raise pl.InputError(*args)

    monkeypatch.setattr(cli, "run", speak)
    before = warnings.formatwarning, logger.level, list(logger.handlers)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda *warning: sys.stderr.write(warnings.formatwarning(*warning[:4]))  # not pytest's
        assert main(["found it"]) == 2
    lines = ["paullite: one step takes 3 s", "paullite: a file is missing", "paullite: found it"]
    assert capsys.readouterr().err.splitlines() == lines
    assert (warnings.formatwarning, logger.level, list(logger.handlers)) == before


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
        "found threshold = 2": ["search", str(image), market, "--net", start, "--threshold", "2"],
        "found distance = 0": ["group", market, "--net", start, "--distance", "0"],
        "found least = 0": ["group", market, "--net", start, "--least", "0"],
        "found images = 0": ["show", "patches", "market1501", market, "--net", start, "--images", "0"],
        "a picture first": ["search", market, str(image), "--net", start],
        "need no folder": ["evaluate", "paperdolls-target", market],
        "timm cannot make": ["pretrain", "market1501", market, *small, "--backbone-options", "foo", "bar"],
        "no picture": ["search", str(image), str(empty), "--net", start, "--output", str(tmp_path / "s")],
        "history.csv": ["show", "curves", str(empty)],
        "cannot write to": ["demo", "--output", str(text)],
    }
    if not torch.cuda.is_available():
        cases["found no device cuda"] = ["evaluate", "market1501", market, "--net", start, "--device", "cuda"]
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
