"""PaperDolls: a drawn world of people and cameras, in two domains, with the protocol of a real data set."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from operator import index
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import InputError, nearest_names
from ..items import ReIDDataset, Split
from .cache import CachedPictures, cached_array
from .cameras import Camera, make_cameras
from .dolls import Look, garment_numbers, looks
from .randomness import pick, random_numbers, shuffled
from .shots import Shot, plan_junk, plan_track, take
from .style import LIMIT, SOURCE, TARGET

DRAWING = 7  # raise by one whenever any pixel changes, so that old caches are not used
MOST_PEOPLE = 5000  # per domain; the target's numbers start above the source's
MOST_CAMERAS = 10
SPLITS = ("train", "query", "gallery")
LEAST = {  # smallest and usual values
    "identities": (2, 10), "test_identities": (2, 10), "images_per_camera": (2, 4), "distractors": (0, 12),
    "junk": (0, 60), "seed": (0, 0),
}  # fmt: skip


class Domain(NamedTuple):
    """What differs between the domains besides the cameras."""

    identities: int  # people in the training split unless asked otherwise
    absent: int  # how many of the cameras a person may miss
    first_pid: int  # where the numbers of people start
    first_camid: int  # where the numbers of cameras start
    people: int  # which people of the world are its own: every fourth one from here (train), from one later (test)


DOMAINS = {
    "source": Domain(identities=100, absent=1, first_pid=1, first_camid=0, people=0),
    "target": Domain(identities=110, absent=2, first_pid=MOST_PEOPLE + 1, first_camid=MOST_CAMERAS, people=2),
}


@dataclass(frozen=True)
class Plan:
    """All that a PaperDolls is made from. Equal plans give the same pixels; a wrong value is an `InputError`."""

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

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.type is int:  # numpy's integers too become Python's, whose repr is part of the cache's name
                object.__setattr__(self, field.name, whole_number(field.name, getattr(self, field.name)))
        people, (height, width) = self.identities + self.test_identities, self.size
        rules = [
            *((f"{name}={getattr(self, name)}", getattr(self, name) >= least, f"{least} or more", f"use {name}={usual}")
              for name, (least, usual) in LEAST.items()),
            (f"{people} people", people < MOST_PEOPLE, f"{MOST_PEOPLE - 1} or fewer", "ask for fewer identities"),
            (f"cameras={self.cameras}", 2 <= self.cameras <= MOST_CAMERAS, f"2 to {MOST_CAMERAS}", "use cameras=4"),
            (f"camera_shift={self.camera_shift}", 0 <= self.camera_shift <= 10, "0 to about 2 (severe)", "use 1"),
            (f"size={self.size}", height >= 64 and width >= 32 and height % 16 == width % 16 == 0,
             "height and width, multiples of 16 and at least 64 and 32", "use size=(128, 64)"),
        ]  # fmt: skip
        for found, fine, expected, do in rules:
            if not fine:
                raise InputError(found, f"expected {expected}", do)

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

    The ``source`` domain is where labels are given, the ``target`` domain where they are not. They share no person and
    no camera. What the target's cameras do differently is written down in `paullite.data.paperdolls.style`.

    Args:
        domain: "source" or "target".
        identities: people in the training split; 100 for the source and 110 for the target if not given.
        cameras: 2 to 10.
        seed: another seed, another world. Use one seed for source and target, so that their people differ.
        size: height and width of a picture in pixels, multiples of 16.
        camera_shift: how far the target's cameras are from the source's style: 0 not at all, 1 as meant, 2 severely.
        test_identities: people in query and gallery; half as many as ``identities`` if not given.
        images_per_camera: mean length of a track, that is of one person's pictures from one camera; 2 or more.
        distractors: further people who are in the gallery only, with pid 0.
        junk: boxes with nobody or too little of somebody in them, in the gallery with pid -1.
        cache: folder for the drawn pictures; ``PAULLITE_CACHE``, or else the system's place for caches, if not given.

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

    #: Who and what is on each picture, by path. Nothing that learns may ask; figures and the study of failures do.
    pictures: Mapping[str, Picture]

    def __init__(
        self,
        domain: str = "source",
        *,
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
        domain = str(domain)
        if domain not in DOMAINS:
            do = f"nearest: {nearest_names(domain, DOMAINS)}"
            raise InputError(f"domain {domain!r}", "expected source or target", do)
        identities = DOMAINS[domain].identities if identities is None else whole_number("identities", identities)
        test_identities = max(2, identities // 2) if test_identities is None else test_identities
        shift = 0.0 if domain == "source" else float(camera_shift)  # the source is always mild
        two = isinstance(size, Sequence) and len(size) == 2
        both = (int(size[0]), int(size[1])) if two else (0, 0)  # the plan refuses what is no height and width
        plan = Plan(domain, identities, cameras, seed, both, shift, test_identities,
                    images_per_camera, distractors, junk)  # fmt: skip
        pictures = list_pictures(plan)
        drawn = lambda: (take(p.camera, p.look, p.shot, plan.size) for p in pictures)  # noqa: E731
        file = cached_array(plan.file, (len(pictures), *plan.size, 3), drawn, Path(cache) if cache else None)
        opener = CachedPictures(file, {picture.path: row for row, picture in enumerate(pictures)})
        rows = {name: [(p.path, p.pid, p.camid) for p in pictures if p.split == name] for name in SPLITS}
        super().__init__(f"paperdolls-{domain}", **{name: Split.from_rows(rows[name], opener) for name in SPLITS})
        object.__setattr__(self, "pictures", {picture.path: picture for picture in pictures})  # the class is frozen

    def garments(self, heights: Sequence[float]) -> list[list[int]]:
        """What the person on each training image wears at some shares of the height, as numbers: N lists. No label."""
        return garment_numbers([self.pictures[path].look for path in self.train.paths], heights)


def whole_number(name: str, value: Any) -> int:
    """Any whole number, numpy's too, as Python's own.

    >>> whole_number("cameras", 4.0)
    Traceback (most recent call last):
    paullite.errors.InputError: cameras=4.0; expected a whole number; use 4, not 4.0
    """
    try:
        return index(value)
    except TypeError:
        raise InputError(f"{name}={value!r}", "expected a whole number", "use 4, not 4.0") from None


def list_pictures(plan: Plan) -> list[Picture]:
    """Everything that there is to draw, in order, without drawing it. Derived from the seed alone."""
    cameras = make_cameras(plan.domain, plan.cameras, plan.seed, plan.camera_shift)
    domain = DOMAINS[plan.domain]
    strangers = plan.test_identities + plan.distractors
    world = looks(plan.seed, 4 * max(plan.identities, strangers) + 4)
    train, test = world[domain.people :: 4], world[domain.people + 1 :: 4]
    found: list[Picture] = []
    for k in range(plan.identities):
        found += _pictures_of(plan, cameras, train[k], domain.first_pid + k, "train", k)
    for k in range(strangers):
        pid = domain.first_pid + plan.identities + k if k < plan.test_identities else 0
        found += _pictures_of(plan, cameras, test[k], pid, "test", k)
    for k in range(plan.junk):
        place = k % plan.cameras
        shot = plan_junk(cameras[place], f"{plan.seed}/{plan.domain}/junk/{k}")
        found.append(Picture("gallery", "", -1, domain.first_camid + place, cameras[place], test[k % strangers], shot))
    return list(_with_paths(plan, sorted(found, key=lambda picture: SPLITS.index(picture.split))))


def _pictures_of(plan: Plan, cameras: Sequence[Camera], look: Look, pid: int, part: str, n: int) -> Iterator[Picture]:
    """All pictures of one person. Of a test person's every track one picture becomes a query."""
    name = f"{plan.seed}/{plan.domain}/{part}/{n}"
    rng, domain = random_numbers(name), DOMAINS[plan.domain]
    absent = n % (1 + min(domain.absent, plan.cameras - 2))  # in turn, so that sizes hardly vary
    for k in sorted(shuffled(rng, plan.cameras)[absent:]):
        count = max(2, plan.images_per_camera + pick(rng, -1, 1))
        query = pick(rng, 0, count - 1) if part == "test" and pid > 0 else -1
        for i, shot in enumerate(plan_track(cameras[k], f"{name}/{k}", count)):
            split = "train" if part == "train" else "query" if i == query else "gallery"
            yield Picture(split, "", pid, domain.first_camid + k, cameras[k], look, shot)


def _with_paths(plan: Plan, pictures: list[Picture]) -> Iterator[Picture]:
    """Give every picture its name: split, person, camera and a running number."""
    seen: Counter[str] = Counter()
    for p in pictures:
        stem = f"paperdolls-{plan.domain}/{p.split}/{p.pid if p.pid < 0 else f'{p.pid:04d}'}_c{p.camid}"
        seen[stem] += 1
        yield replace(p, path=f"{stem}_{seen[stem]:03d}.png")
