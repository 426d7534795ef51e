"""The explorer's page in Chromium: from a file, without a network, by keyboard, wide and narrow, light and dark."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paulbook import joining
from PIL import Image

import paullite as pl
from book.explorer import data as data_file
from book.explorer import script
from book.extension import explorer
from tests.explorer.twin import Data, Twin
from tests.site import AXE, browser, lacking

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROOT = Path(__file__).resolve().parent.parent
TSC = AXE.parents[1] / "typescript" / "bin" / "tsc"
SMALL = data_file.Size(people=12, test_people=8, others=6, surrogates=2, figures=4)
MODULES = [
    *(ROOT / "book" / "explorer").glob("*.js"),
    *(ROOT / "book" / "paulbook" / "scripts" / "shared").glob("*.js"),
]
TABS = ("look", "compare", "train")
HEAD = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>PAUL in the page</title>
<meta name="viewport" content="width=device-width"></head><body><main><h1>PAUL in the page</h1>"""
RUN_AXE = "axe.run(document, {resultTypes: ['violations'], preload: false})"
SMOOTH, LONG = 0.02, 50  # largest share of frames that may last longer, and how long in milliseconds
FRAMES = """() => new Promise((done) => {
  const gaps = []; let last = performance.now();
  const next = (now) => {
    gaps.push(now - last);
    last = now;
    if (gaps.length < 240) requestAnimationFrame(next); else done(gaps);
  };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(next); });
})"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with the explorer of a small world, as the build of the site makes one."""
    made = tmp_path_factory.mktemp("explorer")
    dolls = pl.data.PaperDolls("target", seed=0, identities=12, test_identities=8, junk=6, passage_share=0.8)
    data_file.write(made / "data.js", size=SMALL, dataset=dolls)
    data_file.write_start(made / "people.webp")
    (made / "explorer.js").write_text(script.joined(), encoding="utf-8")
    shutil.copy(ROOT / "book" / "explorer" / "explorer.css", made)
    (made / "page.html").write_text(f"{HEAD}{explorer.place('')}</main></body></html>", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as opened:
        yield opened


class Visit:
    """The page of a folder, opened as a file without a network; ``wrong`` is what the console says or what is asked."""

    def __init__(self, chromium: Any, folder: Path, link: str = "", width: int = 1280, theme: str = "light") -> None:
        self.wrong: list[str] = []
        context = chromium.new_context(viewport={"width": width, "height": 900}, offline=True)
        self.page = context.new_page()
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.goto(f"{(folder / 'page.html').as_uri()}{link}")
        self.page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)

    def _note(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.wrong.append(f"asks for {url}")

    def start(self) -> None:
        self.page.get_by_role("button", name="Start", exact=True).click()
        self.ready()

    def ready(self) -> None:
        self.until("app.seen && app.found && app.progress")

    def until(self, condition: str) -> None:
        """Wait until something is true of ``app``, the state of the page."""
        code = f"() => {{ const app = document.querySelector('.paul-explorer').paul; return app && ({condition}); }}"
        self.page.wait_for_function(code, timeout=60_000)

    def app(self, what: str) -> Any:
        """Something of the state of the page."""
        return self.page.evaluate(
            f"() => {{ const app = document.querySelector('.paul-explorer').paul; return {what}; }}"
        )

    def tab(self, name: str) -> None:
        self.page.click(f"#pe-tab-{name}")

    def close(self) -> None:
        self.page.context.close()


@pytest.fixture
def visit(chromium: Any, folder: Path) -> Iterator[Visit]:
    found = Visit(chromium, folder)
    yield found
    found.close()


def test_first_picture_is_there_soon(visit: Visit) -> None:
    """From the click to the frame that shows the person; a busy machine gets more time than a reader should."""
    took = visit.page.evaluate(
        """() => new Promise((done) => {
            const root = document.querySelector(".paul-explorer"), begin = performance.now();
            const look = () => root.querySelector(".pe-frame canvas") && root.paul?.picture
                ? requestAnimationFrame(() => done(performance.now() - begin)) : requestAnimationFrame(look);
            root.querySelector("button").click();
            look();
        })"""
    )
    visit.ready()
    assert took < 3000 and not visit.wrong, took


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_screen_fits_and_can_be_reached_by_everyone(chromium: Any, folder: Path, width: int, theme: str) -> None:
    visit, wrong = Visit(chromium, folder, width=width, theme=theme), []
    visit.start()
    if AXE.is_file():
        visit.page.evaluate(AXE.read_text(encoding="utf-8"))
    for tab in TABS:
        visit.tab(tab)
        visit.page.wait_for_timeout(200)
        wide = visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        wrong += [f"{tab}: {wide} pixels too wide"] if wide > 0 else []
        found = visit.page.evaluate(RUN_AXE) if AXE.is_file() else {}
        for rule in found.get("violations", []):
            if rule["impact"] in ("serious", "critical"):
                wrong += [f"{tab}: {rule['id']}: {node['html'][:150]}" for node in rule["nodes"][:3]]
    assert not wrong and not visit.wrong, [*wrong, *visit.wrong]
    visit.close()


def test_keyboard_alone_is_enough(visit: Visit) -> None:
    """From the start over every screen to a training step, without a pointer; every control has a name."""
    keys = visit.page.keyboard
    visit.page.locator("body").press("Tab")
    assert visit.page.evaluate("document.activeElement.textContent") == "Start"
    keys.press("Enter")
    visit.ready()
    visit.page.focus("#pe-tab-look")
    for name in ("compare", "train"):
        keys.press("ArrowRight")
        assert visit.app("app.state.tab") == name
        assert visit.page.evaluate("document.activeElement.id") == f"pe-tab-{name}"
    for _ in range(2):
        keys.press("Tab")
    assert visit.page.evaluate("document.activeElement.textContent") == "One step"
    keys.press("Enter")
    visit.until("app.progress.steps === 1")
    named = "c => Boolean(c.getAttribute('aria-label') || c.labels?.[0]?.textContent || c.textContent)"
    controls = visit.page.query_selector_all(".paul-explorer :is(button, input, select)")
    assert len(controls) > 40 and all(control.evaluate(named) for control in controls)
    assert not visit.wrong


def test_another_person_is_seen_otherwise(visit: Visit) -> None:
    visit.start()
    frame = visit.page.locator(".pe-frame")
    before, words = visit.app("Array.from(app.seen.features)"), frame.get_attribute("aria-label")
    visit.page.get_by_label("Top", exact=True).select_option("purple")
    visit.until(f"Math.abs(app.seen.features[0] - {before[0]}) > 1e-4")
    assert "purple top" in (frame.get_attribute("aria-label") or "") and "purple" not in (words or "")


def test_own_image_goes_through_the_network_and_stays_here(visit: Visit, tmp_path: Path) -> None:
    visit.start()
    before = visit.app("app.seen.features[0]")
    Image.new("RGB", (300, 500), (200, 30, 30)).save(tmp_path / "own.png")
    visit.page.set_input_files(".pe-file input", tmp_path / "own.png")
    visit.until(f"app.own && app.seen.features[0] !== {before}")
    assert visit.app("Array.from(app.picture.data.slice(0, 3))") == [200, 30, 30]
    visit.page.get_by_label("Top", exact=True).select_option("purple")
    visit.until("!app.own")
    visit.page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(20, 40), pen = canvas.getContext("2d");
            pen.fillStyle = "rgb(10, 200, 60)";
            pen.fillRect(0, 0, 20, 40);
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([await canvas.convertToBlob()], "dropped.png", { type: "image/png" }));
            document.querySelector(".pe-frame").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
        }"""
    )
    visit.until("app.own && app.picture.data[1] === 200")
    (tmp_path / "no-image.png").write_text("nothing")
    visit.page.set_input_files(".pe-file input", tmp_path / "no-image.png")
    visit.page.get_by_text("This file could not be read as an image.").wait_for()
    visit.page.set_input_files(".pe-file input", tmp_path / "own.png")
    visit.page.get_by_text("This file could not be read as an image.").wait_for(state="detached")
    assert not visit.wrong


def test_every_crop_becomes_the_query_and_sliders_act_at_once(visit: Visit) -> None:
    visit.start()
    visit.tab("compare")
    first = visit.page.locator("[data-kind=pulled] button").first
    name = (first.get_attribute("aria-label") or "").split(",")[0]
    first.click()
    visit.until("app.state.query >= 0 && app.found.patch.pulled.length")
    assert name in (visit.page.locator("#pe-compare .pe-query").get_attribute("aria-label") or "")
    sharp = visit.page.get_by_label("s, how sharp")
    share = visit.app("app.found.patch.pulled[0].share")
    sharp.focus()
    sharp.press("End")
    visit.until(f"app.found.patch.pulled[0].share > {share}")
    few = visit.page.locator("#pe-compare").get_by_label("K, how many are pulled")
    few.focus()
    few.press("Home")
    visit.until("app.found.patch.count === 1")
    assert visit.page.locator("#pe-compare [data-kind=pulled]:visible").count() == 1 and not visit.wrong


def test_a_change_is_told_patch_by_patch(visit: Visit) -> None:
    visit.start()
    told = visit.page.locator(".pe-patch small")
    assert set(told.all_text_contents()) == {""}
    visit.page.wait_for_timeout(1100)
    before = visit.app("Array.from(app.seen.features)")
    visit.page.get_by_label("Top", exact=True).select_option("purple")
    visit.until(f"Math.abs(app.seen.features[0] - {before[0]}) > 1e-4")
    after = visit.app("Array.from(app.seen.features)")
    length = len(before) // told.count()
    cosines = [sum(before[i] * after[i] for i in range(p * length, (p + 1) * length)) for p in range(told.count())]
    assert told.all_text_contents() == [f"similarity to before: {cosine:.2f}" for cosine in cosines]
    assert not visit.wrong


def test_lists_say_why_and_mark_nothing_that_cannot_be_right(chromium: Any, folder: Path) -> None:
    """A training image: every veto with the list that caused it, and no wrong mark in a gallery without the person."""
    visit = Visit(chromium, folder, "#tab=compare&part=ipfl&query=3")
    visit.ready()
    visit.until("app.found.whole.candidates.length")
    tried = visit.app("app.found.whole.candidates")
    reasons = visit.page.locator(".pe-reasons > li:visible")
    for row, center in zip(reasons.all(), tried, strict=False):
        assert ("not among" not in row.inner_text()) == center["vetoed"] == (3 in center["list"])
        assert row.locator("li:visible").count() == len(center["list"]) - 1
    assert visit.page.locator("#pe-compare [data-kind=wrong]:visible").count() == 0
    visit.page.get_by_text("Nothing is marked").wait_for()
    top = "document.querySelector('[data-part=ipfl]').getBoundingClientRect().top"
    visit.page.wait_for_function(f"() => Math.abs({top}) < 200")
    visit.page.get_by_role("button", name="Another query").first.click()
    visit.until("app.state.query >= app.data.header.counts[0] && app.ranked.place === app.state.query")
    assert visit.app("app.ranked.precision") < 0.8 or visit.app("app.state.query === app.data.header.counts[0]")
    visit.page.get_by_text("Average precision of this list").first.wait_for()
    assert not visit.wrong
    visit.close()


def test_a_link_that_is_not_understood_says_so_and_settings_can_be_taken_back(chromium: Any, folder: Path) -> None:
    visit = Visit(chromium, folder, "#tab=compare&k=7&scale=1e9&colour=red")
    visit.ready()
    visit.page.get_by_text("This link was understood except for scale, colour.").wait_for()
    assert visit.app("app.state.settings.k") == 7
    visit.page.get_by_role("button", name="Settings of the book").click()
    preset = pl.PRESETS["paperdolls"].adapt
    assert visit.app("[app.state.settings.k, app.state.settings.scale]") == [preset.k, preset.scale] and not visit.wrong
    visit.close()


def test_hundred_steps_score_as_the_library_does(chromium: Any, folder: Path) -> None:
    """By a link that changes the learning rate after 40 steps: the same mAP as paullite's on the same batches."""
    node, task = shutil.which("node"), {"task": "batches", "steps": 100, "seed": 0}
    if not node:
        pytest.skip("node is missing: it says which batches the page takes")
    runner = [node, str(ROOT / "tests" / "explorer" / "run.mjs"), str(folder / "data.js")]
    done = subprocess.run(runner, input=json.dumps([task]), capture_output=True, text=True, check=True)
    (made,) = json.loads(done.stdout)
    visit = Visit(chromium, folder, "#tab=train&steps=100&changes=40:rate:0.3")
    visit.ready()
    visit.until("app.progress.steps === 100 && !app.progress.playing")
    row = visit.app("app.progress.rows.at(-1)")
    twin = Twin(Data(folder / "data.js"))
    twin.fill(made["first"])
    for step, batch in enumerate(made["batches"]):
        twin.optimiser.param_groups[0]["lr"] = 0.3 if step >= 40 else twin.config.lr
        twin.step(**batch)
    scores = twin.scores()
    assert row["step"] == 100 and row["map"] == pytest.approx(scores.map_step, abs=0.005)
    assert row["map"] > visit.app("app.progress.rows[0].map") and visit.app("app.state.settings.rate") == 0.3
    visit.page.get_by_role("button", name="Link to this state").click()
    link = visit.page.get_by_label("Link to this state", exact=True).last.input_value()
    assert "steps=100" in link and "changes=40%3Arate%3A0.3" in link and not visit.wrong
    visit.close()


