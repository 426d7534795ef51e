"""Taking pictures: how a person passes a camera, what gets in the way, and what becomes of it on the picture."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from .backgrounds import strip
from .body import VIEWS, Pose
from .cameras import Camera, develop
from .dolls import Look, draw_look
from .figure import draw_doll
from .randomness import chance, choose, pick, random_numbers
from .raster import HEIGHT, SUPER, TURN, WIDTH, Brush, Canvas, Pixels, darker, ellipse, rectangle, shrink


@dataclass(frozen=True)
class Shot:
    """One picture to be taken."""

    pose: Pose | None  #: how the person stands; ``None`` if nobody is there
    across: int  #: which part of the place is behind, thousandths
    down: int  #: the same from top to bottom
    occluder: str  #: what is in front: "", pole, low wall, bush or passer-by
    seed: int  #: random number for the occluder and for the grain


def plan_track(camera: Camera, name: str, count: int) -> list[Shot]:
    """A person's passage before a camera: one place and one main view, with another step in every picture.

    ``name`` is any words; the same words give the same track of ``count`` pictures.

    >>> from paullite.data.paperdolls import make_cameras
    >>> len(plan_track(make_cameras("source", count=4)[0], "any words", count=3))
    3
    """
    rng = random_numbers(name)
    usual = chance(rng, camera.view_habit)
    view = camera.view if usual else choose(rng, [view for view in VIEWS if view != camera.view])
    across, down, phase = pick(rng, 0, 1000), pick(rng, 300, 700), pick(rng, 0, TURN - 1)
    shots = []
    for k in range(count):
        seen = choose(rng, VIEWS) if chance(rng, camera.turn) else view
        pose = _pose(camera, rng, seen, (phase + k * 19 + pick(rng, -6, 6)) % TURN)
        place = max(0, min(1000, across + pick(rng, -15, 15) + 12 * k))
        occluder = choose(rng, OCCLUDERS) if chance(rng, camera.occlusion) else ""
        shots.append(Shot(pose, place, down + pick(rng, -30, 30), occluder, pick(rng, 0, 2**31 - 2)))
    return shots


def _pose(camera: Camera, rng: np.random.RandomState, view: str, phase: int) -> Pose:
    jitter = camera.jitter
    height = 1720 * (100 + camera.tightness + pick(rng, -jitter, jitter) // 12) // 100
    middle = HEIGHT // 2 + camera.drop + pick(rng, -jitter, jitter)
    return Pose(
        view=view, phase=phase, x=WIDTH // 2 + camera.offset + pick(rng, -jitter, jitter), y=middle + height // 2,
        height=height, stretch=108 * (100 + camera.stretch) // 100, tilt=camera.tilt, lean=camera.lean,
        stride=camera.stride,
    )  # fmt: skip


def plan_junk(camera: Camera, name: str) -> Shot:
    """A box that a bad detector draws: nobody in it, only legs, half a person, or a small part much too close."""
    rng = random_numbers(name, "junk")
    shot, kind = plan_track(camera, name, 1)[0], choose(rng, ("background", "leg", "half", "close"))
    side = 1 if chance(rng, 50) else -1
    if kind == "background" or shot.pose is None:
        return replace(shot, pose=None)
    if kind == "half":
        return replace(shot, pose=replace(shot.pose, x=WIDTH // 2 + side * pick(rng, 480, 620)))
    height = pick(rng, 4200, 5600)
    feet = HEIGHT - 150 if kind == "leg" else HEIGHT // 2 + height * pick(rng, 60, 90) // 100
    near = replace(shot.pose, height=height, y=feet, x=WIDTH // 2 + side * pick(rng, 0, 400))
    return replace(shot, pose=near, occluder="")


def photograph(camera: Camera, look: Look, shot: Shot, size: tuple[int, int] = (128, 64)) -> Image.Image:
    """The picture that a camera takes of a person; ``size`` is height and width in pixels.

    >>> from paullite.data.paperdolls import make_cameras, random_look
    >>> camera = make_cameras("target", count=4)[0]
    >>> photograph(camera, random_look(seed=0, index=3), plan_track(camera, "any words", count=1)[0]).size
    (64, 128)
    """
    return Image.fromarray(take(camera, look, shot, size))


def take(camera: Camera, look: Look, shot: Shot, size: tuple[int, int]) -> Pixels:
    """The same as an array of height x width x 3 bytes."""
    place = strip(camera.place, camera.name, camera.clutter, camera.place_strength, size)
    rows, columns = size[0] * SUPER, size[1] * SUPER
    top, left = (place.shape[0] - rows) * shot.down // 1000, (place.shape[1] - columns) * shot.across // 1000
    canvas = Canvas(place[top : top + rows, left : left + columns].copy())
    if shot.pose is not None:
        draw_doll(canvas, look, shot.pose)
        if shot.occluder:
            OCCLUDERS[shot.occluder](canvas, random_numbers(shot.seed, "front"), shot.pose, camera.cover)
    return develop(camera, shrink(canvas.pixels), shot.seed)


def _pole(canvas: Canvas, rng: np.random.RandomState, body: Pose, cover: int) -> None:
    x, wide = body.x + pick(rng, -260, 260), pick(rng, 110, 180) * cover // 100
    canvas.fill(rectangle(x - wide // 2, 0, x + wide // 2, HEIGHT), Brush((120, 122, 128)))
    canvas.fill(rectangle(x + wide // 4, 0, x + wide // 2, HEIGHT), Brush((88, 90, 96)))


def _low_wall(canvas: Canvas, rng: np.random.RandomState, body: Pose, cover: int) -> None:
    top = min(body.y, HEIGHT) - pick(rng, 300, 560) * cover // 100
    colour = choose(rng, ((150, 142, 130), (146, 92, 74), (96, 100, 108)))
    canvas.fill(rectangle(0, top, WIDTH, HEIGHT), Brush(colour))
    canvas.fill(rectangle(0, top, WIDTH, top + 50), Brush(darker(colour, 125)))


def _bush(canvas: Canvas, rng: np.random.RandomState, body: Pose, cover: int) -> None:
    x = body.x + (1 if chance(rng, 50) else -1) * pick(rng, 150, 420)
    green = choose(rng, ((58, 110, 54), (82, 122, 48), (44, 88, 60)))
    for _ in range(7):
        leaf = darker(green, pick(rng, 80, 125))
        radius = pick(rng, 150, 260) * cover // 100
        y = HEIGHT - pick(rng, 0, 520) * cover // 100
        canvas.fill(ellipse(x + pick(rng, -260, 260), y, radius, radius), Brush(leaf))


def _passer_by(canvas: Canvas, rng: np.random.RandomState, body: Pose, cover: int) -> None:
    """Someone nearer to the camera, of whom the picture's edge cuts off a part."""
    x = body.x + (1 if chance(rng, 50) else -1) * pick(rng, 330, 470) * 100 // cover
    view, phase, height = choose(rng, VIEWS), pick(rng, 0, TURN - 1), body.height * 104 // 100
    near = replace(body, view=view, phase=phase, x=x, y=body.y + 90, height=height, lean=0)
    draw_doll(canvas, draw_look(rng), near)


OCCLUDERS = {"pole": _pole, "low wall": _low_wall, "bush": _bush, "passer-by": _passer_by}
