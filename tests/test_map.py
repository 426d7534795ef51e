"""The map of paper and code is whole, its links lead somewhere, and a link that does not is a warning of the build."""

import ast
import dataclasses
import doctest
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import paullite as pl
from book.extension import settings_list, symbols
from book.extension.settings_list import CLASSES, REFERENCE, meanings, values
from book.extension.symbols import find_heading, find_symbol, find_test

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "book" / "reference"
MAP = (PAGES / "map.md").read_text(encoding="utf-8")
ROLE = re.compile(r"\{(symbol|test|chapter)\}`(?:[^`<]*<)?([^`>]+)>?`")
BLOCK = re.compile(r"```\{settings\} (\w+)\n(.*?)```", re.DOTALL)
CARD = re.compile(r"^### (.+?)\n(.*?)(?=^##)", re.DOTALL | re.MULTILINE)


def rows(kind: str) -> list[list[str]]:
    """The lines on the settings of one class, by column."""
    return [[part.strip() for part in line.split("|")] for line in dict(BLOCK.findall(MAP))[kind].strip().split("\n")]


def section(title: str) -> str:
    """What stands below a heading of the second level that begins so."""
    return "".join(re.findall(rf"^## {title}.*?\n(.*?)(?=^## |\Z)", MAP, re.DOTALL | re.MULTILINE))


def written() -> set[tuple[str, str]]:
    """Every link of the page: its role, and what it names."""
    found = set(ROLE.findall(BLOCK.sub("", MAP)))
    for kind in CLASSES:
        for _, code, tests, chapters, *_ in rows(kind):
            for role, names in (("symbol", code), ("test", tests), ("chapter", chapters)):
                found |= {
                    (role, name.strip()) for name in names.split(",") if role != "chapter" or name.strip()[0].isdigit()
                }
    return found


@pytest.mark.parametrize("kind", ["PretrainConfig", "AdaptConfig"])
def test_every_setting_is_on_the_map(kind: str) -> None:
    found = [row[0] for owner in (kind, "RunConfig") for row in rows(owner)]
    assert sorted(found) == sorted(field.name for field in dataclasses.fields(CLASSES[kind]))


def test_every_setting_has_code_and_test() -> None:
    for kind in CLASSES:
        assert all(code and "tests/" in tests and chapters for _, code, tests, chapters, *_ in rows(kind))


def test_the_seventeen_behaviours_are_on_the_map() -> None:
    cards = dict(CARD.findall(section("What the reference") + "\n## "))
    assert [int(title.split(".")[0]) for title in cards] == list(range(1, 18))
    for title, card in cards.items():
        starts = re.findall(r"^- (Reference|Here|Code|Tests|Taught in)", card, re.MULTILINE)
        assert starts == ["Reference", "Here", "Code", "Tests", "Taught in"], title
        assert "both presets" in card or "{setting}" in card, title


def test_every_equation_has_code_test_chapter_and_source() -> None:
    cards = CARD.findall(section("Equations") + "\n## ")
    assert len(cards) >= 22
    for title, card in cards:
        assert re.findall(r"^- (\w+)", card, re.MULTILINE) == ["Code", "Tests", "Taught", "Source"], title
        assert card.count("$$") >= 2, title
        source = card.split("- Source: ")[1]
        assert re.search("reference|figure|field|ours", source) and not re.search(
            "the paper's (formula|equation)", source
        )


def test_figures_and_questions_are_on_the_map() -> None:
    figures = dict(CARD.findall(section("The paper's four figures") + "\n## "))
    assert [title.split(":")[0] for title in figures] == [f"Figure {i}" for i in range(1, 5)]
    assert all("Drawn in {chapter}" in card for card in figures.values())
    questions = section("What users").split("\n- ")[1:]
    assert len(questions) == 8 and all("(troubleshooting.md#" in question for question in questions)


def public(module: ModuleType) -> list[str]:
    """The public functions and classes that a module defines."""
    kinds = [n for n in vars(module) if inspect.isfunction(getattr(module, n)) or inspect.isclass(getattr(module, n))]
    return [name for name in kinds if not name.startswith("_") and getattr(module, name).__module__ == module.__name__]


