"""The files around the code agree with one another, and the code keeps the order of the house."""

import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import paulbook as pb
import pytest
import yaml

import paullite as pl
from tests import imports
from tests.imports import CORE, edges, layer, lines, loads, modules
from tests.oldest import PACKAGES, oldest, requirements

ROOT = Path(__file__).parent.parent
LIBRARY, BOOK = PACKAGES
# The most lines of Python. The goal for the whole library is 7,500, which has not been reached; it must not move away.
WHOLE, NEWCOMERS, RUNS, MODULE = 8266, 2400, 1100, 300
TEXTS = (".py", ".md", ".toml", ".yml", ".txt", ".cff", ".ipynb", ".js", ".css", ".sh", "")
# What a distribution is called where its name is not that of its import
DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn", "IPython": "ipython", "yaml": "pyyaml"}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def names_in(path: Path, *lists: str) -> set[str]:
    """Names of what is required in lists of a pyproject.toml."""
    return {re.split(r"[>=<\[ ]", line)[0] for name in lists for line in requirements(path, name)}


def git(*words: str) -> list[str]:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [line for line in done.stdout.split("\n") if line]


# Imports


def test_no_circle_of_imports() -> None:
    """At the top of a module, inside a function or for type checkers only: none closes a circle."""
    assert imports.closing_edges(loads()) == []


def test_a_circle_is_found_and_its_last_edge_is_named() -> None:
    made = imports.Edge("paullite.losses", "paullite.adaptation", 7, (), True)
    found = imports.closing_edges([*edges(), made])
    assert any("paullite.losses" in line and "paullite.adaptation" in line for line in found)


def test_every_module_is_in_a_layer() -> None:
    for name in modules():
        assert name == "paullite" or layer(name) >= 0


def test_imports_run_downwards_only() -> None:
    assert imports.upward(edges()) == []


def test_the_library_never_imports_the_book() -> None:
    assert [imports.shown(e) for e in edges() if e.importer.startswith("paullite") and "paulbook" in e.imported] == []
    assert not {"paulbook", "book"} & set(imports.foreign("paullite"))


def test_nothing_imports_names_from_the_root() -> None:
    """The roots import names from everywhere; whoever took a name from its own root would close a circle."""
    roots = [e for e in edges() if e.imported in ("paullite", "paulbook")]
    assert [imports.shown(e) for e in roots if e.names or e.imported == e.importer.split(".")[0]] == []


def test_no_private_name_crosses_modules() -> None:
    assert imports.private(edges()) == []


def test_imports_inside_functions_are_for_the_command_line_or_optional_packages() -> None:
    """`paullite --help` must start without torch; anywhere else, a late import of ours hides a circle."""
    late = [e for e in edges() if e.inside and e.importer.startswith("paullite.")]
    assert [imports.shown(e) for e in late if not e.importer.startswith("paullite.app.")] == []


@pytest.mark.parametrize("root", [pl, pb], ids=lambda root: root.__name__)
def test_names_of_the_root_are_where_it_says(root: ModuleType) -> None:
    for module, names in root.HOMES.items():
        home = import_module(f"{root.__name__}.{module}")
        assert [name for name in names if getattr(root, name) is not getattr(home, name)] == []
    listed = {*root.MODULES, *(name for names in root.HOMES.values() for name in names)}
    assert set(root.__all__) - {"__version__"} == listed and set(dir(root)) == set(root.__all__)
    assert [name for name in root.MODULES if getattr(root, name).__name__ != f"{root.__name__}.{name}"] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("check", "pb.check"),
        ("check_report", "pb.check_report"),
        ("figures", "pb.figures"),
        ("teaching", "pb"),
        ("experiments", "pb.studies"),
    ],
)
def test_old_names_say_where_they_are_now(old: str, new: str) -> None:
    with pytest.raises(AttributeError) as error:
        getattr(pl, old)
    said = str(error.value)
    assert f"pl.{old}" in said and "import paulbook as pb" in said and said.endswith(new) and "\n" not in said


