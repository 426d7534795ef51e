"""Figures of the book: still, moving by frames, or computing in the page. Each carries its own text alternative.

Three kinds, one look. `show` is a still picture. `frames` holds up to 25 pictures behind a slider and needs no kernel;
`explore` is the same, but draws anew at every move where Jupyter runs. `live` computes in the reader's browser, by a
short script of ``book/paulbook/scripts``.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from paullite.app.pictures import COLOURS, RIGHT, WRONG
from paullite.errors import InputError

from .joining import expression
from .numbers import MIME, Columns, Table, as_json, folded, given, lacks_numbers, read_off

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    Picture = Figure | Image.Image

__all__ = ["COLOURS", "RIGHT", "WRONG", "Html", "data_uri", "explore", "frames", "live", "plot", "show"]

Groups = Sequence[Sequence[Table]]  # the tables of each picture

SCRIPTS = Path(__file__).parent / "scripts"
MOST_FRAMES = 25
DPI = 144  # twice the 72 of a page, for sharp text on fine screens
STYLE: Any = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Html:
    """Something that notebooks and pages show; its text form is the alternative.

    Attributes:
        html: what is shown.
        text: the same in words.
        tables: the numbers in it. A notebook keeps them beside the HTML, in a form of their own, so that a run that
            makes the notebook again can compare them.
    """

    html: str
    text: str
    tables: tuple[Table, ...] = ()

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return {MIME: as_json(self.tables)} if self.tables else {}

    def __repr__(self) -> str:
        return self.text


def plot(rows: int = 1, columns: int = 1, *, width: float = 6.4, height: float = 3.2) -> tuple[Figure, Any]:
    """An empty figure in the style of the book.

    Args:
        rows, columns: of axes.
        width, height: in inches. At 6.4 inches a figure fills the page; its text stays legible on a phone.

    Returns:
        The figure, and its axes: one alone, else an array.

    >>> figure, axes = plot()
    >>> _ = axes.plot([1, 2], [3, 4], color=COLOURS[0])
    >>> show(figure, alt="A line from 3 to 4.")
    [figure: A line from 3 to 4.]
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.rcsetup import cycler

    with rc_context({**STYLE, "axes.prop_cycle": cycler(color=COLOURS)}):
        figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
        return figure, figure.subplots(rows, columns)


def show(picture: Picture, *, alt: str, caption: str = "", numbers: Columns | None = None) -> Html:
    """A still figure.

    Args:
        picture: a matplotlib figure or a PIL image.
        alt: what it shows, in words, for who cannot see it.
        caption: what to see in it, below.
        numbers: columns by name, for the folded table below. Without it they are read off the figure: lines, bars
            and points that have a label, and small pictures of numbers.

    >>> figure, axes = plot()
    >>> _ = axes.bar(["a", "b"], [1, 2], label="people")
    >>> "<td>a</td><td>1</td>" in show(figure, alt="Two bars.").html
    True
    """
    image = _image(picture, alt)
    return _figure(image, caption, alt, *_numbers([picture], numbers))


def frames(
    draw: Callable[[Any], Picture],
    values: Sequence[Any],
    *,
    label: str,
    alt: str,
    caption: str = "",
    start: int = 0,
    numbers: Columns | None = None,
) -> Html:
    """Pictures drawn beforehand, behind a slider. Works without a kernel and without a network.

    Args:
        draw: makes the picture for one value.
        values: at most 25; each is shown beside the slider as ``str(value)``.
        label: name of the slider.
        alt: text alternative; ``{}`` in it becomes the value.
        caption: what to see, below.
        start: place of the first value to show.
        numbers: as in `show`, for all values together; without it each picture has a table of its own.

    Raises:
        InputError: no value, or more than 25.

    >>> from PIL import Image
    >>> frames(lambda v: Image.new("RGB", (8, 8), (v, 0, 0)), [0, 128, 255], label="red", alt="A square, red {}.")
    [moving figure, red: 0, 128, 255. A square, red 0.]
    """
    if not 1 <= len(values) <= MOST_FRAMES:
        raise InputError(f"found {len(values)} values", f"expected 1 to {MOST_FRAMES}", "leave some out")
    shown = [str(value) for value in values]
    drawn = [draw(value) for value in values]
    images = [_image(picture, alt.format(text)) for picture, text in zip(drawn, shown, strict=True)]
    body = f"<div class=paul-frames>{''.join(images)}</div>"
    data = {"label": label, "values": shown, "start": start}
    words = f"[moving figure, {label}: {', '.join(shown)}. {alt.format(shown[start])}]"
    return _scripted("frames", data, body, caption, words, *_numbers(drawn, numbers))


