"""A person seen from the front or from behind."""

from __future__ import annotations

from .body import Doll, arm, leg, shadow
from .dolls import BAGS, CLOTH, HAIR, LOWER, SHOES, SKIN
from .raster import Brush, darker, wave


def draw_upright(doll: Doll) -> None:
    """Furthest parts first: from behind, hair and backpack lie over the body."""
    front = doll.pose.view == "front"
    shadow(doll)
    if front:
        _hair_behind(doll)
    step = wave(doll.pose.phase) * doll.pose.stride // 100
    for side in (-1, 1):
        _leg_upright(doll, side, step * side)
    _hips(doll, 100)
    for side in (-1, 1):
        _arm_upright(doll, side, step * side)
    _torso_upright(doll, front)
    if front:
        _straps(doll)
        _head(doll)
        _face(doll)
    else:
        _backpack(doll)
        _head(doll)
        _hair_from_behind(doll)
    _shoulder_bag(doll, 98 * doll.mirror)


def _leg_upright(doll: Doll, side: int, step: int) -> None:
    lift = max(0, step) * 55 // 256  # the leg that swings forward looks shorter
    hip, knee, foot = (48 * side, 520), (50 * side, 735 - lift // 2), (48 * side, 950 - lift)
    leg(doll, hip, knee, foot, 100 if step <= 0 else 90)
    doll.oval((56 * side, 968 - lift), 40, 26, Brush(SHOES[doll.look.shoes]))


def _hips(doll: Doll, half: int) -> None:
    cloth = Brush(LOWER[doll.look.lower_colour])
    if doll.look.lower == "skirt":
        doll.area(cloth, (-half * 9 // 10, 440), (half * 9 // 10, 440), (half * 3 // 2, 715), (-half * 3 // 2, 715))
    else:
        doll.area(cloth, (-half * 95 // 100, 430), (half * 95 // 100, 430), (half, 560), (-half, 560))


def _arm_upright(doll: Doll, side: int, step: int) -> None:
    swing = -step * 40 // 256
    elbow, hand = (142 * side, 335), ((150 - abs(swing) // 4) * side, 478 - swing)
    arm(doll, (108 * side, 212), elbow, hand, 88)


def _torso_upright(doll: Doll, front: bool) -> None:
    coat = doll.look.pattern == "coat"
    hem = 610 if coat else 485
    cloth = doll.cloth()
    doll.area(cloth, (-112, 190), (-66, 160), (66, 160), (112, 190), (104, 340), (112 if coat else 100, hem),
              (-112 if coat else -100, hem), (-104, 340))  # fmt: skip
    if coat and front:
        doll.area(Brush(CLOTH[doll.look.second]), (-40, 160), (40, 160), (34, 480), (-34, 480))
        doll.area(Brush(LOWER[doll.look.lower_colour]), (-34, 480), (34, 480), (30, hem), (-30, hem))
    if doll.look.pattern == "logo" and front:
        doll.oval((0, 275), 52, 50, Brush(CLOTH[doll.look.second], depth=100))


def _straps(doll: Doll) -> None:
    if doll.look.bag != "backpack":
        return
    strap = Brush(BAGS[doll.look.bag_colour], depth=90)
    for side in (-1, 1):
        doll.limb((72 * side, 168), (80 * side, 370), 17, 15, strap)


def _backpack(doll: Doll) -> None:
    if doll.look.bag != "backpack":
        return
    colour = BAGS[doll.look.bag_colour]
    doll.limb((0, 255), (0, 390), 88, 92, Brush(colour))
    doll.area(Brush(darker(colour, 120 if sum(colour) > 150 else 170)), (-58, 335), (58, 335), (58, 430), (-58, 430))
    doll.limb((-30, 178), (30, 178), 10, 10, Brush(darker(colour, 75)))


def _shoulder_bag(doll: Doll, hip: int) -> None:
    if doll.look.bag != "shoulder":
        return
    colour = BAGS[doll.look.bag_colour]
    doll.limb((-hip * 7 // 10, 172), (hip, 460), 11, 11, Brush(darker(colour, 80)))
    doll.oval((hip * 115 // 100, 530), 74, 66, Brush(colour))
    doll.oval((hip * 115 // 100, 500), 66, 26, Brush(darker(colour, 70)))


def _head(doll: Doll) -> None:
    skin = Brush(SKIN[doll.look.skin])
    doll.limb((0, 130), (0, 165), 32, 36, skin.dimmed(90))
    doll.oval((0, 84), 60, 72, skin)


def _face(doll: Doll) -> None:
    hair, dark = Brush(HAIR[doll.look.hair]), Brush((34, 26, 28), depth=100)
    doll.area(hair, (-61, 62), (-52, 26), (-26, 5), (26, 5), (52, 26), (61, 50))
    for side in (-1, 1):
        doll.limb((56 * side, 50), (57 * side, 155 if doll.look.hair_length in ("chin", "long") else 84), 11, 13, hair)
        doll.oval((23 * side, 88), 9, 10, dark)
    doll.oval((0, 123), 17, 6, Brush((170, 70, 70), depth=100))
    if doll.look.hair_length == "bun":
        doll.oval((0, 2), 34, 28, hair)


def _hair_behind(doll: Doll) -> None:
    if doll.look.hair_length in ("chin", "long"):
        end = 260 if doll.look.hair_length == "long" else 150
        doll.limb((0, 80), (0, end - 60), 74, 84, Brush(darker(HAIR[doll.look.hair], 85)))


def _hair_from_behind(doll: Doll) -> None:
    hair = Brush(HAIR[doll.look.hair])
    if doll.look.hair_length in ("chin", "long"):
        end = 300 if doll.look.hair_length == "long" else 165
        doll.limb((0, 74), (0, end - 62), 66, 66 if doll.look.hair_length == "long" else 72, hair)
    else:
        doll.oval((0, 70), 63, 70, hair)
    if doll.look.hair_length == "bun":
        doll.oval((0, 22), 36, 32, Brush(darker(HAIR[doll.look.hair], 75)))
