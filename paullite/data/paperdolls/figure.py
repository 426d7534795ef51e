"""Drawing a whole person, onto a canvas or as a picture of its own."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .body import VIEWS, Doll, Pose
from .dolls import Look
from .raster import SUPER, Canvas, Colour, shrink
from .sideways import draw_sideways
from .upright import draw_upright

PAPER = (232, 230, 222)


def draw_doll(canvas: Canvas, look: Look, pose: Pose) -> None:
    """Draw a person onto a canvas, furthest parts first."""
    if pose.view not in VIEWS:
        raise ValueError(f"view {pose.view!r}; expected one of {', '.join(VIEWS)}")
    draw = draw_upright if pose.view in ("front", "back") else draw_sideways
    draw(Doll(canvas, look, pose))


def draw_person(
    look: Look, view: str = "front", phase: int = 0, size: tuple[int, int] = (128, 64), background: Colour = PAPER
) -> Image.Image:
    """A person on plain paper, as no camera would see them.

    Args:
        look, view, phase: who, and `Pose.view` and `Pose.phase`.
        size: height and width of the picture in pixels.
        background: red, green and blue of the paper, 0 to 255.

    Raises:
        ValueError: the view is not one of the four.

    >>> from paullite.data.paperdolls import draw_person, random_look
    >>> draw_person(random_look(seed=0, index=3), view="back").size
    (64, 128)
    """
    pixels = np.empty((size[0] * SUPER, size[1] * SUPER, 3), dtype=np.uint8)
    pixels[:] = background
    draw_doll(Canvas(pixels), look, Pose(view=view, phase=phase))
    return Image.fromarray(shrink(pixels))
