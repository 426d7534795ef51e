"""PaperDolls: a drawn world of people and cameras, in two domains, with the protocol of a real data set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from numbers import Integral
from pathlib import Path

from ...errors import InputError, nearest_names
from ..items import ReIDDataset, Split
from .cache import CachedPictures, cached_array
from .drawing import Camera, Look, Shot, looks, make_cameras, plan_junk, plan_track, take
from .raster import Pixels, pick, random_numbers, shuffled
from .style import LIMIT, SOURCE, TARGET

DRAWING = 7  # raise by one whenever any pixel changes, so that old caches are not used
MOST_PEOPLE, MOST_CAMERAS = 5000, 10  # per domain; the target's numbers start above the source's


@dataclass(frozen=True)
class Domain:
    """What differs between the domains besides the cameras.

    Attributes:
        identities: people in the training split unless asked otherwise.
        absent: how many of the cameras a person may miss.
        first_pid, first_camid: where the numbers start.
        people: which people of the world are its own: every fourth one from here (train), from one later (test).
    """

    identities: int
    absent: int
    first_pid: int
    first_camid: int
    people: int


DOMAINS = {
    "source": Domain(identities=100, absent=1, first_pid=1, first_camid=0, people=0),
    "target": Domain(identities=110, absent=2, first_pid=MOST_PEOPLE + 1, first_camid=MOST_CAMERAS, people=2),
}


@dataclass(frozen=True)
class Plan:
    """All that a PaperDolls is made from. Two equal plans give the same pixels."""

    domain: str
    identities: int
    cameras: int
    seed: int
    size: tuple[int, int]
    camera_shift: float
    test_identities: int
    images_per_camera: int
    distractors: int
    junk: int

    @property
    def file(self) -> str:
        """Name of the cache file: readable, then a hash of every number that the pixels depend on."""
        words = repr((DRAWING, astuple(self), astuple(SOURCE), astuple(TARGET), astuple(LIMIT)))
        code = hashlib.sha256(words.encode()).hexdigest()[:16]
        return f"paperdolls-{self.domain}-{self.size[0]}x{self.size[1]}-seed{self.seed}-{code}.npy"


@dataclass(frozen=True)
class Picture:
    """One picture of the data set before it is drawn."""

    split: str
    path: str
    pid: int
    camid: int
    camera: Camera
    look: Look
    shot: Shot


class PaperDolls(ReIDDataset):
    """A drawn re-identification data set: the same on every computer, without a download.

    The ``source`` domain is where labels are given, the ``target`` domain where they are not. People and cameras of
    the two are never the same. What the target's cameras do differently (views, boxes, things in front, places,
    colours) is written down in `paullite.data.paperdolls.style`.

    Args:
        domain: "source" or "target".
        identities: people in the training split; 100 for the source and 110 for the target if not given.
        cameras: number of cameras, 2 to 10.
        seed: another seed, another world. Use one seed for source and target, so that their people differ.
        size: height and width of a picture in pixels, multiples of 16.
        camera_shift: how far the target's cameras are from the source's style: 0 not at all, 1 as meant, 2 severely.
            The source is always mild.
        test_identities: people in query and gallery; half as many as ``identities`` if not given.
        images_per_camera: mean length of a track, that is of one person's pictures from one camera; 2 or more.
        distractors: further people who are in the gallery only, with pid 0.
        junk: boxes with nobody or too little of somebody in them, in the gallery with pid -1.
        cache: folder for the drawn pictures; ``PAULLITE_CACHE`` or else ``~/.cache/paullite`` if not given.

    Attributes:
        pictures: what is on each picture, by path: the look of the person, the shot with its pose, the camera. Nothing
            that learns may ask; figures and the study of failures do.

    Raises:
        InputError: a value is out of range, or there is no folder to write to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data = PaperDolls("target", identities=3, cameras=2, distractors=1, junk=2, cache=folder)
    ...     size = data.train[0].image.size
    >>> data.train.identities, data.query.identities, size
    (3, 2, (64, 128))
    >>> str(data.pictures[data.train[0].path].look)[:14]
    'black bun hair'
    >>> sorted({pid for pid in data.gallery.pids if pid < 1})
    [-1, 0]
    """

    pictures: Mapping[str, Picture]

    def __init__(
        self,
        domain: str = "source",
        identities: int | None = None,
        cameras: int = 4,
        seed: int = 0,
        size: Sequence[int] = (128, 64),
        camera_shift: float = 1.0,
        test_identities: int | None = None,
        images_per_camera: int = 4,
        distractors: int = 12,
        junk: int = 60,
        cache: str | Path | None = None,
    ) -> None:
        if domain not in DOMAINS:
            near = nearest_names(str(domain), DOMAINS)
            raise InputError(f"domain {domain!r}", "expected source or target", f"nearest: {near}")
        identities = DOMAINS[domain].identities if identities is None else identities
        test_identities = max(2, identities // 2) if test_identities is None else test_identities
        shift = 0.0 if domain == "source" else float(camera_shift)
        plan = Plan(domain, identities, cameras, seed, pair(size), shift, test_identities,
                    images_per_camera, distractors, junk)  # fmt: skip
        check(plan)
        pictures = list_pictures(plan)
        file = cached_array(
            plan.file, (len(pictures), *plan.size, 3), lambda: draw(pictures, plan.size), Path(cache) if cache else None
        )
        opener = CachedPictures(file, {picture.path: row for row, picture in enumerate(pictures)})
        splits = {
            name: Split.from_rows([(p.path, p.pid, p.camid) for p in pictures if p.split == name], opener)
            for name in ("train", "query", "gallery")
        }
        super().__init__(f"paperdolls-{domain}", **splits)
        object.__setattr__(self, "pictures", {picture.path: picture for picture in pictures})  # the class is frozen


def pair(size: Sequence[int]) -> tuple[int, int]:
    """Height and width from any sequence of two numbers; anything else becomes a size that `check` refuses."""
    return (int(size[0]), int(size[1])) if isinstance(size, Sequence) and len(size) == 2 else (0, 0)


def draw(pictures: list[Picture], size: tuple[int, int]) -> Iterator[Pixels]:
    """Draw one picture after the other."""
    return (take(picture.camera, picture.look, picture.shot, size) for picture in pictures)


def check(plan: Plan) -> None:
    """Refuse values that make no data set.

    Raises:
        InputError: names the first bad value and says what would do.
    """
    for field in fields(plan):
        if field.type == "int" and not isinstance(getattr(plan, field.name), Integral):
            raise InputError(f"{field.name}={getattr(plan, field.name)!r}", "expected a whole number", "use 4, not 4.0")
    people, most = plan.identities + plan.test_identities, MOST_PEOPLE - 1
    height, width = plan.size
    extras = min(plan.distractors, plan.junk)
    rules = [
        (f"identities={plan.identities}", plan.identities >= 2, "2 or more", "use identities=10 for a quick try"),
        (f"test_identities={plan.test_identities}", plan.test_identities >= 2, "2 or more", "leave it out"),
        (f"{people} people", people <= most, f"{most} or fewer", "ask for fewer identities"),
        (f"cameras={plan.cameras}", 2 <= plan.cameras <= MOST_CAMERAS, f"2 to {MOST_CAMERAS}", "use cameras=4"),
        (f"images_per_camera={plan.images_per_camera}", plan.images_per_camera >= 2, "2 or more", "use 4"),
        (f"distractors={plan.distractors}, junk={plan.junk}", extras >= 0, "0 or more", "use 0"),
        (f"camera_shift={plan.camera_shift}", 0 <= plan.camera_shift <= 10, "0 (none) to about 2 (severe)", "use 1"),
        (f"seed={plan.seed}", plan.seed >= 0, "0 or more", "use seed=0"),
        (f"size={plan.size}", height >= 64 and width >= 32 and height % 16 == width % 16 == 0,
         "height and width, multiples of 16 and at least 64 and 32", "use size=(128, 64)"),
    ]  # fmt: skip
    for found, fine, expected, do in rules:
        if not fine:
            raise InputError(found, f"expected {expected}", do)


def list_pictures(plan: Plan) -> list[Picture]:
    """Everything that there is to draw, in order, without drawing it. Derived from the seed alone."""
    cameras = make_cameras(plan.domain, plan.cameras, plan.seed, plan.camera_shift)
    first = DOMAINS[plan.domain].people
    strangers = plan.test_identities + plan.distractors
    world = looks(plan.seed, 4 * max(plan.identities, strangers) + 4)
    train, test = world[first::4], world[first + 1 :: 4]
    pid = DOMAINS[plan.domain].first_pid
    found: list[Picture] = []
    for k in range(plan.identities):
        found += _person(plan, cameras, train[k], pid + k, k, "train")
    for k in range(strangers):
        known = k < plan.test_identities
        found += _person(plan, cameras, test[k], pid + plan.identities + k if known else 0, k, "gallery")
    found += [_junk(plan, cameras, test[k % strangers], k) for k in range(plan.junk)]
    return _named(plan, sorted(found, key=lambda picture: ("train", "query", "gallery").index(picture.split)))


def _person(plan: Plan, cameras: tuple[Camera, ...], look: Look, pid: int, number: int, split: str) -> list[Picture]:
    """All pictures of one person. Of a test person's every track one picture becomes a query."""
    name = f"{'train' if split == 'train' else 'test'}/{number}"
    rng = random_numbers(plan.seed, plan.domain, name)
    absent = number % (1 + min(DOMAINS[plan.domain].absent, plan.cameras - 2))  # in turn, so that sizes hardly vary
    found = []
    for k in sorted(shuffled(rng, plan.cameras)[absent:]):
        count = max(2, plan.images_per_camera + pick(rng, -1, 1))
        query = pick(rng, 0, count - 1) if split == "gallery" and pid > 0 else -1
        for i, shot in enumerate(plan_track(cameras[k], f"{plan.seed}/{plan.domain}/{name}/{k}", count)):
            found.append(_picture(plan, "query" if i == query else split, pid, k, cameras[k], look, shot))
    return found


def _junk(plan: Plan, cameras: tuple[Camera, ...], look: Look, number: int) -> Picture:
    k = number % plan.cameras
    shot = plan_junk(cameras[k], f"{plan.seed}/{plan.domain}/junk/{number}")
    return _picture(plan, "gallery", -1, k, cameras[k], look, shot)


def _picture(plan: Plan, split: str, pid: int, k: int, camera: Camera, look: Look, shot: Shot) -> Picture:
    return Picture(split, "", pid, DOMAINS[plan.domain].first_camid + k, camera, look, shot)


def _named(plan: Plan, pictures: list[Picture]) -> list[Picture]:
    """Give every picture its name: split, person, camera and a running number."""
    seen: dict[str, int] = {}
    named = []
    for p in pictures:
        stem = f"paperdolls-{plan.domain}/{p.split}/{p.pid if p.pid < 0 else f'{p.pid:04d}'}_c{p.camid}"
        seen[stem] = seen.get(stem, 0) + 1
        named.append(replace(p, path=f"{stem}_{seen[stem]:03d}.png"))
    return named
