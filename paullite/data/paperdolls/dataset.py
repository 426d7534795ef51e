"""PaperDolls: a drawn world of people and cameras, in two domains, with the protocol of a real data set."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, astuple, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Annotated

from ...errors import InputError
from ...ranges import Natural, Range, Share, checks_of
from ..items import ReIDDataset, Split
from .cache import CachedPictures, cached_array
from .cameras import Camera, make_cameras
from .dolls import Look, garment_at, looks
from .raster import HEIGHT, Dice
from .shots import Shot, plan_junk, plan_track, take
from .style import LIMIT, MILDEST, SOURCE, TARGET, WIDER

DRAWING = 7  # raise by one whenever any pixel changes, so that old caches are not used
MOST_PEOPLE = 5000  # per domain; the target's numbers start above the source's
MOST_CAMERAS = 10
SPLITS = ("train", "query", "gallery")
People = Annotated[int, Range(2, MOST_PEOPLE // 2 - 1)]
Size = tuple[Annotated[int, Range(64)], Annotated[int, Range(32)]]
Shift = Annotated[float, Range(0, 10)]


@dataclass(frozen=True)
class Picture:
    """One picture of the data set before it is drawn."""

    split: str
    path: str
    pid: int
    camid: int
    camera: Camera  #: as it is during this passage
    look: Look
    shot: Shot


@dataclass(frozen=True, repr=False)
class PaperDolls(ReIDDataset):
    """A drawn re-identification data set: the same on every computer, without a download.

    The ``source`` domain is where labels are given, the ``target`` domain where they are not. They share no person and
    no camera. What varies, where and how far, is written down in `paullite.data.paperdolls.style`.

    Raises:
        InputError: a value is out of range, or there is no folder to write to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data = PaperDolls("target", identities=3, cameras=2, distractors=1, junk=2, cache=folder)
    >>> data.train.identities, data.query.identities, sorted({pid for pid in data.gallery.pids if pid < 1})
    (3, 2, [-1, 0])
    >>> str(data.pictures[data.train[0].path].look)[:14]
    'black bun hair'
    """

    name: str = field(init=False)
    train: Split = field(init=False)
    query: Split = field(init=False)
    gallery: Split = field(init=False)
    #: Who and what is on each picture, by path. Nothing that learns may ask; figures and the study of failures do.
    pictures: Mapping[str, Picture] = field(init=False, compare=False)
    domain: str = "source"  #: "source" or "target"
    _: KW_ONLY
    identities: People | None = None  #: people in the training split; 100 or, for the target, 110 if not given
    cameras: Annotated[int, Range(2, MOST_CAMERAS)] = 4  #: 2 to 10
    seed: Natural = 0  #: another seed, another world; use one for source and target, so that their people differ
    size: Size = (128, 64)  #: height and width of a picture in pixels, multiples of 16
    camera_shift: Shift = 1.0  #: from the source's style (0) to the target's (1) and beyond it (2 is severe)
    passage_share: Share = 0.8  #: how much of what varies belongs to a person's passage, the rest being the camera's
    test_identities: People | None = None  #: people in query and gallery; half as many as ``identities`` if not given
    images_per_camera: Annotated[int, Range(2)] = 4  #: mean length of a track (one person, one camera), 2 or more
    distractors: Natural = 12  #: further people who are in the gallery only, with pid 0
    junk: Natural = 60  #: boxes with nobody or too little of somebody in them, in the gallery with pid -1
    cache: str | Path | None = None  #: folder for the drawn pictures; ``PAULLITE_CACHE`` or the system's if not given

    def __post_init__(self) -> None:
        checks, given = checks_of(PaperDolls), {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        settings = {name: checks[name](f"{name} = {value!r}", value) for name, value in given.items()}
        folder = settings.pop("cache")
        if self.domain == "source":
            settings["camera_shift"] = 0.0  # always mild
        vars(self).update(settings)  # past the lock of a frozen class
        if self.domain not in ("source", "target"):
            raise InputError(f"found domain = {self.domain!r}", "expected source or target")
        if self.size[0] % 16 or self.size[1] % 16:
            raise InputError(f"found size = {self.size}", "expected multiples of 16", "use size=(128, 64)")
        pictures = list_pictures(self)
        words = repr((DRAWING, settings, *map(astuple, (SOURCE, TARGET, LIMIT)), WIDER, MILDEST))  # all that matters
        code = hashlib.sha256(words.encode()).hexdigest()[:16]
        name = f"paperdolls-{self.domain}-{self.size[0]}x{self.size[1]}-seed{self.seed}-{code}.npy"
        draw = partial(map, lambda p: take(p.camera, p.look, p.shot, self.size), pictures)
        file = cached_array(name, (len(pictures), *self.size, 3), draw, Path(folder) if folder else None)
        opener = CachedPictures(file, {picture.path: row for row, picture in enumerate(pictures)})
        rows = {name: [(p.path, p.pid, p.camid) for p in pictures if p.split == name] for name in SPLITS}
        splits = {name: Split.from_rows(rows[name], opener) for name in SPLITS}
        vars(self).update(splits, name=f"paperdolls-{self.domain}", pictures={p.path: p for p in pictures})

    def garments(self, heights: Sequence[float]) -> list[list[int]]:
        """What is worn on each training image at some shares of its height: N lists of numbers, one for a colour."""
        looks = [self.pictures[path].look for path in self.train.paths]
        worn = [[getattr(look, garment_at(height)) for height in heights] for look in looks]
        number = {colour: i for i, colour in enumerate(sorted({colour for row in worn for colour in row}))}
        return [[number[colour] for colour in row] for row in worn]

    def body_shifts(self, split: Split) -> list[float]:
        """How far below the picture's middle the body's middle is, for each image, in shares of the height.

        Negative is above; NaN where nobody is. ``split`` is one of this data set or a part of it. Not for learning.
        """
        shown = [(self.pictures[path].shot.pose, self.pictures[path].look) for path in split.paths]
        return [(pose.y - pose.tall(look) / 2) / HEIGHT - 0.5 if pose else math.nan for pose, look in shown]


def list_pictures(world: PaperDolls) -> list[Picture]:
    """Everything that there is to draw, in order, without drawing it. Derived from the settings alone."""
    target = world.domain == "target"
    identities = world.identities or (110 if target else 100)
    tested = world.test_identities or max(2, identities // 2)
    strangers = tested + world.distractors
    everybody = looks(world.seed, 4 * max(identities, strangers) + 4)
    train, test = everybody[2 * target :: 4], everybody[2 * target + 1 :: 4]  # source and target share nobody
    first, first_camera = 1 + MOST_PEOPLE * target, MOST_CAMERAS * target
    people = [(first + k, "train", k, train[k]) for k in range(identities)]
    people += [(first + identities + k if k < tested else 0, "test", k, test[k]) for k in range(strangers)]
    cameras = dict(enumerate(make_cameras(world.domain, world.cameras, world.seed, world.camera_shift), first_camera))
    found = [picture for person in people for picture in _tracks(world, cameras, *person)]
    for k in range(world.junk):
        camid, look = first_camera + k % world.cameras, test[k % strangers]
        name = f"{world.seed}/{world.domain}/junk/{k}"
        camera = cameras[camid].during(name, world.passage_share)
        found.append(Picture("gallery", "", -1, camid, camera, look, plan_junk(camera, name)))
    seen: Counter[str] = Counter()
    for i, p in enumerate(sorted(found, key=lambda picture: SPLITS.index(picture.split))):
        stem = f"paperdolls-{world.domain}/{p.split}/{p.pid if p.pid < 0 else f'{p.pid:04d}'}_c{p.camid}"
        seen[stem] += 1
        found[i] = replace(p, path=f"{stem}_{seen[stem]:03d}.png")
    return found


def _tracks(
    world: PaperDolls, cameras: dict[int, Camera], pid: int, part: str, k: int, look: Look
) -> Iterator[Picture]:
    """All pictures of one person. Of a test person's every track one picture becomes a query."""
    name = f"{world.seed}/{world.domain}/{part}/{k}"
    dice, may_miss = Dice(name), min(1 if world.domain == "source" else 2, world.cameras - 2)
    absent = k % (1 + may_miss)  # in turn, so that sizes hardly vary
    for place in sorted(dice.shuffled(world.cameras)[absent:]):
        camid = min(cameras) + place
        count = max(2, world.images_per_camera + dice.pick(-1, 1))
        query = dice.pick(0, count - 1) if part == "test" and pid > 0 else -1
        camera = cameras[camid].during(f"{name}/{place}", world.passage_share)
        for i, shot in enumerate(plan_track(camera, f"{name}/{place}", count)):
            split = "train" if part == "train" else "query" if i == query else "gallery"
            yield Picture(split, "", pid, camid, camera, look, shot)