def explore(
    draw: Callable[[Any], Picture],
    values: Sequence[Any],
    *,
    label: str,
    alt: str,
    caption: str = "",
    start: int = 0,
    numbers: Columns | None = None,
) -> Any:
    """Like `frames`, but where Jupyter runs each picture is drawn anew when the slider gets there.

    On a page (and wherever ipywidgets is missing) it is `frames`, and `frames` also stands beside the widget in what a
    notebook keeps, for whoever opens it later without a kernel. Takes the same arguments.
    """
    kept = frames(draw, values, label=label, alt=alt, caption=caption, start=start, numbers=numbers)
    if not _is_live():
        return kept
    from ipywidgets import HTML, SelectionSlider, VBox

    class Explorer(VBox):
        """A widget that shows `frames` where no widget can be shown: on GitHub, in a saved or handed-in notebook."""

        def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
            bundle = super()._repr_mimebundle_(**options)
            kept_forms = {"text/html": kept.html, "text/plain": repr(kept), **kept._repr_mimebundle_()}
            return {**(bundle or {}), **kept_forms}

    slider = SelectionSlider(options=[(str(v), v) for v in values], value=values[start], description=label)
    slider.style.description_width = "initial"
    picture = HTML()

    def update(_: object = None) -> None:
        shown = show(draw(slider.value), alt=alt.format(slider.value), caption=caption, numbers=numbers)
        picture.value = shown.html

    slider.observe(update, "value")
    update()
    return Explorer([slider, picture])


def live(
    script: str, data: Any, *, still: Picture, alt: str, caption: str = "", numbers: Columns | None = None
) -> Html:
    """A figure that computes in the reader's browser.

    Args:
        script: a file of ``book/paulbook/scripts``, without its ending.
        data: what the script gets, as JSON.
        still: shown where scripts do not run.
        alt: text alternative of the still.
        caption: what to do and see, below.
        numbers: as in `show`, of the still.
    """
    words = f"[figure to play with: {alt}]"
    return _scripted(script, data, _image(still, alt), caption, words, *_numbers([still], numbers))


def data_uri(picture: Image.Image) -> str:
    """A picture as text, for the data of a `live` figure: the address of an ``<img>``, WebP within.

    >>> data_uri(Image.new("RGB", (8, 8)))[:23]
    'data:image/webp;base64,'
    """
    buffer = io.BytesIO()
    few_colours = (
        picture.getcolors(4096) is not None
    )  # a plot stays exact; a photograph would be several times as large
    picture.save(buffer, "webp", lossless=few_colours, quality=80, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _scripted(script: str, data: Any, body: str, caption: str, words: str, marks: str, groups: Groups) -> Html:
    """A figure with a script of its own: (root, data, ui) => ... runs once, when the figure is there."""
    values = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    name = hashlib.sha256(f"{script}{values}{body}{caption}".encode()).hexdigest()[:12]
    call = f"({_source('ui')})(document.getElementById('paul-{name}'),{values},{_source(script)})"
    whole = _figure(body, caption, words, f" id=paul-{name} data-script={script}{marks}", groups)
    return Html(f"{whole.html}<script>{call}</script>", words, whole.tables)


def _figure(body: str, caption: str, words: str, marks: str = "", groups: Groups = ()) -> Html:
    below = f"<figcaption>{html.escape(caption, quote=False)}</figcaption>" if caption else ""
    text = words if words.startswith("[") else f"[figure: {words}]"
    style = f"<style>{_read('figure.css')}</style>"
    inner = f"<div class=paul-stage>{body}</div>{below}{folded(groups)}"
    tables = tuple(table for group in groups for table in group if table.columns)
    return Html(f"{style}<figure class=paul-figure{marks}>{inner}</figure>", text, tables)


def _numbers(pictures: Sequence[Picture], numbers: Columns | None) -> tuple[str, Groups]:
    """A mark where numbers that should be there could not be read, and the tables of each picture."""
    if numbers is not None:
        return "", [given(numbers)]
    figures = [picture for picture in pictures if not isinstance(picture, Image.Image)]
    mark = " data-numbers=unread" if any(map(lacks_numbers, figures)) else ""
    return mark, [read_off(figure) for figure in figures]


def _image(picture: Picture, alt: str) -> str:
    """An <img> that carries its picture: WebP, as wide as it was meant, never wider than the page."""
    image = picture if isinstance(picture, Image.Image) else _rendered(picture)
    width = image.width * 72 // DPI if not isinstance(picture, Image.Image) else image.width
    return f'<img src="{data_uri(image)}" alt="{html.escape(alt)}" style="width:{width * 4 // 3}px">'


def _rendered(figure: Figure) -> Image.Image:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=DPI, format="png")
    return Image.open(buffer).convert("RGB")


@cache
def _read(name: str) -> str:
    return (SCRIPTS / name).read_text(encoding="utf-8").strip()


@cache
def _source(script: str) -> str:
    """A script as an expression, with the modules that it shares with the explorer."""
    return expression(SCRIPTS / f"{script}.js")


def _is_live() -> bool:
    """A kernel that somebody sits before: IPython runs, ipywidgets is there, and no book is being made."""
    if os.environ.get("PAULLITE_BOOK"):
        return False
    with suppress(ImportError):
        import ipywidgets  # noqa: F401
        from IPython import get_ipython

        return getattr(get_ipython(), "kernel", None) is not None
    return False
