"""A camera: where it hangs, which view and which boxes it is used to, and what it does to colours."""

from dataclasses import asdict, dataclass, replace
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backgrounds import SOURCE_PLACES, TARGET_PLACES
from .figure import VIEWS
from .raster import TURN, Dice, Pixels, wave
from .style import CameraStyle, between, passages

Grid = NDArray[np.int32]
_SPREADS = ("lean", "tightness", "offset", "drop", "stretch", "gamma", "brightness", "saturation", "gradient")
_AMOUNTS = ("tilt", "occlusion", "haze", "blur", "noise")


@dataclass(frozen=True)
class Camera(CameraStyle):
    """One camera: the style of its domain, with this camera's own number where a style says "spread" or "up to"."""

    name: str  #: seed of everything random about it
    place: str  #: kind of background
    view: str  #: the view it mostly sees
    tint: tuple[int, ...]  #: its colour cast: how much brighter red, green and blue are, in 256ths of a %
    passages: CameraStyle  #: how far its passages may lie apart

    def during(self, name: str, share: float) -> "Camera":
        """The camera while one person passes: (1 - share) of its own habits and share of those of the passage ``name``.

        >>> make_cameras("target", count=4)[0].during("any words", share=1).view_habit
        25
        """
        weight = round(1000 * share)
        mix = lambda camera, passage: ((1000 - weight) * camera + weight * passage + 500) // 1000  # noqa: E731
        dice, spread = Dice(name, "passage"), asdict(self.passages)
        own = {n: dice.pick(-spread[n], spread[n]) for n in _SPREADS}
        own |= {n: dice.pick(spread[n] // 4, spread[n] * 5 // 4) for n in _AMOUNTS if n != "occlusion"}
        own["view_habit"] = 100 // len(VIEWS)  # one view is as likely as another
        cast = _tint(dice.pick(spread["cast"] // 4, spread["cast"] * 5 // 4), dice.pick(0, TURN - 1))
        mixed: dict[str, Any] = {n: mix(getattr(self, n), value) for n, value in own.items()}
        return replace(self, **mixed, tint=tuple(map(mix, self.tint, cast)))

    def develop(self, pixels: Pixels, noise_seed: int) -> Pixels:
        """What the camera makes of a sharp picture: blur, colours, uneven light, grain."""
        values = pixels.astype(np.int32)
        for step in (self.blur, self.blur - 16):
            if step > 0:
                values = _blurred(values, min(step, 16))
        values = np.clip(values @ self._colour_matrix() // 256, 0, 255)
        values = self._tone_table()[values]
        rows, columns = (2 * np.arange(n, dtype=np.int32) - n for n in values.shape[:2])  # from the middle, in halves
        side = columns * self.gradient * 256 // (100 * len(columns))  # light falls off towards one side ...
        down = rows * self.gradient * 128 // (100 * len(rows))  # ... and half as much towards the bottom
        values = values * (256 + side[None, :, None] - down[:, None, None]) // 256
        dice = np.random.RandomState(noise_seed).randint(0, 256, size=(3, *values.shape), dtype=np.uint8)
        grain = dice.astype(np.int32).sum(axis=0, dtype=np.int32) - 382  # three dice of 256 have a deviation of 128
        return np.clip(values + grain * self.noise // 1280, 0, 255).astype(np.uint8)

    def _colour_matrix(self) -> Grid:
        """Saturation and colour cast as one 3x3 matrix of 256ths: grey + s (colour - grey), then a gain per channel."""
        grey = np.array([77, 150, 29], dtype=np.int32)[:, None]  # how bright red, green and blue look; sums to 256
        keep = 256 * (100 + self.saturation) // 100
        mix = grey * (256 - keep) // 256 + np.eye(3, dtype=np.int32) * keep
        light = 100 + self.brightness
        gains = [light * (25600 + tint) // 10000 for tint in self.tint]
        return mix * np.array(gains, dtype=np.int32) // 256

    def _tone_table(self) -> Grid:
        """Table of 256 grey levels: gamma between 0.5 (a square root) and 2 (a square), then haze."""
        amount = abs(self.gamma)
        bent = [isqrt(v * 255) if self.gamma > 0 else v * v // 255 for v in range(256)]
        table = [(v * (100 - amount) + b * amount) // 100 for v, b in enumerate(bent)]
        return np.array([(t * (100 - self.haze) + 190 * self.haze) // 100 for t in table], dtype=np.int32)


def make_cameras(domain: str, count: int, seed: int = 0, camera_shift: float = 1.0) -> tuple[Camera, ...]:
    """The cameras of a domain. Their habits lie evenly spread, so that no seed makes two of them alike by luck.

    ``camera_shift`` is how far the "target" is from the style of the "source": 0 not at all, 1 as meant, 2 severely.

    >>> sorted(camera.view for camera in make_cameras("target", count=4))
    ['back', 'front', 'left', 'right']
    """
    shift = 0 if domain == "source" else round(camera_shift * 1000)
    style, passing = between(shift), passages(shift)
    dice = Dice(seed, domain, "cameras")
    orders = {name: dice.shuffled(count) for name in ("view", "place", *_SPREADS, *_AMOUNTS)}
    turn, first = dice.pick(0, TURN - 1), dice.pick(0, 11)

    def one(k: int) -> Camera:
        own = {n: getattr(style, n) * (2 * orders[n][k] - count + 1) // (count - 1) for n in _SPREADS}
        own |= {n: getattr(style, n) * (4 * orders[n][k] + count - 1) // (4 * (count - 1)) for n in _AMOUNTS}
        rank = orders["place"][k]
        places = TARGET_PLACES if rank * 100 < style.new_places * count else SOURCE_PLACES
        place, view = places[(first + rank) % len(places)], VIEWS[orders["view"][k] % 4]
        name, tint = f"{seed}/{domain}/camera/{k}", _tint(style.cast, turn + k * TURN // count)
        return Camera(**asdict(style) | own, name=name, place=place, view=view, tint=tint, passages=passing)

    return tuple(map(one, range(count)))


def _tint(cast: int, hue: int) -> tuple[int, ...]:
    """A colour cast of so many per cent in a direction: 96 steps go round the colour circle."""
    return tuple(cast * wave(hue + TURN // 3 * channel) for channel in range(3))


def _blurred(values: Grid, sixteenths: int) -> Grid:
    """Mix a picture with its 3x3 mean; the border repeats its last pixel. Large pictures get a wider mean."""
    height, width = values.shape[:2]
    reach = max(1, height // 128)
    sixteenths = sixteenths * min(height, 128) // 128
    wide, steps = np.pad(values, ((reach, reach), (reach, reach), (0, 0)), mode="edge"), range(2 * reach + 1)
    rows = np.stack([wide[k : k + height] for k in steps]).sum(0, dtype=np.int32)
    mean = np.stack([rows[:, k : k + width] for k in steps]).sum(0, dtype=np.int32) // len(steps) ** 2
    return (values * (16 - sixteenths) + mean * sixteenths) // 16