@pytest.mark.parametrize("program", ["paullite.app.cli", "paulbook.cli"])
def test_commands_are_listed_without_torch(program: str) -> None:
    code = f"""
import sys
from {program} import main
try:
    main(["--help"])
except SystemExit:
    pass
assert "torch" not in sys.modules, "torch was imported"
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.slow
def test_import_is_light_and_leaves_the_book_alone() -> None:
    """Every public name, without a command line, a drawing library or the book."""
    code = """
import sys
sys.modules.update(dict.fromkeys(("tyro", "paulbook", "IPython", "nbformat", "sklearn", "onnx")))
import paullite
import paullite.errors
assert "torch" not in sys.modules
for name in paullite.__all__:
    getattr(paullite, name)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# What is installed


@pytest.mark.parametrize(("package", "path"), [("paullite", LIBRARY), ("paulbook", BOOK)])
def test_what_is_imported_is_declared(package: str, path: Path) -> None:
    """At the top of a module: among the dependencies. Inside a function it may be in an extra."""
    declared = names_in(LIBRARY, "dependencies")
    if package == "paulbook":
        declared |= names_in(BOOK, "dependencies")
    extras = names_in(LIBRARY, "lab", "onnx", "group", "test") | names_in(BOOK, "site")
    early = {DISTRIBUTIONS.get(name, name) for name in imports.foreign(package, late=False)}
    late = {DISTRIBUTIONS.get(name, name) for name in imports.foreign(package)}
    known = {*sys.stdlib_module_names, "paullite", "paulbook"}
    assert early - known <= declared and late - known <= declared | extras


def test_lower_bounds_only() -> None:
    """Upper bounds would keep users from new versions; each one that stays has its reason here."""
    upper = {"jupyter-book>=1.0.4,<2", f"paullite=={pl.__version__}"}  # version 2 is another program; one repository
    upper |= {"ipywidgets>=7.7.1,!=8.1.9"}  # which shows nothing in VS Code (microsoft/vscode-jupyter#17504)
    lists = [(LIBRARY, "dependencies"), *((LIBRARY, name) for name in ("test", "lab", "onnx", "group"))]
    for path, name in [*lists, (BOOK, "dependencies"), (BOOK, "site")]:
        for needed in requirements(path, name):
            assert needed in upper or re.fullmatch(r"[a-z0-9-]+>=[0-9.]+", needed), needed


def test_constraints_cover_what_is_needed_and_keep_the_bounds() -> None:
    first, *pins = text("constraints.txt").splitlines()
    assert re.match(r"# Python 3\.\d+", first)
    pinned = {name.lower().replace("_", "-"): version for name, version in (pin.split("==") for pin in pins)}
    needed = names_in(LIBRARY, "dependencies", "test") | names_in(BOOK, "dependencies", "site") - {"paullite"}
    assert needed <= set(pinned), needed - set(pinned)
    for line in oldest():
        name, bound = line.split("==")
        assert numbers(pinned[name]) >= numbers(bound), line


def numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)][:3]


CONDA = {"torch": "pytorch", "matplotlib": "matplotlib-base"}  # names of conda-forge that differ from those of PyPI


def test_conda_has_what_both_packages_ask_for() -> None:
    """The same names with the same bounds, so that pip adds nothing but the packages themselves."""
    asked = {re.search(r'requires-python = "(>=[\d.]+)"', path.read_text(encoding="utf-8"))[1] for path in PACKAGES}
    *listed, last = yaml.safe_load(text("environment.yml"))["dependencies"]
    needed = [*requirements(LIBRARY), *requirements(LIBRARY, "lab"), *requirements(BOOK)]
    needed = [line for line in needed if not line.startswith("paullite")] + [f"python{asked.pop()}"]
    named = {re.sub(r"^[a-z0-9-]+", lambda found: CONDA.get(found[0], found[0]), line) for line in needed}
    assert not asked and set(listed) == named | {"pip", "pytorch-cpu"}
    assert {(ROOT / line.removeprefix("-e ") / "pyproject.toml").resolve() for line in last["pip"]} == set(PACKAGES)


