"""Taking pictures: how a person passes a camera, what gets in the way, and what becomes of it on the picture."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from .backgrounds import strip
from .cameras import Camera
from .dolls import Look, draw_look
from .figure import VIEWS, Doll, Pose
from .raster import HEIGHT, SUPER, TURN, WIDTH, Brush, Canvas, Dice, Pixels, darker

OCCLUDERS = ("pole", "low wall", "bush", "passer-by")


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
    dice = Dice(name)
    usual = dice.chance(camera.view_habit)
    view = camera.view if usual else dice.choose(view for view in VIEWS if view != camera.view)
    across, down, phase = dice.pick(0, 1000), dice.pick(300, 700), dice.pick(0, TURN - 1)
    shots = []
    for k in range(count):
        seen = dice.choose(VIEWS) if dice.chance(camera.turn) else view
        pose = _pose(camera, dice, seen, (phase + k * 19 + dice.pick(-6, 6)) % TURN)
        place = max(0, min(1000, across + dice.pick(-15, 15) + 12 * k))
        occluder = dice.choose(OCCLUDERS) if dice.chance(camera.occlusion) else ""
        shots.append(Shot(pose, place, down + dice.pick(-30, 30), occluder, dice.pick(0, 2**31 - 2)))
    return shots


def _pose(camera: Camera, dice: Dice, view: str, phase: int) -> Pose:
    height, down, across = (dice.pick(-camera.jitter, camera.jitter) for _ in range(3))
    height = 1720 * (100 + camera.tightness + height // 12) // 100
    return Pose(
        view=view, phase=phase, x=WIDTH // 2 + camera.offset + across, y=HEIGHT // 2 + camera.drop + down + height // 2,
        height=height, stretch=108 * (100 + camera.stretch) // 100, tilt=camera.tilt, lean=camera.lean,
        stride=camera.stride,
    )  # fmt: skip


def plan_junk(camera: Camera, name: str) -> Shot:
    """A box that a bad detector draws: nobody in it, only legs, half a person, or a small part much too close."""
    dice = Dice(name, "junk")
    shot, kind = plan_track(camera, name, 1)[0], dice.choose(("background", "leg", "half", "close"))
    side = 1 if dice.chance(50) else -1
    if kind == "background" or shot.pose is None:
        return replace(shot, pose=None)
    if kind == "half":
        return replace(shot, pose=replace(shot.pose, x=WIDTH // 2 + side * dice.pick(480, 620)))
    height = dice.pick(4200, 5600)
    feet = HEIGHT - 150 if kind == "leg" else HEIGHT // 2 + height * dice.pick(60, 90) // 100
    near = replace(shot.pose, height=height, y=feet, x=WIDTH // 2 + side * dice.pick(0, 400))
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
        Doll(canvas, look, shot.pose).draw()
        if shot.occluder:
            _put_in_front(canvas, shot.occluder, Dice(shot.seed, "front"), shot.pose, camera.cover)
    return camera.develop(np.asarray(Image.fromarray(canvas.pixels).reduce(SUPER)), shot.seed)


def _put_in_front(canvas: Canvas, kind: str, dice: Dice, body: Pose, cover: int) -> None:
    """Draw an occluder. A passer-by is nearer to the camera, and the picture's edge cuts off a part of them."""
    if kind == "pole":
        x, wide = body.x + dice.pick(-260, 260), dice.pick(110, 180) * cover // 100
        canvas.box(x - wide // 2, 0, x + wide // 2, HEIGHT, (120, 122, 128))
        canvas.box(x + wide // 4, 0, x + wide // 2, HEIGHT, (88, 90, 96))
    elif kind == "low wall":
        top = min(body.y, HEIGHT) - dice.pick(300, 560) * cover // 100
        colour = dice.choose(((150, 142, 130), (146, 92, 74), (96, 100, 108)))
        canvas.box(0, top, WIDTH, HEIGHT, colour)
        canvas.box(0, top, WIDTH, top + 50, darker(colour, 125))
    elif kind == "bush":
        x = body.x + (1 if dice.chance(50) else -1) * dice.pick(150, 420)
        green = dice.choose(((58, 110, 54), (82, 122, 48), (44, 88, 60)))
        for _ in range(7):
            leaf, radius = darker(green, dice.pick(80, 125)), dice.pick(150, 260) * cover // 100
            y = HEIGHT - dice.pick(0, 520) * cover // 100
            canvas.ellipse(x + dice.pick(-260, 260), y, radius, radius, Brush(leaf))
    else:
        x = body.x + (1 if dice.chance(50) else -1) * dice.pick(330, 470) * 100 // cover
        view, phase, height = dice.choose(VIEWS), dice.pick(0, TURN - 1), body.height * 104 // 100
        near = replace(body, view=view, phase=phase, x=x, y=body.y + 90, height=height, lean=0)
        Doll(canvas, draw_look(dice), near).draw()
