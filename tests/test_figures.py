"""Figures carry their pictures, their words and their scripts; the live form draws anew."""

import base64
import io
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import paulbook as pb
import pytest
from nbclient import NotebookClient
from paulbook import figures, joining
from PIL import Image

import paullite as pl

SCRIPTS = sorted((Path(pb.__file__).parent / "scripts").glob("*.js"))


def square(red: int) -> Image.Image:
    return Image.new("RGB", (8, 6), (red, 0, 0))


def pictures(html: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/webp;base64,([^"]+)"', html)
    return [Image.open(io.BytesIO(base64.b64decode(code))) for code in found]


def test_frames_hold_every_picture_and_name_it() -> None:
    figure = figures.frames(square, [0, 120, 250], label="red", alt="A square, red {}.", caption="a < b", start=1)
    assert [p.getpixel((3, 3))[0] for p in pictures(figure.html)] == [0, 120, 250]
    assert re.findall(r'alt="([^"]*)"', figure.html) == [f"A square, red {v}." for v in (0, 120, 250)]
    assert "<figcaption>a &lt; b</figcaption>" in figure.html and '"start":1' in figure.html
    assert repr(figure) == "[moving figure, red: 0, 120, 250. A square, red 120.]"


def test_frames_are_not_too_many() -> None:
    for count in (0, 26):
        with pytest.raises(pl.InputError, match=f"found {count} values; expected 1 to 25"):
            figures.frames(square, range(count), label="red", alt="Red {}.")


def test_the_same_figure_twice_is_the_same_text() -> None:
    one, two = (figures.frames(square, [0, 9], label="red", alt="Red {}.").html for _ in range(2))
    other = figures.frames(square, [0, 8], label="red", alt="Red {}.").html
    assert one == two != other


def test_words_are_escaped_and_data_cannot_end_the_script() -> None:
    figure = figures.live("frames", {"label": "</script>"}, still=square(1), alt='"<b>')
    assert 'alt="&quot;&lt;b&gt;"' in figure.html and figure.html.count("</script>") == 1


def test_plot_has_the_style_and_leaves_no_trace() -> None:
    import matplotlib as mpl

    before = mpl.rcParams["font.size"]
    figure, axes = figures.plot(1, 2)
    shown = figures.show(figure, alt="Two empty axes.")
    assert axes.shape == (2,) and not axes[0].spines["top"].get_visible() and mpl.rcParams["font.size"] == before
    assert (
        pictures(shown.html)[0].size == (int(6.4 * 144), int(3.2 * 144)) and repr(shown) == "[figure: Two empty axes.]"
    )


def test_large_photographs_are_kept_small() -> None:
    noise = Image.merge("RGB", [Image.effect_noise((400, 300), 80) for _ in range(3)])
    assert len(figures.show(noise, alt="Noise.").html) < 200_000 < 400 * 300 * 3


def test_explore_is_frames_on_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAULLITE_BOOK", "1")
    assert "paul-frames" in figures.explore(square, [0, 9], label="red", alt="Red {}.").html


def test_explore_draws_anew_where_jupyter_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ipywidgets")
    monkeypatch.setattr(figures, "_is_live", lambda: True)
    drawn = []
    box = figures.explore(lambda v: drawn.append(v) or square(v), [0, 9], label="red", alt="Red {}.", start=1)
    slider, picture = box.children
    assert drawn == [0, 9, 9] and 'alt="Red 9."' in picture.value  # the frames that are kept, then the first picture
    slider.value = 0
    assert drawn[3:] == [0] and 'alt="Red 0."' in picture.value and slider.description == "red"


@pytest.mark.kernel
@pytest.mark.slow
def test_explore_in_a_real_kernel_is_a_widget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAULLITE_BOOK", raising=False)
    code = """import paulbook as pb
from PIL import Image
pb.figures.explore(lambda v: Image.new("RGB", (8, 6), (v, 0, 0)), [0, 9], label="red", alt="Red {}.")"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    shown = notebook.cells[0].outputs[-1]["data"]
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert "paul-frames" in shown["text/html"] and shown["text/plain"].startswith("[moving figure, red")
    widgets = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    assert any('alt="Red 0."' in str(widget["state"].get("value", "")) for widget in widgets)


def test_what_the_figures_share_with_the_explorer_is_joined_without_comments() -> None:
    text = joining.expression(figures.SCRIPTS / "cycle.js")
    assert "const rows_module" in text and "const cyclic_module" in text and "/**" not in text and "export" not in text
    assert text.index("rows_module = ") < text.index("cyclic_module = ") < text.index("(root, data, ui) =>")
    assert len(text) < 12_000


def test_no_kernel_no_live_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAULLITE_BOOK", raising=False)
    assert figures._is_live() is False


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_can_be_parsed_and_load_nothing(script: Path, tmp_path: Path) -> None:
    text = joining.expression(script)
    assert not re.search(r"https?://(?!www\.w3\.org)|fetch\(|import |innerHTML", text), script.name
    if node := shutil.which("node"):
        probe = tmp_path / "probe.js"
        probe.write_text(f"const f = {text};\nif (typeof f !== 'function') process.exit(1);\n")
        subprocess.run([node, str(probe)], check=True)