def test_nothing_that_is_made_is_committed() -> None:
    """No file that .gitignore leaves out, such as a build, a run or a cache, is in the repository."""
    assert git("ls-files", "--cached", "--ignored", "--exclude-standard") == []


def test_markers_are_those_of_the_tiers() -> None:
    registered = re.findall(
        r'^    "(\w+): ', text("pyproject.toml").split("markers = [")[1].split("]")[0], re.MULTILINE
    )
    left_out = re.search(r'^QUICK := -m "(.*)"$', text("Makefile"), re.MULTILINE)
    assert left_out and set(re.findall(r"not (\w+)", left_out[1])) == set(registered)


# What the texts say


def test_readme_fits_on_two_screens() -> None:
    assert text("README.md").count("\n") <= 120 and len(text("README.md").split()) <= 1100


@pytest.mark.slow
def test_readme_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library example, with fewer people and epochs than the reader gets."""
    blocks = re.findall(r"```python\n(.*?)```", text("README.md"), re.DOTALL)
    assert len(blocks) == 1 and len(blocks[0].strip().splitlines()) <= 15
    small = blocks[0].replace('"source")', '"source", identities=6)').replace('"target")', '"target", identities=6)')
    small = re.sub(r"epochs=\d+", "epochs=1, batch=8, workers=0", small)
    assert small.count("identities=6") == 2 and small.count("epochs=1, batch=8") == 2
    monkeypatch.chdir(tmp_path)
    exec(compile(small, "README.md", "exec"), {})


def shell_lines(program: str) -> list[list[str]]:
    """The lines of shell blocks that call a program, as words after its name."""
    blocks = "".join(re.findall(r"```sh\n(.*?)```", text("book/reference/commands.md"), re.DOTALL))
    found = re.findall(rf"^(?:\.venv/bin/)?{program} (.*)$", blocks, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in found]


@pytest.mark.parametrize("program", ["paullite", "paulbook"])
def test_the_page_of_commands_names_what_exists(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    main = import_module({"paullite": "paullite.app.cli", "paulbook": "paulbook.cli"}[program]).main
    called = shell_lines(program)
    assert called
    for words in called:
        command = words[: 2 if words[0] in ("data", "show") else 1]
        with pytest.raises(SystemExit) as stop:
            main([*command, "--help"])
        shown = capsys.readouterr().out
        assert stop.value.code == 0, words
        assert [w for w in words if w.startswith("--") and w.split("=")[0] not in shown] == [], words


def test_texts_name_make_targets_that_exist() -> None:
    makefile = text("Makefile")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for page in ["README.md", "CONTRIBUTING.md", *(p for p in git("ls-files", "book") if p.endswith(".md"))]:
        called = re.findall(r"(?:`|^)make ([a-z-]+)", text(page), re.MULTILINE)
        assert set(called) <= targets, page
    assert set(re.findall(r"@echo \"make ([a-z-]+)", makefile)) <= targets


def test_no_path_of_a_machine_and_no_foreign_file() -> None:
    for name in git("ls-files"):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            assert path.stat().st_size <= 3_000_000, name
            if path.suffix in TEXTS:
                found = re.search(r"/(home|root|Users|work)/[a-z]", path.read_text(encoding="utf-8"))
                assert not found, (name, found)


# Size


def test_modules_are_short() -> None:
    long = {name: lines(path) for name, path in modules().items() if lines(path) > MODULE}
    assert not long
    lengths = sorted(lines(path) for path in modules().values())
    assert lengths[len(lengths) // 2] <= 150


def test_the_library_is_small() -> None:
    assert sum(map(lines, (ROOT / "paullite").rglob("*.py"))) <= WHOLE


def test_the_core_can_be_read_in_an_evening() -> None:
    core = [ROOT / "paullite" / f"{name}.py" for name in CORE]
    assert sum(map(lines, [*core, *(ROOT / "paullite" / "models").glob("*.py")])) <= NEWCOMERS


def test_what_stands_around_a_run_is_small() -> None:
    assert sum(map(lines, (ROOT / "paullite" / "runs").rglob("*.py"))) <= RUNS
