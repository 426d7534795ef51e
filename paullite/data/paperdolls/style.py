"""How strongly pictures differ, every strength in one place, and where each habit lives.

- The *camera* keeps its place, how often something stands in front there, and the view, the angle, the boxes, the light
  and the colours that it is used to.
- A *passage*, one person walking past one camera once, has its own time of day and weather (brightness, saturation,
  haze, noise), exposure and white balance (gamma, colour cast), sun or shade (gradient), distance (blur, tilt), box of
  the detector (tightness, offset, drop, stretch), gait (lean) and view.
- The single *image* has its step, a trembling box (jitter), sometimes another view (turn), and what is in front.

``passage_share`` says how much of these values is the passage's, the rest being the camera's: 0 knows no passages. With
passages, a camera's usual view is (1 - share) times as strong a habit. The passages of the source are milder ones.
"""

from dataclasses import astuple, dataclass


@dataclass(frozen=True)
class CameraStyle:
    """What the cameras of a domain are like. All values are whole numbers.

    "Spread" means that the cameras of a domain lie evenly between minus and plus this much.
    "Up to" means that they lie evenly between a quarter and five quarters of this much.
    """

    # what is seen of a person
    view_habit: int  #: % of tracks that show the camera's own view (front, back, left, right in turn); 25 is no habit
    turn: int  #: % of pictures in a track that show another view than the track
    stride: int  #: % length of the walkers' steps
    tilt: int  #: up to: camera looking down, thousandths; 300 makes heads half as large again
    lean: int  #: spread: people leaning to one side, units (1024 to the picture's width)
    # the box around the person
    tightness: int  #: spread: people larger (box too tight) or smaller (too loose), % of their height
    offset: int  #: spread: boxes that sit too far to one side, units
    drop: int  #: spread: boxes that sit too high or too low, units (2048 to the picture's height); cuts feet or head
    stretch: int  #: spread: people wider or narrower than they are, %
    jitter: int  #: boxes trembling from picture to picture, units each way
    # what is in front and behind
    occlusion: int  #: up to: % of pictures with something in front of the person
    cover: int  #: size of what is in front, % (100: a pole of about 9 pixels in 64, a wall up to the knees)
    new_places: int  #: % of cameras whose place is of a kind that the source never shows
    place_strength: int  #: colour and contrast of those new kinds of place, %; 0 is plain grey, 100 as drawn
    clutter: int  #: differences in brightness between the things in the background, %
    # colour and sharpness
    cast: int  #: colour cast, %; the hues of a domain's cameras lie evenly around the colour circle
    gamma: int  #: spread: mid tones darker or lighter; 100 means gamma 0.5 or 2
    brightness: int  #: spread: %
    saturation: int  #: spread: colours paler or stronger, %
    haze: int  #: up to: contrast lost to fog, %
    gradient: int  #: spread: one side darker than the other, %
    blur: int  #: up to: sixteenths of a 3x3 mean; above 16 a second pass begins
    noise: int  #: up to: grain, standard deviation in tenths of a grey level


_STRENGTHS = dict(  # source, target, and the limit beyond which nobody could tell who it is
    view_habit=(40, 78, 95), turn=(15, 9, 30), stride=(80, 112, 140), tilt=(40, 192, 300), lean=(20, 117, 220),
    tightness=(3, 14, 30), offset=(20, 96, 220), drop=(30, 117, 260), stretch=(3, 14, 28), jitter=(40, 83, 160),
    occlusion=(5, 23, 80), cover=(80, 112, 170), new_places=(0, 95, 100), place_strength=(20, 41, 100),
    clutter=(80, 112, 200), cast=(3, 5, 30), gamma=(6, 27, 90), brightness=(5, 13, 40), saturation=(6, 21, 75),
    haze=(2, 7, 35), gradient=(5, 12, 60), blur=(3, 7, 32), noise=(25, 41, 160),
)  # fmt: skip
SOURCE, TARGET, LIMIT = (CameraStyle(**{name: row[k] for name, row in _STRENGTHS.items()}) for k in range(3))

WIDER = 200  # passages differ by so many per cent of what cameras differ by ...
MILDEST = 300  # ... of a style at least so many thousandths of the way to the target, so that labels teach something


def between(shift: int, start: CameraStyle = SOURCE, end: CameraStyle = TARGET) -> CameraStyle:
    """The style at so many thousandths of the way from the source to the target style, and beyond it up to `LIMIT`.

    >>> between(0) == SOURCE, between(1000) == TARGET, between(500).view_habit
    (True, True, 59)
    """
    columns = zip(astuple(start), astuple(end), astuple(LIMIT), strict=True)
    return CameraStyle(*(min(a + (b - a) * shift // 1000, limit) for a, b, limit in columns))


def passages(shift: int) -> CameraStyle:
    """How far the passages of a domain lie apart whose cameras have the style ``between(shift)``.

    >>> between(1000).drop, passages(1000).drop, between(0).drop, passages(0).drop
    (117, 234, 30, 112)
    """
    pairs = zip(astuple(between(max(shift, MILDEST))), astuple(LIMIT), strict=True)
    return CameraStyle(*(min(value * WIDER // 100, limit) for value, limit in pairs))
