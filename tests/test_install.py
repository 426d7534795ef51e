"""Ways to install: which build of PyTorch make takes, and what uv, conda and the container are told."""

import doctest
import json
import platform
import re
from pathlib import Path

import pytest

from book.tools import torch_build
from tests.oldest import PACKAGES

ROOT = Path(__file__).parent.parent


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture
def bare_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without PyTorch."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(torch_build, "find_spec", lambda name: None)


def never() -> bool:
    pytest.fail("the index was asked")


def test_the_examples_hold() -> None:
    found = doctest.testmod(torch_build)
    assert found.attempted and not found.failed


def test_on_linux_the_small_build_is_the_usual_one(bare_linux: None, capsys: pytest.CaptureFixture[str]) -> None:
    fetched: list[list[str]] = []
    assert torch_build.main(["cpu", "-c", "c.txt"], ask=lambda: True, fetch=lambda w: not fetched.append(w)) == 0
    assert fetched == [["-c", "c.txt"]]
    assert capsys.readouterr().out.splitlines() == [torch_build.CPU_BUILD] and "TORCH=gpu" in torch_build.CPU_BUILD


@pytest.mark.parametrize("there", [False, True])
def test_without_its_index_the_usual_build_is_taken_in_one_line(
    bare_linux: None, capsys: pytest.CaptureFixture[str], there: bool
) -> None:
    """Whether the index does not answer, or lacks the version."""
    assert torch_build.main(["cpu"], ask=lambda: there, fetch=lambda words: False) == 0
    assert capsys.readouterr().out.splitlines() == [torch_build.NO_CPU_BUILD]


@pytest.mark.parametrize(("choice", "system"), [("gpu", "Linux"), ("cpu", "Darwin"), ("cpu", "Windows")])
def test_nothing_is_asked_where_the_usual_build_is_right(
    bare_linux: None, monkeypatch: pytest.MonkeyPatch, choice: str, system: str
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert torch_build.main([choice], ask=never, fetch=lambda words: never()) == 0


def test_what_is_installed_stays(bare_linux: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_build, "find_spec", lambda name: object())
    assert torch_build.main(["cpu"], ask=never) == 0


def test_an_intel_mac_is_told_in_one_line(
    bare_linux: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert torch_build.main(["cpu"], ask=never) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "Intel Macs" in said and "Colab" in said


def test_an_index_that_is_not_there_is_not_reachable(tmp_path: Path) -> None:
    assert not torch_build.reachable((tmp_path / "no").as_uri()) and not torch_build.reachable("http://127.0.0.1:9/")


def test_uv_takes_the_same_index_and_both_packages() -> None:
    """tomllib is not in Python 3.10, so the lines are looked at."""
    library, book = (path.read_text(encoding="utf-8") for path in PACKAGES)
    assert f'url = "{torch_build.CPU_INDEX}"\nexplicit = true' in library and 'members = ["book"]' in library
    for name in torch_build.PACKAGES:
        assert f'\n{name} = [{{ index = "pytorch-cpu", marker = "sys_platform == \'linux\'" }}]' in library
    assert "\npaullite = { workspace = true }" in book


def test_the_container_takes_the_small_build() -> None:
    container = json.loads(text(".devcontainer/devcontainer.json"))
    assert "make TORCH=cpu" in container["postCreateCommand"]
    tested = re.match(r"# Python (\S+):", text("constraints.txt"))[1]
    assert container["image"].endswith(f"python:{tested}")
