"""The page *For your own project*: every program on it runs as it stands, and none imports anything private."""

import ast
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "book" / "reference" / "own_project.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_there_is_a_program_for_each_section() -> None:
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert [s.split("\n")[0] for s in sections] == [
        "Your own backbone",
        "Your own data",
        "Your own loss",
        "Your own loop",
        "A program without PyTorch",
    ]
    assert all("```python" in section for section in sections)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_runs_as_it_stands(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "export_onnx" in PROGRAMS[number]:
        pytest.importorskip("onnxscript", reason="needs the extra onnx")
    monkeypatch.chdir(tmp_path)
    exec(compile(PROGRAMS[number], f"{PAGE.name}, program {number + 1}", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_imports_nothing_private(number: int) -> None:
    for node in ast.walk(ast.parse(PROGRAMS[number])):
        names = [alias.name for alias in getattr(node, "names", [])]
        names += [getattr(node, "module", "") or "", getattr(node, "attr", "")]
        assert not any(part.startswith("_") for name in names for part in name.split(".")), ast.unparse(node)