def test_training_can_be_broken_and_mended(visit: Visit) -> None:
    visit.start()
    visit.tab("train")
    button = visit.page.get_by_role("button", name="One neighbour, very sharp")
    button.click()
    assert visit.app("[app.state.settings.k, app.state.settings.scale]") == [1, 60]
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    preset = pl.PRESETS["paperdolls"].adapt
    assert visit.app("[app.state.settings.k, app.state.settings.scale]") == [preset.k, preset.scale]
    visit.page.get_by_role("button", name="No push").click()
    visit.page.get_by_role("button", name="Play").click()
    visit.until("app.progress.steps >= 60")
    visit.page.get_by_role("button", name="Pause").click()
    visit.until("!app.progress.playing")
    rows = visit.app("app.progress.rows")
    assert rows[-1]["map"] < rows[0]["map"] and not visit.wrong


def test_page_stays_smooth_while_the_worker_trains(visit: Visit) -> None:
    """The best of five tries of some four seconds, since other programs take their share of the machine, too."""
    visit.start()
    visit.tab("train")
    visit.page.get_by_role("button", name="Play").click()
    visit.until("app.progress.steps > 4")
    shares = []
    for _ in range(5):
        before = visit.app("app.progress.steps")
        gaps = visit.page.evaluate(FRAMES)
        shares.append(sum(gap > LONG for gap in gaps) / len(gaps))
        assert visit.app("app.progress.steps") > before
        if shares[-1] <= SMOOTH:
            break
    assert min(shares) <= SMOOTH, shares


def test_types_are_right() -> None:
    """The types in the comments of all modules, by the compiler that also checks them in an editor."""
    if not TSC.is_file():
        lacking("typescript (npm install)")
    options = "--noEmit --allowJs --checkJs --strict --noUnusedLocals --target es2022 --module es2022"
    options += " --moduleResolution bundler --lib es2022,dom,dom.iterable"
    files = sorted(map(str, MODULES))
    done = subprocess.run(["node", str(TSC), *options.split(), *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_modules_are_short_and_import_each_other_without_a_circle() -> None:
    assert set(joining.ordered(script.ENTRIES)) == set(MODULES) and len({module.stem for module in MODULES}) == len(
        MODULES
    )
    for module in MODULES:
        assert module.read_text(encoding="utf-8").count("\n") < 200, module.name
        for other in joining.imported(module):
            assert joining.ordered([other]).count(module) == 0, (module.name, other.name)


def test_whole_page_is_light(folder: Path) -> None:
    """Script, style and first picture; the data of the whole world are measured where the site is built."""
    assert sum((folder / name).stat().st_size for name in ("explorer.js", "explorer.css", "people.webp")) < 250_000
