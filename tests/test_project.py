"""The files around the code agree with one another."""

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

import paullite as pl

ROOT = Path(__file__).parent.parent
TOP_LEVEL = set(
    "book notebooks paullite tests .ci Makefile README.md CONTRIBUTING.md CHANGELOG.md CITATION.cff".split()
)
TOP_LEVEL |= set("LICENSE LICENSE-TEXT pyproject.toml constraints.txt environment.yml _config.yml _toc.yml".split())
TOP_LEVEL |= {".gitignore", ".gitattributes"}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def project_list(name: str) -> list[str]:
    """A list of strings in pyproject.toml (tomllib is not in Python 3.10)."""
    found = re.search(rf"^{name} = \[(.*?)\]", text("pyproject.toml"), re.MULTILINE | re.DOTALL)
    assert found, name
    return re.findall(r'"([^"]+)"', found.group(1))


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return done.stdout.split("\n")


def test_top_level_is_what_was_agreed() -> None:
    assert {name.split("/")[0] for name in tracked() if name} <= TOP_LEVEL


def test_lower_bounds_only() -> None:
    for needed in [*project_list("dependencies"), *project_list("lab"), *project_list("log")]:
        assert re.fullmatch(r"[a-z0-9-]+>=[0-9.]+", needed), needed


def test_environment_is_the_project_itself() -> None:
    """conda brings Python and pip, with the same lower bound; everything else comes from pyproject.toml."""
    lines = [line.strip() for line in text("environment.yml").splitlines() if line.strip().startswith("- ")]
    assert lines == ["- conda-forge", "- python>=3.10", "- pip", "- pip:", "- -e .[lab]"]
    assert 'requires-python = ">=3.10"' in text("pyproject.toml") and project_list("lab")


def test_constraints_cover_what_is_needed_and_say_for_which_python() -> None:
    lines = text("constraints.txt").splitlines()
    assert re.match(r"# Python 3\.\d+", lines[0])
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    needed = [re.split(r"[>=<]", n)[0] for n in [*project_list("dependencies"), *project_list("test")]]
    assert set(needed) <= pinned
    installed = {re.split(r"[>=<; ]", n)[0] for n in requires("paullite") or [] if "extra ==" not in n}
    assert installed == {re.split(r"[>=<]", n)[0] for n in project_list("dependencies")}


def test_readme_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library example, with fewer people and epochs than the reader gets."""
    blocks = re.findall(r"```python\n(.*?)```", text("README.md"), re.DOTALL)
    assert len(blocks) == 1 and len(blocks[0].strip().splitlines()) <= 15
    small = blocks[0].replace('"source")', '"source", identities=6)').replace('"target")', '"target", identities=6)')
    small = re.sub(r"epochs=\d+", "epochs=1, batch=8, workers=0", small)
    assert small.count("identities=6") == 2 and small.count("epochs=1, batch=8") == 2
    monkeypatch.chdir(tmp_path)
    exec(compile(small, "README.md", "exec"), {})


def test_readme_names_commands_that_exist() -> None:
    makefile = text("Makefile")
    for target in re.findall(r"`?make ([a-z]+)", text("README.md")):
        assert f"\n{target}:" in makefile, target
    from paullite.app.cli import top_level
    from paullite.app.commands import DATA
    from paullite.app.show import SHOW

    known = set(top_level(pl.PRESETS["paperdolls"])) | {"--help"}
    shell = "".join(re.findall(r"```sh\n(.*?)```", text("README.md"), re.DOTALL))
    for line in re.findall(r"^paullite (.*)$", shell, re.MULTILINE):
        words = line.split()
        assert words[0] in known
        assert words[0] != "show" or words[1] in SHOW
        assert words[0] != "data" or words[1] in DATA


def test_import_needs_no_command_line_package() -> None:
    code = "import sys; sys.modules['tyro'] = None; import paullite; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_path_of_a_machine_and_no_foreign_file() -> None:
    for name in tracked():
        path = ROOT / name
        if not name or not path.is_file():
            continue
        assert path.stat().st_size <= 3_000_000, name
        if (
            path.suffix in (".py", ".md", ".toml", ".yml", ".txt", ".cff", ".ipynb", ".js", ".css")
            or name == "Makefile"
        ):
            assert not re.search(r"/(home|root|Users|work)/[a-z]", path.read_text(encoding="utf-8")), name


def test_modules_are_short() -> None:
    lengths = sorted(len(text(str(p.relative_to(ROOT))).splitlines()) for p in (ROOT / "paullite").rglob("*.py"))
    assert lengths[-1] <= 300 and lengths[len(lengths) // 2] <= 150
