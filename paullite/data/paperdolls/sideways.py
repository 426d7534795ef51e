"""A person seen from the side: narrower, with one arm and one leg in front of the other."""

from __future__ import annotations

from .body import Doll, arm, leg, shadow, shoulder_bag
from .raster import TURN, Brush, wave


def draw_sideways(doll: Doll) -> None:
    """Furthest parts first. The shoulder bag hangs on the left hip, so the right-hand view hides most of it."""
    look, right = doll.look, doll.pose.view == "right"
    step = wave(doll.pose.phase) * doll.pose.stride // 100
    bend = max(0, wave(doll.pose.phase + TURN // 4))
    shadow(doll)
    if doll.hair_down:
        doll.limb((-26, 90), (-46, 245 if look.hair_length == "long" else 115), 50, 42, doll.hair)
    if look.bag == "shoulder" and right:
        shoulder_bag(doll, (0, 175), -70, -70, 10, 76)
    _arm(doll, -step, 74)
    _leg(doll, -step, bend, 78)
    _leg(doll, step, 256 - bend, 100)
    doll.panel(doll.lower, *((64, 440, 122, 715) if look.lower == "skirt" else (64, 430, 62, 555)))
    _torso(doll)
    if look.bag == "backpack":
        _backpack(doll)
    _head(doll)
    if look.bag == "shoulder" and right:
        doll.limb((0, 168), (-52, 440), 11, 11, doll.bag.dimmed(80))  # its strap
    _arm(doll, step, 90)
    if look.bag == "shoulder" and not right:
        shoulder_bag(doll, (0, 175), -10, -10, 10, 76)


def _leg(doll: Doll, step: int, bend: int, light: int) -> None:
    swing, lift = -step * 120 // 256, bend * 25 // 256
    foot = (swing - lift, 950 - lift - abs(swing) // 8)
    leg(doll, (0, 520), (swing * 45 // 100 + 24, 738 - lift // 2), foot, light)
    doll.oval((foot[0] + 26, foot[1] + 16), 54, 25, doll.shoe.dimmed(light))


def _arm(doll: Doll, step: int, light: int) -> None:
    swing = step * 115 // 256
    arm(doll, (0, 218), (swing * 45 // 100, 340), (swing + 26, 465 - abs(swing) // 6), light)


def _torso(doll: Doll) -> None:
    coat = doll.look.pattern == "coat"
    hem = 610 if coat else 485
    front = (34, 160), (62, 200), (72, 330), (68, hem)
    doll.area(doll.upper, (-44, 160), *front, (-68, hem), (-66, 330), (-68, 200))
    if coat:  # the open front shows a narrow edge of what is under it
        doll.area(doll.second, (50, 185), (64, 205), (76, 330), (70, 470), (52, 470))


def _backpack(doll: Doll) -> None:
    doll.limb((-98, 240), (-100, 395), 54, 62, doll.bag)
    doll.limb((-40, 175), (-4, 300), 13, 13, doll.bag.dimmed(85))
    doll.limb((-4, 300), (-50, 385), 13, 13, doll.bag.dimmed(85))


def _head(doll: Doll) -> None:
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
