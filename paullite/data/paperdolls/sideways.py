"""A person seen from the side: narrower, with one arm and one leg in front of the other."""

from __future__ import annotations

from .body import Doll, arm, leg, shadow
from .dolls import BAGS, CLOTH, HAIR, LOWER, SHOES, SKIN
from .raster import TURN, Brush, darker, wave


def draw_sideways(doll: Doll) -> None:
    """Furthest parts first. The shoulder bag hangs on the left hip, so the right-hand view hides most of it."""
    step = wave(doll.pose.phase) * doll.pose.stride // 100
    bend = max(0, wave(doll.pose.phase + TURN // 4))
    shadow(doll)
    _hair_down(doll)
    if doll.look.bag == "shoulder" and doll.pose.view == "right":
        _bag(doll, -70)
    _arm(doll, -step, 74)
    _leg(doll, -step, bend, 78)
    _leg(doll, step, 256 - bend, 100)
    _hips(doll)
    _torso(doll)
    _backpack(doll)
    _head(doll)
    _strap(doll)
    _arm(doll, step, 90)
    if doll.look.bag == "shoulder" and doll.pose.view == "left":
        _bag(doll, -10)


def _leg(doll: Doll, step: int, bend: int, light: int) -> None:
    f, swing = doll.facing, -step * 120 // 256
    lift = bend * 25 // 256
    knee = (swing * 45 // 100 + 24, 738 - lift // 2)
    foot = (swing - lift, 950 - lift - abs(swing) // 8)
    leg(doll, (0, 520), (knee[0] * f, knee[1]), (foot[0] * f, foot[1]), light)
    doll.oval(((foot[0] + 26) * f, foot[1] + 16), 54, 25, Brush(SHOES[doll.look.shoes]).dimmed(light))


def _arm(doll: Doll, step: int, light: int) -> None:
    f, swing = doll.facing, step * 115 // 256
    arm(doll, (0, 218), (swing * 45 // 100 * f, 340), ((swing + 26) * f, 465 - abs(swing) // 6), light)


def _hips(doll: Doll) -> None:
    cloth = Brush(LOWER[doll.look.lower_colour])
    if doll.look.lower == "skirt":
        doll.area(cloth, (-64, 440), (64, 440), (122, 715), (-122, 715))
    else:
        doll.area(cloth, (-64, 430), (64, 430), (62, 555), (-62, 555))


def _torso(doll: Doll) -> None:
    f, cloth, coat = doll.facing, doll.cloth(), doll.look.pattern == "coat"
    hem = 610 if coat else 485
    doll.area(cloth, (-44 * f, 160), (34 * f, 160), (62 * f, 200), (72 * f, 330), (68 * f, hem), (-68 * f, hem),
              (-66 * f, 330), (-68 * f, 200))  # fmt: skip
    if coat:  # the open front shows a narrow edge of what is under it
        inner = Brush(CLOTH[doll.look.second])
        doll.area(inner, (50 * f, 185), (64 * f, 205), (76 * f, 330), (70 * f, 470), (52 * f, 470))


def _backpack(doll: Doll) -> None:
    if doll.look.bag != "backpack":
        return
    f, colour = doll.facing, BAGS[doll.look.bag_colour]
    doll.limb((-98 * f, 240), (-100 * f, 395), 54, 62, Brush(colour))
    doll.limb((-40 * f, 175), (-4 * f, 300), 13, 13, Brush(darker(colour, 85)))
    doll.limb((-4 * f, 300), (-50 * f, 385), 13, 13, Brush(darker(colour, 85)))


def _strap(doll: Doll) -> None:
    if doll.look.bag == "shoulder" and doll.pose.view == "right":
        colour = darker(BAGS[doll.look.bag_colour], 80)
        doll.limb((0, 168), (-52 * doll.facing, 440), 11, 11, Brush(colour))


def _bag(doll: Doll, across: int) -> None:
    colour, x = BAGS[doll.look.bag_colour], across * doll.facing
    doll.limb((0, 175), (x, 460), 10, 10, Brush(darker(colour, 80)))
    doll.oval((x, 530), 76, 66, Brush(colour))
    doll.oval((x, 500), 68, 26, Brush(darker(colour, 70)))


def _hair_down(doll: Doll) -> None:
    if doll.look.hair_length in ("chin", "long"):
        end = 290 if doll.look.hair_length == "long" else 160
        doll.limb((-26 * doll.facing, 90), (-46 * doll.facing, end - 45), 50, 42, Brush(HAIR[doll.look.hair]))


def _head(doll: Doll) -> None:
    f, hair, skin = doll.facing, Brush(HAIR[doll.look.hair]), Brush(SKIN[doll.look.skin])
    doll.limb((-4 * f, 130), (-8 * f, 165), 30, 34, skin.dimmed(90))
    doll.oval((4 * f, 84), 62, 72, skin)
    doll.oval((62 * f, 92), 12, 12, skin)
    doll.oval((-8 * f, 48), 62, 46, hair)
    doll.oval((-32 * f, 78), 38, 60 if doll.look.hair_length != "short" else 48, hair)
    doll.oval((38 * f, 86), 9, 11, Brush((34, 26, 28), depth=100))
    if doll.look.hair_length == "bun":
        doll.oval((-58 * f, 24), 32, 30, hair)
    if doll.look.hair_length in ("chin", "long"):
        doll.limb((-30 * f, 80), (-38 * f, 140), 34, 34, hair)
