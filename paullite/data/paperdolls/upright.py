"""A person seen from the front or from behind."""

from __future__ import annotations

from dataclasses import replace

from .body import Doll, arm, leg, shadow, shoulder_bag
from .raster import Brush, wave


def draw_upright(doll: Doll) -> None:
    """Furthest parts first: from behind, hair and backpack lie over the body."""
    look, front = doll.look, doll.pose.view == "front"
    step = wave(doll.pose.phase) * doll.pose.stride // 100
    shadow(doll)
    if front and doll.hair_down:
        doll.limb((0, 80), (0, 200 if look.hair_length == "long" else 90), 74, 84, doll.hair.dimmed(85))
    for side in (-1, 1):
        _leg(doll, side, step * side)
    doll.panel(doll.lower, *((90, 440, 150, 715) if look.lower == "skirt" else (95, 430, 100, 560)))
    for side in (-1, 1):
        _arm(doll, side, step * side)
    _torso(doll, front)
    if look.bag == "backpack":
        (_straps if front else _backpack)(doll)
    doll.limb((0, 130), (0, 165), 32, 36, doll.skin.dimmed(90))
    doll.oval((0, 84), 60, 72, doll.skin)
    (_face if front else _hair_from_behind)(doll)
    if look.bag == "shoulder":
        hip = 98 if front else -98  # the person's own left hand is on our right only in front
        shoulder_bag(doll, (-hip * 7 // 10, 172), hip, hip * 115 // 100, 11, 74)


def _leg(doll: Doll, side: int, step: int) -> None:
    lift = max(0, step) * 55 // 256  # the leg that swings forward looks shorter
    hip, knee, foot = (48 * side, 520), (50 * side, 735 - lift // 2), (48 * side, 950 - lift)
    leg(doll, hip, knee, foot, 100 if step <= 0 else 90)
    doll.oval((56 * side, 968 - lift), 40, 26, doll.shoe)


def _arm(doll: Doll, side: int, step: int) -> None:
    swing = -step * 40 // 256
    elbow, hand = (142 * side, 335), ((150 - abs(swing) // 4) * side, 478 - swing)
    arm(doll, (108 * side, 212), elbow, hand, 88)


def _torso(doll: Doll, front: bool) -> None:
    coat = doll.look.pattern == "coat"
    half, hem = (112, 610) if coat else (100, 485)
    top = (-112, 190), (-66, 160), (66, 160), (112, 190)
    doll.area(doll.upper, *top, (104, 340), (half, hem), (-half, hem), (-104, 340))
    if coat and front:
        doll.panel(doll.second, 40, 160, 34, 480)
        doll.panel(doll.lower, 34, 480, 30, hem)
    if doll.look.pattern == "logo" and front:
        doll.oval((0, 275), 52, 50, replace(doll.second, depth=100))


def _straps(doll: Doll) -> None:
    for side in (-1, 1):
        doll.limb((72 * side, 168), (80 * side, 370), 17, 15, replace(doll.bag, depth=90))


def _backpack(doll: Doll) -> None:
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
