"""Drawing a whole person, onto a canvas or as a picture of its own: upright (from the front or back) and sideways."""

from dataclasses import replace

import numpy as np
from PIL import Image

from .body import VIEWS, Doll, Pose, arm, leg, shadow, shoulder_bag
from .dolls import Look
from .raster import SUPER, TURN, Brush, Canvas, Colour, shrink, wave

PAPER = (232, 230, 222)


def draw_doll(canvas: Canvas, look: Look, pose: Pose) -> None:
    """Draw a person onto a canvas, furthest parts first."""
    if pose.view not in VIEWS:
        raise ValueError(f"view {pose.view!r}; expected one of {', '.join(VIEWS)}")
    doll, step = Doll(canvas, look, pose), wave(pose.phase) * pose.stride // 100
    shadow(doll)
    (_upright if pose.view in ("front", "back") else _sideways)(doll, step)


def draw_person(
    look: Look, view: str = "front", phase: int = 0, size: tuple[int, int] = (128, 64), background: Colour = PAPER
) -> Image.Image:
    """A person on plain paper, as no camera would see them.

    Args:
        look, view, phase: who, and how, as in `Pose`; a view that is none of the four is a ``ValueError``.
        size, background: height and width in pixels; red, green and blue of the paper.

    >>> from paullite.data.paperdolls import draw_person, random_look
    >>> draw_person(random_look(seed=0, index=3), view="back").size
    (64, 128)
    """
    pixels = np.full((size[0] * SUPER, size[1] * SUPER, 3), background, dtype=np.uint8)
    draw_doll(Canvas(pixels), look, Pose(view=view, phase=phase))
    return Image.fromarray(shrink(pixels))


