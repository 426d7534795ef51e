"""Wrong answers to the exercises of chapter 2, each another misconception, and other right ones."""

from itertools import groupby
from pathlib import PurePosixPath

from tests.wrong_answers import chapter_02_chance

# ---- find_leak(train, query, gallery): rows are (path, pid, camid, pixels) ----


def _column(rows, place):
    return {row[place] for row in rows}


def _people(rows):
    return {row[1] for row in rows if row[1] > 0}


def _pictures(train, query, gallery, place=3):
    a, b, c = (_column(rows, place) for rows in (train, query, gallery))
    return (a & b) | (a & c) | (b & c)


def compares_cameras(train, query, gallery):
    """Column 2 in place of column 1."""
    return _column(train, 2) & _column(query + gallery, 2), _pictures(train, query, gallery)


def all_three_at_once(train, query, gallery):
    """A leaked person has to be in all three."""
    return _people(train) & _people(query) & _people(gallery), _pictures(train, query, gallery)


def query_against_gallery(train, query, gallery):
    """The people that query and gallery must share are reported."""
    return _people(query) & _people(gallery), _pictures(train, query, gallery)


def compares_paths(train, query, gallery):
    """The same file is the same picture, and only the same file."""
    return _people(train) & _people(query + gallery), _pictures(train, query, gallery, place=0)


def compares_file_names(train, query, gallery):
    """The same file name in two folders is the same picture."""
    a, b, c = ({PurePosixPath(row[0]).name: row[3] for row in rows} for rows in (train, query, gallery))
    named = {a[k] for k in a.keys() & (b.keys() | c.keys())} | {b[k] for k in b.keys() & c.keys()}
    return _people(train) & _people(query + gallery), named | _pictures(train, query, gallery)


def repeats_in_one_split(train, query, gallery):
    """Any picture that is there twice, in whatever split."""
    every = [row[3] for row in train + query + gallery]
    return _people(train) & _people(query + gallery), {p for p in every if every.count(p) > 1}


def pictures_of_people_only(train, query, gallery):
    """Pictures of junk and distractors are dropped before pictures are compared."""
    kept = [[row for row in rows if row[1] > 0] for rows in (train, query, gallery)]
    return _people(train) & _people(query + gallery), _pictures(*kept)


def pictures_with_the_same_number(train, query, gallery):
    """The same picture under another identity is not seen."""
    kept = [[(*row[:3], (row[1], row[3])) for row in rows] for rows in (train, query, gallery)]
    return _people(train) & _people(query + gallery), {pixels for _, pixels in _pictures(*kept)}


def swapped(train, query, gallery):
    """Pictures first."""
    return _pictures(train, query, gallery), _people(train) & _people(query + gallery)


def how_many(train, query, gallery):
    """Counts in place of what was counted."""
    return len(_people(train) & _people(query + gallery)), len(_pictures(train, query, gallery))


def yes_or_no(train, query, gallery):
    """Whether there is a leak."""
    return bool(_people(train) & _people(query + gallery) or _pictures(train, query, gallery))


def names_of_pictures(train, query, gallery):
    """The paths of the leaked pictures in place of their pixels."""
    found = _pictures(train, query, gallery)
    return _people(train) & _people(query + gallery), {r[0] for r in train + query + gallery if r[3] in found}


def lists_in_a_loop(train, query, gallery):
    """Right: slow, with lists and repeats."""
    people, pictures = [], []
    for row in query + gallery:
        people += [row[1] for other in train if row[1] == other[1] and row[1] not in (0, -1)]
        pictures += [row[3] for other in train if row[3] == other[3]]
    pictures += [row[3] for row in query for other in gallery if row[3] == other[3]]
    return people, pictures


def by_dictionary(train, query, gallery):
    """Right: notes in which splits each picture was seen."""
    seen: dict = {}
    for name, rows in (("train", train), ("query", query), ("gallery", gallery)):
        for row in rows:
            seen.setdefault(row[3], set()).add(name)
    return sorted(_people(train) & _people(query + gallery)), tuple(k for k, v in seen.items() if len(v) > 1)


# ---- choose_queries(pids, camids): the places that become queries ----


def _tracks(pids, camids, keep=lambda pid: pid > 0, lone=False):
    """Track -> its places; only of people that two cameras saw, unless ``lone``."""
    cameras: dict = {}
    for pid, camid in zip(pids, camids, strict=True):
        cameras.setdefault(pid, set()).add(camid)
    tracks: dict = {}
    for place, (pid, camid) in enumerate(zip(pids, camids, strict=True)):
        if keep(pid) and (lone or len(cameras[pid]) > 1):
            tracks.setdefault((pid, camid), []).append(place)
    return tracks


def one_a_person(pids, camids):
    """One query for each person."""
    return list({pid: places[0] for (pid, _), places in _tracks(pids, camids).items()}.values())


def one_a_camera(pids, camids):
    """One query for each camera."""
    return list({camid: places[0] for (_, camid), places in _tracks(pids, camids).items()}.values())


def junk_too(pids, camids):
    """Junk is treated as a person."""
    return [places[0] for places in _tracks(pids, camids, keep=lambda pid: pid != 0).values()]


def everything(pids, camids):
    """Every picture is a query."""
    return sorted(place for places in _tracks(pids, camids).values() for place in places)


def first_and_last(pids, camids):
    """Two of each track."""
    return sorted({place for places in _tracks(pids, camids).values() for place in (places[0], places[-1])})


def runs(pids, camids):
    """A track is taken for pictures that follow each other."""
    tracks = _tracks(pids, camids)
    places = sorted(place for group in tracks.values() for place in group)
    return [next(run)[0] for _, run in groupby([(p, (pids[p], camids[p])) for p in places], key=lambda pair: pair[1])]


def names_of_tracks(pids, camids):
    """Which tracks there are, not where."""
    return list(_tracks(pids, camids))


def mask(pids, camids):
    """True or False for each picture."""
    chosen = {places[0] for places in _tracks(pids, camids).values()}
    return [place in chosen for place in range(len(pids))]


def from_one(pids, camids):
    """Places counted from 1."""
    return [places[0] + 1 for places in _tracks(pids, camids).values()]


def the_gallery(pids, camids):
    """What is left."""
    chosen = {places[0] for places in _tracks(pids, camids).values()}
    return [place for place in range(len(pids)) if place not in chosen]


def the_last_of_each(pids, camids):
    """Right: the last picture of each track."""
    return tuple(places[-1] for places in _tracks(pids, camids).values())


def in_any_order(pids, camids):
    """Right: a set, from the middle of each track."""
    return {places[len(places) // 2] for places in _tracks(pids, camids).values()}


WRONG = {
    "find_leak": (
        compares_cameras,
        all_three_at_once,
        query_against_gallery,
        compares_paths,
        compares_file_names,
        repeats_in_one_split,
        pictures_of_people_only,
        pictures_with_the_same_number,
        swapped,
        how_many,
        yes_or_no,
        names_of_pictures,
    ),
    "choose_queries": (
        one_a_person,
        one_a_camera,
        junk_too,
        everything,
        first_and_last,
        runs,
        names_of_tracks,
        mask,
        from_one,
        the_gallery,
    ),
    **chapter_02_chance.WRONG,
}
OTHER_RIGHT = {
    "find_leak": (lists_in_a_loop, by_dictionary),
    "choose_queries": (the_last_of_each, in_any_order),
    **chapter_02_chance.OTHER_RIGHT,
}
