"""Exercises of chapter 11: a table of one's own pictures, and the largest batch that fits."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import product
from typing import Any

from ...data.rows import SPLITS
from ...data.tables import COLUMNS
from ..checking import Exercise, expect

MakeTable = Callable[[Sequence[str], Collection[int]], Any]
Largest = Callable[..., Any]


def table(names: Sequence[str], test: Collection[int]) -> str:
    """CSV text with the columns path, pid, camid, split: the book's own answer."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in sorted(names):
        who, where, _ = name.split("_")
        groups.setdefault((who, where), []).append(name)
    cameras = sorted({where for _, where in groups})
    lines = ["path,pid,camid,split"]
    for (who, where), files in groups.items():
        pid = -1 if who == "xx" else int(who)
        seen_by = sum(other == who for other, _ in groups)
        asks = pid in test and len(files) > 1 and seen_by > 1
        for n, name in enumerate(files):
            kept = "gallery" if pid in test or pid == -1 else "train"
            lines.append(f"{name},{pid},{cameras.index(where) + 1},{'query' if asks and n == 0 else kept}")
    return "\n".join(lines) + "\n"


def largest_batch(fixed: float, pair: float, free: float, spare: float = 0.9) -> int:
    """The largest number of images that fits: the book's own answer."""
    return max(int((spare * free - fixed) // pair), 0)


TEST = frozenset({7, 8, 9, 10})
COUNTS = {  # who, where: pictures
    ("01", "gate"): 2, ("01", "hall"): 1, ("02", "hall"): 2, ("03", "door"): 1, ("12", "gate"): 2,
    ("07", "gate"): 3, ("07", "hall"): 2, ("08", "gate"): 3, ("09", "hall"): 2, ("09", "gate"): 1,
    ("09", "door"): 1, ("10", "gate"): 1, ("10", "hall"): 1, ("xx", "hall"): 2, ("xx", "gate"): 1,
}  # fmt: skip
NAMES = tuple(  # in an order that no folder would have
    f"{who}_{where}_{n:03d}.jpg" for n in (1, 2, 0) for (who, where), count in COUNTS.items() if n < count
)
QUERIES = {"07_gate_000.jpg", "07_hall_000.jpg", "09_hall_000.jpg"}

Lines = list[dict[str, str]]


def lines_of(make: MakeTable) -> Lines:
    """The rows of the reader's table for the names above."""
    return list(csv.DictReader(io.StringIO(make(NAMES, TEST))))


def of_split(make: MakeTable, split: str) -> list[str]:
    """The paths of a split."""
    return [line["path"] for line in lines_of(make) if line["split"] == split]


def who(path: str) -> str:
    """The person's part of a name."""
    return path.split("_")[0]


def is_a_table(make: MakeTable) -> None:
    """Text, with commas and the four columns."""
    text = make(NAMES, TEST)
    expect(isinstance(text, str), f"A CSV file is text, yours is a {type(text).__name__}. Join the lines.")
    first = (text.splitlines() or [""])[0]
    expect(";" not in first, "Commas must stand between the columns; yours have semicolons.")
    expect(
        ".jpg" not in first,
        "The first line must name the columns, with yours it is a picture already.",
    )
    expect(
        sorted(name.strip() for name in first.split(",")) == sorted(COLUMNS),
        f"The first line is {first!r}. It must have the four names of the statement, spelled so.",
    )


def every_picture_once(make: MakeTable) -> None:
    """No path twice, none forgotten."""
    seen = Counter(line["path"] for line in lines_of(make))
    twice = [path for path, n in seen.items() if n > 1]
    expect(
        not twice,
        f"{(twice or [''])[0]} stands there twice. What is asked for must not lie among what is searched.",
    )
    expect(
        not [name for name in NAMES if who(name) == "xx" and name not in seen],
        "Bad boxes are missing. A real camera makes them, so the test should keep them: as what?",
    )
    expect(set(seen) == set(NAMES), f"Your table has {len(seen)} pictures, the folder has {len(NAMES)}.")


def splits_have_their_names(make: MakeTable) -> None:
    """train, query, gallery."""
    other = {line["split"] for line in lines_of(make)} - set(SPLITS)
    expect(not other, f"A split of yours is called {', '.join(sorted(map(str, other)))}; the reader knows three names.")


def cameras_are_numbers(make: MakeTable) -> None:
    """One number for each camera, the same for everybody."""
    pairs = {(line["path"].split("_")[1], line["camid"].strip()) for line in lines_of(make)}
    odd = sorted(camid for _, camid in pairs if not camid.isdecimal())
    expect(not odd, f"A camid is {(odd or [''])[0]!r}. The reader wants a number there: number the words.")
    words, camids = {word for word, _ in pairs}, {camid for _, camid in pairs}
    expect(
        len(camids) > 1,
        "All pictures have one camid. Then every match is by the query's own camera, and is left out.",
    )
    expect(
        len(pairs) == len(words) == len(camids),
        "One camera has several numbers, or one number several cameras. Is the numbering the same for all people?",
    )


def bad_boxes_are_junk(make: MakeTable) -> None:
    """-1, and in the gallery."""
    junk = [line for line in lines_of(make) if who(line["path"]) == "xx"]
    pids = {line["pid"].strip() for line in junk}
    expect(
        pids == {"-1"},
        f"Bad boxes have the pid {', '.join(sorted(pids))} with yours. Only -1 is left out of every ranking.",
    )
    expect(
        {line["split"] for line in junk} == {"gallery"},
        "A bad box shows nobody: there is nothing to learn from it, and nothing to ask. Where does it belong?",
    )


def people_keep_their_numbers(make: MakeTable) -> None:
    """One pid for each person."""
    for line in lines_of(make):
        if who(line["path"]) != "xx":
            expect(
                line["pid"].strip().lstrip("0") == who(line["path"]).lstrip("0"),
                f"{line['path']} has the pid {line['pid']}. Who is on it stands at the beginning of its name.",
            )


def nobody_in_train_and_test(make: MakeTable) -> None:
    """The people of the test are not learned from; all others are."""
    train, query = ({int(who(p)) for p in of_split(make, split)} for split in ("train", "query"))
    expect(bool(train), "Nobody is left to learn from: the train split is empty.")
    expect(
        not query - TEST,
        f"Person {min(query - TEST, default=0)} is not in test, but is asked for. Split by person, not by picture.",
    )
    both = train & TEST
    expect(
        not both,
        f"Person {min(both, default=0)} is of the test, and some of the pictures are in train. That is a leak.",
    )


def queries_can_be_answered(make: MakeTable) -> None:
    """A match by another camera in the gallery, for each query."""
    query, gallery = of_split(make, "query"), of_split(make, "gallery")
    people = [path for path in gallery if who(path) != "xx"]
    expect(bool(people), "All pictures of the test people are queries. In what are they to be found?")
    expect(
        not [path for path in query if who(path) == "08"],
        "Person 8 was seen by one camera alone, and gives queries. Their matches would all be left out.",
    )
    for path in query:
        person, camera, _ = path.split("_")
        match = [other for other in people if who(other) == person and other.split("_")[1] != camera]
        expect(
            bool(match),
            f"{path} has no match by another camera in the gallery. Did a camera's only picture become a query?",
        )


def each_camera_asks_once(make: MakeTable) -> None:
    """One query for each person and camera, the first by name."""
    query = set(of_split(make, "query"))
    groups = Counter(tuple(path.split("_")[:2]) for path in query)
    missing = [path for path in sorted(QUERIES) if tuple(path.split("_")[:2]) not in groups]
    expect(
        not missing,
        f"Nobody asks for person {who((missing or ['00'])[0])} from the camera of {(missing or [''])[0]}. "
        "One query for each camera, not for each person.",
    )
    late = query - QUERIES
    position = {path: NAMES.index(path) for path in NAMES}
    found_first = {
        min((n for n in NAMES if n.split("_")[:2] == p.split("_")[:2]), key=position.__getitem__) for p in query
    }
    expect(
        not (late and query == found_first),
        "A query is the first of its camera in the order of the list. No folder promises an order: sort.",
    )
    expect(not late, f"{min(late, default='')} is a query, but not the first by name of its person and camera.")


GIB = 2**30


def whole_images(largest: Largest) -> None:
    """No part of an image, and never one too many."""
    much = float(largest(0.0, 3.0, 89.0, 1.0))  # 29.67
    little = float(largest(0.0, 30.0, 95.0, 1.0))  # 3.17
    expect(much == int(much), f"Yours gives {much:.2f} images. There is no part of an image.")
    expect(
        not (much == 30 and little == 4),
        "89 bytes, 3 for each image: yours takes 30 images, which need 90. It would not run.",
    )
    expect(much != 30, "29.67 images became 30 with yours. The nearest whole number may be one too many.")


def nothing_fits(largest: Largest) -> None:
    """0, if the fixed part alone is too much."""
    got = float(largest(200.0, 3.0, 100.0, 0.9))
    expect(got >= 0, f"If the fixed part alone is too much, yours gives {got:.0f} images. What does that mean?")
    expect(got != 1, "If the fixed part alone is too much, yours still gives 1. Not even one image fits.")


def counts_every_byte(largest: Largest) -> None:
    """fixed + batch * pair <= spare * free, and one image more would be too much."""
    for spare, pair in product((0.9, 0.5), (7.0, 11.0)):
        fixed, free = 400.0, 2000.0
        got, room = float(largest(fixed, pair, free, spare)), spare * free
        right = largest_batch(fixed, pair, free, spare)
        says = f"fixed {fixed:g}, pair {pair:g}, free {free:g}, spare {spare:g}: yours gives {got:.0f}."
        slips = {
            room // pair: "Gradients and momenta need room, too.",
            (room + fixed) // pair: "The fixed part is taken, so it leaves less room, not more.",
            (free - fixed) // pair: "All of the free memory is used, to the last byte. What is spare for?",
            (0.9 * free - fixed) // pair: "Does it listen to the spare that it is given?",
            spare * (free - fixed) // pair: "The share is of the free memory, not of what is left of it.",
            max(
                ((1 - spare) * free - fixed) // pair, 0
            ): "spare is the share that may be used. Yours leaves it unused.",
            (room - fixed) // (2 * pair): "pair counts an image with its surrogate already. Yours counts two of these.",
            2 * right: "Image and surrogate count as two images of the batch with yours. A batch of 42 is 42 + 42.",
        }
        expect(got == right or got not in slips, f"{says} {slips.get(got, '')}")
        expect(
            got == right or got not in (2.0**n for n in range(12)),
            f"{says} A power of two, but no rule asks for one: the reference has 42.",
        )
        expect(got == right, f"{says} {'More' if got < right else 'Less'} would be right: solve the inequality again.")


def agrees_with_the_library(largest: Largest) -> None:
    """Real sizes, and the default of spare."""
    for pairs, gib in product((50, 120, 183), (4, 15, 40)):
        got = float(largest(GIB // 5, pairs * 2.0**20, gib * GIB))
        right = largest_batch(GIB // 5, pairs * 2.0**20, gib * GIB)
        expect(got == right, f"{pairs} MiB for each image in {gib} GiB: yours gives {got:.0f} images, {right} fit.")


EXERCISES = (
    Exercise(
        "table",
        11,
        table,
        (
            is_a_table,
            every_picture_once,
            splits_have_their_names,
            cameras_are_numbers,
            bad_boxes_are_junk,
            people_keep_their_numbers,
            nobody_in_train_and_test,
            queries_can_be_answered,
            each_camera_asks_once,
        ),
        example=(NAMES, TEST),
    ),
    Exercise(
        "largest_batch",
        11,
        largest_batch,
        (whole_images, nothing_fits, counts_every_byte, agrees_with_the_library),
        example=(1.0, 3.0, 100.0, 0.9),
    ),
)