def _upright(doll: Doll, step: int) -> None:
    """Furthest parts first: from behind, hair and backpack lie over the body."""
    look, front = doll.look, doll.pose.view == "front"
    if front and doll.hair_down:
        doll.limb((0, 80), (0, 200 if look.hair_length == "long" else 90), 74, 84, doll.hair.dimmed(85))
    for side in (-1, 1):
        _leg_upright(doll, side, step * side)
    doll.panel(doll.lower, *((90, 440, 150, 715) if look.lower == "skirt" else (95, 430, 100, 560)))
    for side in (-1, 1):
        _arm_upright(doll, side, step * side)
    _torso_upright(doll, front)
    if look.bag == "backpack":
        (_straps if front else _backpack_upright)(doll)
    doll.limb((0, 130), (0, 165), 32, 36, doll.skin.dimmed(90))
    doll.oval((0, 84), 60, 72, doll.skin)
    (_face if front else _hair_from_behind)(doll)
    if look.bag == "shoulder":
        hip = 98 if front else -98  # the person's own left hand is on our right only in front
        shoulder_bag(doll, (-hip * 7 // 10, 172), hip, hip * 115 // 100, 11, 74)


def _leg_upright(doll: Doll, side: int, step: int) -> None:
    lift = max(0, step) * 55 // 256  # the leg that swings forward looks shorter
    knee, foot = (50 * side, 735 - lift // 2), (48 * side, 950 - lift)
    leg(doll, (48 * side, 520), knee, foot, 100 if step <= 0 else 90)
    doll.oval((56 * side, 968 - lift), 40, 26, doll.shoe)


def _arm_upright(doll: Doll, side: int, step: int) -> None:
    swing = -step * 40 // 256
    arm(doll, (108 * side, 212), (142 * side, 335), ((150 - abs(swing) // 4) * side, 478 - swing), 88)


def _torso_upright(doll: Doll, front: bool) -> None:
    pattern, top = doll.look.pattern, ((-112, 190), (-66, 160), (66, 160), (112, 190))
    half, hem = (112, 610) if pattern == "coat" else (100, 485)
    doll.area(doll.upper, *top, (104, 340), (half, hem), (-half, hem), (-104, 340))
    if pattern == "coat" and front:
        doll.panel(doll.second, 40, 160, 34, 480)
        doll.panel(doll.lower, 34, 480, 30, hem)
    if pattern == "logo" and front:
        doll.oval((0, 275), 52, 50, replace(doll.second, depth=100))


def _straps(doll: Doll) -> None:
    for side in (-1, 1):
        doll.limb((72 * side, 168), (80 * side, 370), 17, 15, replace(doll.bag, depth=90))


def _backpack_upright(doll: Doll) -> None:
    doll.limb((0, 255), (0, 390), 88, 92, doll.bag)
    doll.panel(doll.bag.dimmed(120 if sum(doll.bag.colour) > 150 else 170), 58, 335, 58, 430)
    doll.limb((-30, 178), (30, 178), 10, 10, doll.bag.dimmed(75))


def _face(doll: Doll) -> None:
    doll.area(doll.hair, (-61, 62), (-52, 26), (-26, 5), (26, 5), (52, 26), (61, 50))
    for side in (-1, 1):
        doll.limb((56 * side, 50), (57 * side, 155 if doll.hair_down else 84), 11, 13, doll.hair)
        doll.oval((23 * side, 88), 9, 10, Brush((34, 26, 28), depth=100))
    doll.oval((0, 123), 17, 6, Brush((170, 70, 70), depth=100))
    if doll.look.hair_length == "bun":
        doll.oval((0, 2), 34, 28, doll.hair)


def _hair_from_behind(doll: Doll) -> None:
    if doll.hair_down:
        end, half = (238, 66) if doll.look.hair_length == "long" else (103, 72)
        doll.limb((0, 74), (0, end), 66, half, doll.hair)
    else:
        doll.oval((0, 70), 63, 70, doll.hair)
    if doll.look.hair_length == "bun":
        doll.oval((0, 22), 36, 32, doll.hair.dimmed(75))


def _sideways(doll: Doll, step: int) -> None:
    """Furthest parts first. The shoulder bag hangs on the left hip, so the right-hand view hides most of it."""
    look, right = doll.look, doll.pose.view == "right"
    bend = max(0, wave(doll.pose.phase + TURN // 4))
    if doll.hair_down:
        doll.limb((-26, 90), (-46, 245 if look.hair_length == "long" else 115), 50, 42, doll.hair)
    if look.bag == "shoulder" and right:
        shoulder_bag(doll, (0, 175), -70, -70, 10, 76)
    _arm_sideways(doll, -step, 74)
    _leg_sideways(doll, -step, bend, 78)
    _leg_sideways(doll, step, 256 - bend, 100)
    doll.panel(doll.lower, *((64, 440, 122, 715) if look.lower == "skirt" else (64, 430, 62, 555)))
    _torso_sideways(doll)
    if look.bag == "backpack":
        _backpack_sideways(doll)
    _head_sideways(doll)
    if look.bag == "shoulder" and right:
        doll.limb((0, 168), (-52, 440), 11, 11, doll.bag.dimmed(80))  # its strap
    _arm_sideways(doll, step, 90)
    if look.bag == "shoulder" and not right:
        shoulder_bag(doll, (0, 175), -10, -10, 10, 76)


def _leg_sideways(doll: Doll, step: int, bend: int, light: int) -> None:
    swing, lift = -step * 120 // 256, bend * 25 // 256
    foot = (swing - lift, 950 - lift - abs(swing) // 8)
    leg(doll, (0, 520), (swing * 45 // 100 + 24, 738 - lift // 2), foot, light)
    doll.oval((foot[0] + 26, foot[1] + 16), 54, 25, doll.shoe.dimmed(light))


def _arm_sideways(doll: Doll, step: int, light: int) -> None:
    swing = step * 115 // 256
    arm(doll, (0, 218), (swing * 45 // 100, 340), (swing + 26, 465 - abs(swing) // 6), light)


def _torso_sideways(doll: Doll) -> None:
    coat = doll.look.pattern == "coat"
    hem = 610 if coat else 485
    front = (34, 160), (62, 200), (72, 330), (68, hem)
    doll.area(doll.upper, (-44, 160), *front, (-68, hem), (-66, 330), (-68, 200))
    if coat:  # the open front shows a narrow edge of what is under it
        doll.area(doll.second, (50, 185), (64, 205), (76, 330), (70, 470), (52, 470))


def _backpack_sideways(doll: Doll) -> None:
    doll.limb((-98, 240), (-100, 395), 54, 62, doll.bag)
    doll.limb((-40, 175), (-4, 300), 13, 13, doll.bag.dimmed(85))
    doll.limb((-4, 300), (-50, 385), 13, 13, doll.bag.dimmed(85))


def _head_sideways(doll: Doll) -> None:
    doll.limb((-4, 130), (-8, 165), 30, 34, doll.skin.dimmed(90))
    doll.oval((4, 84), 62, 72, doll.skin)
    doll.oval((62, 92), 12, 12, doll.skin)
    doll.oval((-8, 48), 62, 46, doll.hair)
    doll.oval((-32, 78), 38, 60 if doll.look.hair_length != "short" else 48, doll.hair)
    doll.oval((38, 86), 9, 11, Brush((34, 26, 28), depth=100))
    if doll.look.hair_length == "bun":
        doll.oval((-58, 24), 32, 30, doll.hair)
    if doll.hair_down:
        doll.limb((-30, 80), (-38, 140), 34, 34, doll.hair)
