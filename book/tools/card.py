"""Draw the book's social card and its small icon: ``python book/tools/card.py`` writes both into ``book/assets``."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from paullite.app.pictures import COLOURS, RIGHT, WRONG
from paullite.data.paperdolls import (
    Look,
    draw_person,
    make_cameras,
    photograph,
    plan_track,
    random_look,
)

ASSETS = Path(__file__).parent.parent / "assets"
PATCHES = COLOURS[:6]
INK, PAPER = "#1d2733", "#fbfaf6"
QUERY, OTHER = 4, 31  # the person who is looked for, and another one
TITLE, TEXT = "PAUL, learned by doing", "Recognise people across cameras without labels.\nA book that runs on a laptop."


def picture(look: Look, camera: int, word: str) -> Image.Image:
    """One picture of a person by a camera of the target, large enough for the card."""
    chosen = make_cameras("target", count=4)[camera]
    shot = plan_track(chosen, word, count=1)[0]
    return photograph(chosen, look, shot, (384, 192))


def show(figure: Figure, at: tuple[float, float], image: Image.Image, colour: str) -> Axes:
    """Place a picture with a coloured frame; ``at`` is its left lower corner in shares of the card."""
    axes = figure.add_axes((*at, 0.115, 0.115 * 1200 / 630 * 2))
    axes.imshow(image)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=colour, linewidth=5)
    return axes


def outline_patches(axes: Axes, image: Image.Image) -> None:
    """Six stripes over a picture."""
    height = image.height / len(PATCHES)
    for p, colour in enumerate(PATCHES):
        frame = Rectangle((3, p * height + 3), image.width - 7, height - 6, fill=False, color=colour, linewidth=4)
        axes.add_patch(frame)


def draw_card() -> Figure:
    """The card: title on top, then a query cut into patches and its ranked list."""
    figure = Figure(figsize=(12, 6.3), facecolor=PAPER)
    figure.text(0.06, 0.80, TITLE, fontsize=46, weight="bold", color=INK)
    figure.text(0.06, 0.63, TEXT, fontsize=23, color=INK, linespacing=1.4)
    one, other = random_look(0, QUERY), random_look(0, OTHER)
    query = picture(one, 0, "query")
    outline_patches(show(figure, (0.06, 0.08), query, INK), query)
    ranked = [(one, 1, "a"), (one, 2, "b"), (other, 0, "d"), (one, 3, "c"), (other, 2, "e")]
    for place, (look, camera, word) in enumerate(ranked):
        right = look is one
        axes = show(figure, (0.26 + 0.142 * place, 0.08), picture(look, camera, word), RIGHT if right else WRONG)
        axes.set_title(f"{place + 1} {'✓' if right else '✗'}", color=RIGHT if right else WRONG, fontsize=18)
    return figure


def draw_icon() -> Image.Image:
    """Head and shoulders of a drawn person, for the browser's tab."""
    person = draw_person(random_look(0, QUERY), size=(512, 256), background=(251, 250, 246))
    return person.crop((48, 30, 208, 190)).resize((64, 64), Image.Resampling.LANCZOS)


def main() -> None:
    """Write ``card.png`` (1200 x 630, fewer colours so that it stays small) and ``favicon.png``."""
    figure = draw_card()
    path = ASSETS / "card.png"
    figure.savefig(path, dpi=100)
    with Image.open(path) as card:
        small = card.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    draw_icon().save(ASSETS / "favicon.png", optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
