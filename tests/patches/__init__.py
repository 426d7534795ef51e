"""Wrong answers as patches of a solution: where the slip stands alone, and the words of the hint that each must get."""

from tests.patches import assignments, by_hand, chapters_01_04, chapters_05_08, chapters_09_12
from tests.solutions import Patch

_PARTS = (chapters_01_04, chapters_05_08, chapters_09_12, assignments, by_hand)
PATCHES: dict[str, tuple[Patch, ...]] = {
    name: tuple(patch for part in _PARTS for patch in part.PATCHES.get(name, ()))
    for name in dict.fromkeys(name for part in _PARTS for name in part.PATCHES)
}
