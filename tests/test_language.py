"""The book in another language: catalogues of every page, notebooks included, and the Korean ones as they stand."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from sphinx.errors import ConfigError

import paullite as pl
from book.explorer import data as data_file
from book.explorer import script
from book.extension import explorer, language
from book.tools import catalogues
from tests.chapters import CHAPTERS
from tests.site import browser, build, pages

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / language.LOCALE / "ko" / "LC_MESSAGES"
CATALOGUES = sorted(FOLDER.rglob("*.po"))
BY_CATALOGUE = pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
NEEDS_MAKE = pytest.mark.skipif(not shutil.which("make"), reason="make is missing, as on Windows")
KOREAN = re.compile(r"[\uac00-\ud7a3]")
# What a translation must keep: code, formulas, roles with their targets, links, marks, and the tags of raw HTML
KEPT = re.compile(r"`+[^`]+`+|\$[^$]+\$|\]\([^)]+\)|\{\w+(?::\w+)?\}|<!--.*?-->|</?\w+[^>]*>|\{\d\}|\*\*")
CONF = f"""
import sys
sys.path.insert(0, {str(ROOT / "book" / "extension")!r})
extensions = ['myst_nb', 'language']
nb_execution_mode = 'off'
myst_enable_extensions = ['amsmath', 'dollarmath']
suppress_warnings = ['myst.xref_missing', 'mystnb.unknown_mime_type']
html_theme = 'basic'
"""


def messages(path: Path) -> list:
    with path.open("rb") as file:
        return [message for message in read_po(file) if message.id]


def kept(text: str) -> Counter[str]:
    """The words of a link in backquotes may change, its target may not."""
    return Counter(re.sub(r"^`[^<`]*<", "`<", " ".join(part.split())) for part in KEPT.findall(text))


# The Korean catalogues


def test_they_are_those_of_the_proof() -> None:
    names = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in CATALOGUES}
    assert {"book/intro", "notebooks/01_task_and_score", "explorer"} <= names
    for name in names - {"explorer"}:
        assert any((ROOT / f"{name}{end}").is_file() for end in (".md", ".ipynb")), name


@BY_CATALOGUE
def test_what_has_words_is_translated(path: Path) -> None:
    """But for names, formulas and the ends of folded parts."""
    left = [m.id for m in messages(path) if not m.string or m.fuzzy]
    words = [text for text in left if re.search(r"[a-z]{3}", re.sub(r"</?\w+>|OpenUnReID|DukeMTMC|Market", "", text))]
    assert [text for text in words if "\\" not in text] == []
    assert not [m.id for m in messages(path) if m.string and m.string != m.id and not KOREAN.search(m.string)]


@BY_CATALOGUE
def test_code_formulas_links_and_tags_are_kept(path: Path) -> None:
    changed = [(m.id, kept(m.id) - kept(m.string), kept(m.string) - kept(m.id)) for m in messages(path) if m.string]
    assert [found for found in changed if found[1] or found[2]] == []


def test_labels_fit_together() -> None:
    """What changes is in both texts, and none of them is a pattern that everything fits."""
    for message in messages(FOLDER / "explorer.po"):
        assert sorted(re.findall(r"\{\d\}", message.id)) == sorted(re.findall(r"\{\d\}", message.string)), message.id
        assert re.search(r"[A-Za-z✓]", re.sub(r"\{\d\}", "", message.id)), message.id


def test_title_and_parts_of_the_book_are_translated() -> None:
    """What the start page's catalogue has of `_config.yml` and `_toc.yml`."""
    known = language.words(ROOT, "ko", language.START)
    config, contents = ((ROOT / name).read_text(encoding="utf-8") for name in ("_config.yml", "_toc.yml"))
    texts = [re.search(r"^title: (.*)$", config, re.MULTILINE)[1], *re.findall(r"caption: (.*)", contents)]
    assert len(texts) == 5 and [text for text in texts if not KOREAN.search(known.get(text, ""))] == []


# The tools


def test_english_is_the_language_unless_another_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(language.VARIABLE, raising=False)
    assert language.chosen(ROOT) == "en" and language.languages(ROOT)[:1] == ["en"] and "ko" in language.languages(ROOT)
    monkeypatch.setenv(language.VARIABLE, "xx")
    with pytest.raises(ConfigError, match="found LANGUAGE=xx; expected one of: en, ko; try: make book LANGUAGE=ko"):
        language.chosen(ROOT)


