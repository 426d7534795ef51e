"""Wrong answers to exercise 11.1, each another misconception; other right ones; and those to exercise 11.2."""

import csv
import io

from tests.wrong_answers import chapter_11_sessions


def written(rows, header="path,pid,camid,split") -> str:
    """Rows as text."""
    lines = [header] if header else []
    return "\n".join([*lines, *(",".join(map(str, row)) for row in rows)]) + "\n"


def rows_of(names, test, **changes) -> list[list]:
    """The right rows, by steps that can be changed one at a time."""
    rule = {"first": 0, "least": 2, "cameras": 2, "rest": "gallery", "junk": (-1, "gallery"), "order": sorted} | changes
    groups: dict = {}
    for name in rule["order"](names):
        who, where, _ = name.split("_")
        groups.setdefault((who, where), []).append(name)
    numbers = sorted({where for _, where in groups})
    rows = []
    for (who, where), files in groups.items():
        pid = rule["junk"][0] if who == "xx" else int(who)
        seen_by = sum(other == who for other, _ in groups)
        asks = pid in test and len(files) >= rule["least"] and seen_by >= rule["cameras"]
        for n, name in enumerate(files):
            split = rule["junk"][1] if who == "xx" else rule["rest"] if pid in test else "train"
            place = rule["first"] if rule["first"] >= 0 else len(files) + rule["first"]
            rows.append([name, pid, numbers.index(where) + 1, "query" if asks and n == place else split])
    return rows


def no_header(names, test) -> str:
    """Only the rows."""
    return written(rows_of(names, test), header="")


def other_header(names, test) -> str:
    """Names of columns of one's own."""
    return written(rows_of(names, test), header="file,person,camera,split")


def other_order(names, test) -> str:
    """Header and rows in different orders."""
    return written(rows_of(names, test), header="path,camid,pid,split")


def short_rows(names, test) -> str:
    """The split of bad boxes is left away."""
    return written([row[:3] if row[1] == -1 else row for row in rows_of(names, test)])


def cameras_known_before(names, test) -> str:
    """The number of a camera by its first letter, for three cameras that were there to be seen."""
    return written([[r[0], r[1], "gdh".find(r[0].split("_")[1][0]) + 1, r[3]] for r in rows_of(names, test)])


def no_pids_in_train(names, test) -> str:
    """Phase 2 needs none."""
    return written([[r[0], "" if r[3] == "train" else r[1], *r[2:]] for r in rows_of(names, test)])


def semicolons(names, test) -> str:
    """As a spreadsheet may write it."""
    return written(rows_of(names, test)).replace(",", ";")


def a_list(names, test) -> list:
    """Rows, not text."""
    return rows_of(names, test)


def camera_words(names, test) -> str:
    """The camera as it stands in the name."""
    return written([[r[0], r[1], r[0].split("_")[1], r[3]] for r in rows_of(names, test)])


def cameras_of_each_person(names, test) -> str:
    """Cameras numbered anew for each person."""
    seen: dict = {}
    rows = rows_of(names, test)
    for row in rows:
        own = seen.setdefault(row[1], [])
        word = row[0].split("_")[1]
        own += [word] if word not in own else []
        row[2] = own.index(word) + 1
    return written(rows)


def junk_is_zero(names, test) -> str:
    """Bad boxes as person 0, a distractor."""
    return written(rows_of(names, test, junk=(0, "gallery")))


def junk_left_out(names, test) -> str:
    """Bad boxes are tidied away."""
    return written([row for row in rows_of(names, test) if row[1] != -1])


def query_twice(names, test) -> str:
    """A query stays in the gallery, too."""
    rows = rows_of(names, test)
    return written(rows + [[*row[:3], "gallery"] for row in rows if row[3] == "query"])


def split_called_test(names, test) -> str:
    """The gallery by another name."""
    return written(rows_of(names, test, rest="test", junk=(-1, "test")))


def by_picture(names, test) -> str:
    """Every fourth picture is a query, whoever is on it."""
    rows = rows_of(names, test)
    for n, row in enumerate(rows):
        row[3] = "query" if n % 4 == 0 and row[1] != -1 else row[3]
    return written(rows)


def all_ask(names, test) -> str:
    """Every picture of a test person is a query."""
    return written([[*r[:3], "query" if r[1] in test else r[3]] for r in rows_of(names, test)])


def one_query_a_person(names, test) -> str:
    """The first picture of a person, whatever the camera."""
    asked, rows = set(), rows_of(names, test)
    for row in rows:
        if row[3] == "query":
            row[3] = "gallery" if row[1] in asked else "query"
            asked.add(row[1])
    return written(rows)


def last_asks(names, test) -> str:
    """The last picture of each camera."""
    return written(rows_of(names, test, first=-1))


def people_by_place(names, test) -> str:
    """A new number for each picture."""
    return written(
        [[r[0], n if r[1] >= 0 and r[3] == "train" else r[1], *r[2:]] for n, r in enumerate(rows_of(names, test))]
    )


def with_csv_module(names, test) -> str:
    """Right: csv.DictWriter, other numbers of the cameras, columns in another order, rows upside down."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ["split", "path", "camid", "pid"])
    writer.writeheader()
    for path, pid, camid, split in reversed(rows_of(names, test)):
        writer.writerow({"path": path, "pid": pid, "camid": 20 - camid, "split": split})
    return text.getvalue()


def plain_text(names, test) -> str:
    """Right: pids as they are written, with a leading zero; no line break at the end."""
    rows = [[r[0], r[0][:2] if r[1] >= 0 else -1, r[2], r[3]] for r in rows_of(names, test)]
    return written(rows).strip()


def sorts_in_place(names, test) -> str:
    """Right: sorts the list that it is given."""
    names.sort()
    return written(rows_of(names, test, order=list))


WRONG = {
    "table": (
        no_header, other_header, semicolons, a_list, camera_words, cameras_of_each_person, junk_is_zero,
        junk_left_out, query_twice, split_called_test, by_picture,
        all_ask, one_query_a_person, last_asks, people_by_place,
        other_order, short_rows, cameras_known_before, no_pids_in_train,
    ),
    "sessions_needed": chapter_11_sessions.WRONG,
}  # fmt: skip

OTHER_RIGHT = {
    "table": (with_csv_module, plain_text, sorts_in_place),
    "sessions_needed": chapter_11_sessions.OTHER_RIGHT,
}