@pytest.mark.parametrize(
    "module",
    [
        pl.losses,
        pl.evaluation,
        pl.memory,
        *(sys.modules[f"paullite.models.{m}"] for m in ("attention", "backbones", "generators", "patchnet")),
    ],
    ids=lambda module: module.__name__,
)
def test_every_public_name_of_the_method_is_on_the_map(module: ModuleType) -> None:
    named = " ".join(name for role, name in written() if role == "symbol") + " "
    short = module.__name__.removeprefix("paullite.")
    assert not [name for name in public(module) if not re.search(rf"{re.escape(f'{short}.{name}')}[. ]", named)]


def test_every_link_leads_somewhere() -> None:
    finders = {
        "symbol": find_symbol,
        "test": lambda name: find_test(name, ROOT),
        "chapter": lambda name: find_heading(name, ROOT),
    }
    wrong, links = [], written()
    for role, name in sorted(links):
        try:
            finders[role](name)
        except LookupError as error:
            wrong.append(f"{role} {error}")
    assert not wrong, "\n".join(wrong)
    assert len({name for role, name in links if role == "test"}) > 50


def test_places_are_the_lines_that_define() -> None:
    for name in ("losses.pedal", "evaluation.Scores.cmc", "config.PRESETS", "config.AdaptConfig.k", "adapt"):
        place = find_symbol(name)
        line = (ROOT / place.path).read_text(encoding="utf-8").splitlines()[place.line - 1]
        assert re.match(rf"\s*(def |class )?{name.split('.')[-1]}\b", line), (name, line)
    assert find_symbol("models.PatchNet").name == "paullite.models.patchnet.PatchNet"  # where it was written
    assert find_symbol("run").path == "paullite/run.py"
    assert find_symbol("paulbook.chapters.framework").path == "book/paulbook/chapters/framework.py"
    place = find_test("tests/test_losses.py::test_pedal_refuses_k[12]", ROOT)
    assert "def test_pedal_refuses_k(" in (ROOT / place.path).read_text(encoding="utf-8").splitlines()[place.line - 1]


@pytest.mark.parametrize("name", ["losses.pedel", "nothing.at_all", "config.AdaptConfig.kk", "losses.pedal.inner"])
def test_a_made_up_symbol_is_refused(name: str) -> None:
    with pytest.raises(LookupError, match="found no"):
        find_symbol(name)


@pytest.mark.parametrize(
    "name",
    [
        "tests/test_losses.py::test_pedal_is_a_dream",
        "tests/test_lossses.py::test_pedal_is_the_loop",
        "tests/textbook.py::pedal",
        "tests/test_losses.py::unit",
        "tests/test_losses.py",
        "tests/test_site.py::Visit::test_nothing",
    ],
)
def test_a_made_up_test_is_refused(name: str) -> None:
    with pytest.raises(LookupError, match="found"):
        find_test(name, ROOT)


@pytest.mark.parametrize("name", ["04_patches_that_move#a-dream", "44_dreams", "conftest"])
def test_a_made_up_heading_is_refused(name: str) -> None:
    with pytest.raises(LookupError, match="found no"):
        find_heading(name, ROOT)


GOOD = "{symbol}`losses.pedal` {setting}`AdaptConfig.k` {test}`tests/test_losses.py::test_pedal_is_the_loop`"
BAD = {
    "{symbol}`losses.pedel`": "nearest: pedal",
    "{test}`tests/test_losses.py::test_dream`": "found no 'test_dream'",
    "{chapter}`44_dreams`": "found no chapter '44_dreams'",
    "{setting}`AdaptConfig.dream`": "found no setting",
    "```{settings} AdaptConfig\nk | losses.pedel | | 44_dreams\ndream | a | b | c\n```": "AdaptConfig.scale is missing",
}


@pytest.mark.slow
def test_the_build_warns_of_what_is_not_there(tmp_path: Path) -> None:
    """A small book of two pages, one with links that lead somewhere and one without."""
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    (tmp_path / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT / 'book' / 'extension')!r})\n"
        "extensions = ['myst_parser', 'symbols']\nmyst_enable_extensions = ['deflist']\n"
        "include_patterns = ['*.md']\nhtml_theme = 'basic'\n"
    )
    (tmp_path / "index.md").write_text(f"# Good\n\n{GOOD}\n\n```{{toctree}}\nbad\n```\n")
    (tmp_path / "bad.md").write_text("# Bad\n\n" + "\n\n".join(BAD))
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", "--keep-going", str(tmp_path), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode != 0 and "index.md" not in done.stderr, done.stderr
    assert [message for message in BAD.values() if message not in done.stderr] == []
    assert "found no setting 'AdaptConfig.dream' in 'dream | a | b | c'" in done.stderr
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'href="[^"]*/blob/main/paullite/losses.py#L\d+"', page) and "in both" in page
    assert re.search(r'href="[^"]*/blob/main/tests/test_losses.py#L\d+"', page)


