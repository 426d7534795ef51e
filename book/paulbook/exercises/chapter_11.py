"""Exercise of chapter 11: a table of one's own pictures."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from paullite.data.csv import COLUMNS, csv_rows
from paullite.data.layouts import SPLITS
from paullite.errors import InputError

from ..agreement import agrees
from ..exercise import Exercise, Wrong, expect
from .folders import (
    COUNTS,
    ELSEWHERE,
    LINES,
    MARK,
    NAMES,
    QUERIES,
    TEST,
    Lines,
    entries,
    picture_by_picture,
    rows_of,
    some_folder,
)

MakeTable = Callable[[Sequence[str], Collection[int]], Any]


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


def lines_of(make: MakeTable, names: Sequence[str] = NAMES) -> Lines:
    """The rows of the reader's table for the names above, or for others."""
    return rows_of(make(list(names), set(TEST)))


def of_split(make: MakeTable, split: str) -> list[str]:
    """The paths of a split."""
    return [line["path"] for line in lines_of(make) if line["split"] == split]


def who(path: str) -> str:
    """The person's part of a name."""
    return path.split("_")[0]


def is_a_table(make: MakeTable) -> None:
    """Text, with commas and the four columns."""
    try:
        text = make(list(NAMES), set(TEST))
    except ValueError as error:
        expect("'xx'" not in str(error), "int('xx') cannot be read: xx is no number, but a bad box. Which pid has it?")
        raise
    expect(isinstance(text, str), f"A CSV file is text, yours is a {type(text).__name__}. Join the lines.")
    first = (text.removeprefix(MARK).splitlines() or [""])[0]
    expect(";" not in first, "Commas must stand between the columns; yours have semicolons.")
    expect(
        ".jpg" not in first,
        "The first line must name the columns, with yours it is a picture already.",
    )
    names = [name.strip() for name in next(csv.reader([first]), [])]
    spelled = f"The first line is {first!r}. It must have the four names of the statement, spelled so."
    expect(all(names.count(name) == 1 for name in COLUMNS), spelled)


def header_fits_the_rows(make: MakeTable) -> None:
    """Each value stands under the name of its column."""
    lines = lines_of(make)
    for line in lines:
        values = [value for name, value in line.items() if name is not None]
        expect(None not in line and None not in values, f"The header has {len(COLUMNS)} names, a row has not as many.")
    wrong = [name for name in COLUMNS if name != "path" and any(line[name].strip() in NAMES for line in lines)]
    wrong += [name for name in COLUMNS if name != "split" and any(line[name].strip() in SPLITS for line in lines)]
    people = [line for line in lines if who(line["path"]) != "xx"]
    if all(line["camid"].strip().lstrip("0") == who(line["path"]).lstrip("0") for line in people):
        wrong.append("camid")
    expect(
        not wrong,
        f"Under {(wrong or [''])[0]} stands what belongs elsewhere. Are the header and the rows in the same order?",
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
    expect(not odd, f"A camid is {(odd or [''])[0]!r}. The exercise asks for a number there: number the words.")
    words, camids = {word for word, _ in pairs}, {camid for _, camid in pairs}
    expect(
        len(camids) > 1,
        "All pictures have one camid. Then every match is by the query's own camera, and is left out.",
    )
    expect(
        len(pairs) == len(words) == len(camids),
        "One camera has several numbers, or one number several cameras. Is the numbering the same for all people?",
    )
    other = {(line["path"].split("_")[1], line["camid"].strip()) for line in lines_of(make, ELSEWHERE)}
    numbers = {camid for _, camid in other if camid.isdecimal()}
    expect(
        len(other) == len(numbers) == len({word for word, _ in other}),
        "With cameras called garden, gate, yard and cellar yours does not give each a number of its own. "
        "Take the words from the names.",
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
                bool(line["pid"].strip()),
                f"{line['path']} has no pid. Phase 2 would do without; the statement asks for the number in the name.",
            )
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
    asked = Counter(tuple(path.split("_")[:2]) for path in query)
    for (person, camera), times in asked.items():
        expect(times == 1, f"The camera {camera} asks {times} times for person {person}. Once is enough: the first.")
    for path in query:
        person, camera, _ = path.split("_")
        alone = any(who(other) == person and COUNTS[person, other.split("_")[1]] == 1 for other in query)
        match = [other for other in people if who(other) == person and other.split("_")[1] != camera]
        expect(
            bool(match),
            f"{path} has no match by another camera in the gallery. "
            + ("A camera's only picture became a query." if alone else "What became of its other cameras' pictures?"),
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


def the_library_reads_it(make: MakeTable) -> None:
    """The library's own reader takes the text."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        path.write_text(make(list(NAMES), set(TEST)), encoding="utf-8")
        try:
            csv_rows(path)
        except InputError as error:
            raise Wrong(f"The library cannot read it: {str(error).replace(str(path), 'the table').strip()}.") from None


EXERCISES = (
    Exercise(
        "table",
        11,
        table,
        (
            is_a_table,
            header_fits_the_rows,
            every_picture_once,
            splits_have_their_names,
            cameras_are_numbers,
            bad_boxes_are_junk,
            people_keep_their_numbers,
            nobody_in_train_and_test,
            queries_can_be_answered,
            each_camera_asks_once,
            the_library_reads_it,
            agrees(picture_by_picture, some_folder, view=entries, hint=LINES),
        ),
        plain=True,
        example=lambda: (list(NAMES), set(TEST)),
    ),
)