@NEEDS_MAKE
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("LANGUAGE=xx", "found LANGUAGE=xx; expected one of: en ko; try: make html LANGUAGE=ko"),
        ("LANGUAGE=ko EDITION=student", "found EDITION=student and LANGUAGE=ko; expected one of them"),
    ],
)
def test_make_says_what_is_wrong_with_a_language(words: str, said: str) -> None:
    command = ["make", "html", "-o", ".venv/.site", *words.split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and said in done.stdout and "rm -rf" not in done.stdout


@NEEDS_MAKE
def test_a_variable_of_the_desktop_changes_nothing() -> None:
    command = ["make", "--dry-run", "html", "-o", ".venv/.site"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "LANGUAGE": "xx"}
    )
    assert "PAULLITE_LANGUAGE=en " in done.stdout


def test_a_catalogue_follows_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence that changed loses its translation until somebody looks; what stayed keeps it; no date is written."""
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path / "locale")
    path, template = tmp_path / "locale" / "ko" / "LC_MESSAGES" / "page.po", tmp_path / "pot" / "page.pot"
    for texts in (("Good morning.", "A page of the book."), ("Good morning.", "A new page of the book.")):
        catalogue = Catalog(locale="ko")
        for text in texts:
            catalogue.add(text)
        catalogues.write(template, catalogue)
        if not path.is_file():
            catalogue["Good morning."].string, catalogue["A page of the book."].string = "안녕하세요.", "책의 한 쪽."
            catalogues.write(path, catalogue)
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path / "locale")
    assert "1 of 2 messages are translated" in catalogues.update(path, template, "ko")
    assert [(m.string, m.fuzzy) for m in messages(path)] == [("안녕하세요.", False), ("책의 한 쪽.", True)]
    assert "Date" not in path.read_text(encoding="utf-8")


def test_labels_are_found_as_a_whole_and_by_pattern() -> None:
    if not shutil.which("node"):
        pytest.skip("node is missing: the labels were not exchanged")
    known = {
        "Query": "쿼리",
        "The query: {0}": "쿼리: {0}",
        "image {0}, camera {1}": "카메라 {1}의 이미지 {0}",
        "a.b": "c",
    }
    texts = ["Query", " Query ", "The query: image 3, camera 2", "axb", "Another", "The query: $& image"]
    module = (ROOT / "book" / "extension" / "words.js").as_uri()
    program = f"const {{ translator }} = await import({module!r}); const one = translator({json.dumps(known)});"
    program += f"console.log(JSON.stringify({json.dumps(texts)}.map(one)));"
    command = ["node", "--input-type=module", "--eval", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [
        "쿼리",
        " 쿼리 ",
        "쿼리: 카메라 2의 이미지 3",
        "axb",
        "Another",
        "쿼리: $& image",
    ]


# Built


def sphinx(folder: Path, builder: str, name: str, asked: str = "en") -> Path:
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "-b", builder, str(folder), str(folder / name)]
    environment = {**os.environ, language.VARIABLE: asked}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return folder / name


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of chapter 1 alone, with the Korean catalogue, and one for en_GB in which nothing is translated."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "notebooks").mkdir()
    shutil.copy(CHAPTERS[0], folder / "notebooks")
    (folder / "conf.py").write_text(CONF, encoding="utf-8")
    (folder / "index.md").write_text(f"# Book\n\n```{{toctree}}\nnotebooks/{CHAPTERS[0].stem}\n```\n", encoding="utf-8")
    shutil.copytree(ROOT / language.LOCALE / "ko", folder / language.LOCALE / "ko")
    return folder


@pytest.mark.slow
def test_a_notebook_has_messages_and_an_empty_catalogue_changes_nothing(small: Path) -> None:
    templates = sphinx(small, "gettext", "gettext")
    template = templates / "notebooks" / f"{CHAPTERS[0].stem}.pot"
    texts = [message.id for message in messages(template)]
    assert "Exercises" in texts and any("<summary>Hint 1</summary>" in text for text in texts)
    path = small / language.LOCALE / "en_GB" / "LC_MESSAGES" / "notebooks" / f"{CHAPTERS[0].stem}.po"
    catalogues.write(path, catalogues.read(template, "en_GB"))
    page = f"notebooks/{CHAPTERS[0].stem}.html"
    english, empty = (body(sphinx(small, "html", name, name) / page) for name in ("en", "en_GB"))
    assert english == empty and len(english) > 50_000


def body(page: Path) -> str:
    return page.read_text(encoding="utf-8").split('<div class="body" role="main">')[1].split('class="sphinxsidebar"')[0]


@pytest.mark.slow
def test_chapter_1_is_korean(small: Path) -> None:
    """Nearly all of it: a message whose numbers were counted again is English until somebody looks at it."""
    page = body(sphinx(small, "html", "ko", "ko") / "notebooks" / f"{CHAPTERS[0].stem}.html")
    text = re.sub(r"<(pre|script|style|figure)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert "사람 재식별" in text and "<summary>힌트 1</summary>" in page
    letters = {"ko": len(KOREAN.findall(text)), "en": len(re.findall(r"[A-Za-z]", re.sub(r"`[^`]*`", "", text)))}
    assert letters["ko"] > 2 * letters["en"] / 3, letters


@pytest.mark.slow
@pytest.mark.browser
def test_the_explorer_speaks_korean(tmp_path: Path) -> None:
    """Most labels of the three screens: one that has just been written anew is English until somebody translates it."""
    with browser() as chromium:
        page = explorer_in_korean(chromium, tmp_path)
        for tab in ("1 보기", "2 비교", "3 학습"):
            page.get_by_role("tab", name=tab).click()
            page.wait_for_timeout(300)
            labels = [label for label in set(page.evaluate(LABELS)) if re.search(r"[A-Za-z]{3}|[가-힣]", label)]
            left = [label for label in labels if not KOREAN.search(label) and not NAMES.fullmatch(label.strip())]
            assert len(labels) > 20 and len(left) < len(labels) / 5, left
        page.get_by_role("button", name="한 단계").click()
        page.wait_for_function("() => document.querySelector('.paul-explorer').paul.progress?.steps === 1")


NAMES = re.compile(r"PEDAL|IPFL|PAUL|mAP|rank-1")
LABELS = """() => {
  const seen = [...document.querySelectorAll(".paul-explorer *")].filter((part) => part.checkVisibility());
  const texts = seen.flatMap((part) => [...part.childNodes].filter((node) => node instanceof Text));
  const named = ["aria-label", "title"].flatMap((name) => seen.map((part) => part.getAttribute(name) ?? ""));
  return [...texts.map((node) => node.data), ...named];
}"""


def explorer_in_korean(chromium, folder: Path):
    """A page with the explorer of a small world, as a translated book has it, started."""
    size = data_file.Size(people=12, test_people=8, others=6, surrogates=2, figures=4)
    dolls = pl.data.PaperDolls("target", seed=0, identities=12, test_identities=8, junk=6, passage_share=0.8)
    data_file.write(folder / "data.js", size=size, dataset=dolls)
    data_file.write_start(folder / "people.webp")
    (folder / "explorer.js").write_text(script.joined(), encoding="utf-8")
    shutil.copy(ROOT / "book" / "explorer" / "explorer.css", folder)
    exchange = language.script(language.words(ROOT, "ko"))
    text = f"<!doctype html><html lang=ko><meta charset=utf-8><body>{explorer.place('')}{exchange}"
    (folder / "page.html").write_text(text, encoding="utf-8")
    page = chromium.new_page()
    page.goto((folder / "page.html").as_uri())
    page.get_by_role("button", name="시작", exact=True).click()
    page.wait_for_function("() => document.querySelector('.paul-explorer').paul?.found", timeout=60_000)
    return page


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("PAULLITE_NIGHTLY"), reason="make nightly builds the book twice more")
def test_the_whole_book_is_the_same_with_empty_catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page in English, and with a catalogue for each page in which nothing is translated."""
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".git", ".venv*", "_build", "runs", "__pycache__")
    shutil.copytree(ROOT, source, ignore=ignored)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{ROOT / 'book'}")
    command = [
        str(Path(sys.executable).parent / "jupyter-book"),
        "build",
        "--builder",
        "custom",
        "--custom-builder",
        "gettext",
    ]
    subprocess.run([*command, "--path-output", str(tmp_path), "."], cwd=source, check=True, capture_output=True)
    for template in (tmp_path / "_build" / "gettext").rglob("*.pot"):
        name = template.relative_to(tmp_path / "_build" / "gettext").with_suffix(".po")
        path = source / language.LOCALE / "en_GB" / "LC_MESSAGES" / name
        catalogues.write(path, catalogues.read(template, "en_GB"))
    made = {}
    for asked in ("en", "en_GB"):
        monkeypatch.setenv(language.VARIABLE, asked)
        made[asked] = build(tmp_path / asked, source)
    for page in pages(made["en"]):
        english, empty = (article(site / page) for site in made.values())
        assert english == empty, page


def article(page: Path) -> str:
    found = re.search(r"<article.*?</article>", page.read_text(encoding="utf-8"), re.DOTALL)
    return found[0] if found else ""