def test_examples_of_the_extension() -> None:
    for module in (symbols, settings_list):
        found = doctest.testmod(module)
        assert found.attempted > 0 and found.failed == 0, module


def test_what_the_source_says_of_the_reference_is_in_its_preset() -> None:
    """`Reference: 15 for Market-1501` beside a setting, and 15 in the preset market1501-reference."""
    compared = 0
    for kind in CLASSES:
        for name, meaning in meanings(kind).items():
            published = meaning.partition("Reference: ")[2]
            for value in values(kind, name)[REFERENCE] if published else []:
                assert said(published, value), (name, published, value)
                compared += 1
    assert compared > 30


def said(words: str, value: object) -> bool:
    """Whether a text has a word, or all numbers of a value."""
    if isinstance(value, str):
        return value.split(".")[0] in words.lower().replace("-", "")
    numbers = [float(n) for n in re.findall(r"(?<![\w-])\d*\.?\d+(?:e-?\d+)?", words)]
    return all(float(part) in numbers for part in (value if isinstance(value, tuple) else (value,)))


# The other pages that name code


def column_of_names() -> Iterator[str]:
    """Code in the column "in the code" of the page of notation."""
    place = 0
    for line in (PAGES / "notation.md").read_text(encoding="utf-8").splitlines():
        cells = re.split(r"(?<!\\)\|", line)
        if "in the code" in line:
            place = [cell.strip() for cell in cells].index("in the code")
        elif line.startswith("|") and not line.startswith("|--"):
            yield from re.findall(r"`([^`]+)`", cells[place])


def names_in_the_method() -> set[str]:
    """Every name that the modules of the method define or take."""
    files = [ROOT / "paullite" / f"{name}.py" for name in ("losses", "memory", "evaluation", "adaptation", "config")]
    found: set[str] = set()
    for file in [*files, *(ROOT / "paullite" / "models").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            found |= {getattr(node, key) for key in ("id", "arg", "name") if isinstance(getattr(node, key, None), str)}
    return found


def test_names_in_the_notation_exist(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    import torch

    things = {"dataset": dolls, "net": net, "item": dolls.train[0], "split": dolls.train, "pl": pl}
    things |= {"config": pl.PRESETS["paperdolls"].adapt, "memory": pl.memory.FeatureMemory(2, 1, 3)}
    things |= {"centers": things["memory"], "out": net.eval()(torch.zeros(2, 3, 128, 64))}
    scores = {field.name: None for field in dataclasses.fields(pl.Scores)}
    known, seen = names_in_the_method(), 0
    for text in column_of_names():
        for node in ast.walk(ast.parse(text, mode="eval")):
            if isinstance(node, ast.Attribute) and node.attr != "T":
                owner = ast.unparse(node.value).split(".")
                if owner[0] == "scores":
                    assert node.attr in scores, text
                else:
                    assert owner[0] in things, text
                    thing = things[owner[0]]
                    for part in [*owner[1:], node.attr]:
                        thing = getattr(thing, part)
                seen += 1
            elif isinstance(node, ast.Name) and node.id not in things and node.id not in ("len", "scores"):
                assert node.id in known, text
                seen += 1
    assert seen > 40


def test_names_in_the_glossary_exist() -> None:
    """Presets, folders and options; names in a role such as {py:func} are looked up by the build."""
    text = re.sub(r"```|\{[\w:]+\}`[^`]*`", "", (PAGES / "glossary.md").read_text(encoding="utf-8"))
    found = re.findall(r"`([^`]+)`", text)
    options = {f"--{name}" for name in inspect.signature(pl.adapt).parameters}
    endings = {f"-{name.split('-')[-1]}" for name in pl.PRESETS if "-" in name}
    assert len(found) >= 6
    assert [n for n in found if n not in {*pl.PRESETS, *options, *endings} and not (ROOT / n).is_dir()] == []
