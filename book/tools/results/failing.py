"""Where it fails, and what real people say: two sections from their own receipts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paulbook.studies.lines import Line, compare_trials
from paulbook.studies.real import NAMES
from paulbook.studies.statistics import bootstrap

from .shelf import Row, Shelf
from .words import SCORES, capital, count, folded, listed, number, percent, span, table

NETS = ("net", "arm", "method", "when")  # what may tell apart the networks of rows that are otherwise alike
CALLED = {"direct": "direct transfer", "batch_norm": "batch-norm only", "paul": "PAUL"}
EXPLAINED = {
    "camera pair": "The query's camera comes first. The gallery holds one camera only, so these are not to be compared "
    "with the whole test. Each seed draws cameras of its own: a number stands for another camera on each.",
    "view of the nearest match": "Which match is nearest, the network itself chose: a description, not a cause.",
}
WORST = "book/assets/worst.png"
WORST_ALT = (
    "Queries that PAUL finds worst, one in a row: the query, its best match with the rank of it, and the first places"
    " of the ranking, of drawn people. Right places have a blue frame and a tick, wrong ones an orange frame and a "
    "cross."
)


def failing(shelf: Shelf, root: Path) -> list[str]:
    """Groups of queries from the worst to the best; wrong first places; the worst queries as a picture."""
    rows = shelf.rows("failures-groups")
    blocks = [*_groups(rows), *_shared(rows)] or ["The breakdown by camera, view and garment was not run."]
    if (root / WORST).is_file():
        blocks += [f":::{{figure}} ../assets/worst.png\n:alt: {WORST_ALT}\n\n{WORST_CAPTION}\n:::"]
    return blocks


WORST_CAPTION = (
    "The worst queries. The heading has the average precision before and after PAUL, the camera, the view, and what "
    "stands in front. Everybody is drawn."
)


def _nets(rows: Sequence[Row]) -> tuple[str, list[str]]:
    """The column that tells networks apart, and its values in their order."""
    for column in NETS:
        values = list(dict.fromkeys(str(row[column]) for row in rows if column in row))
        if len(values) > 1:
            return column, values
    return "", [""]


def _groups(rows: Sequence[Row]) -> list[str]:
    groups = [row for row in rows if "group" in row and "queries" in row]
    column, nets = _nets(groups)
    blocks = []
    for by in dict.fromkeys(str(row["by"]) for row in groups):
        own = [row for row in groups if row["by"] == by]
        body = f"{EXPLAINED.get(by, '')}\n\n{_group_table(own, column, nets)}".strip()
        blocks += [_extremes(by, own, column, nets[-1]), folded(f"By {by}", body)]
    return [GROUPS, *blocks] if blocks else []


GROUPS = (
    "Queries in groups, by what is known of each drawn picture. Small groups say little; there is no interval here. "
    "Groups differ in more than their name: this is a description, not a cause."
)


def _extremes(by: str, rows: Sequence[Row], column: str, net: str) -> str:
    """The lowest and the highest group after training."""
    scores = {group: _mean([r for r in rows if r["group"] == group and _of(r, column, net)]) for group in _names(rows)}
    known = {group: score for group, score in scores.items() if score}
    low, high = min(known, key=lambda g: known[g]["rank1"]), max(known, key=lambda g: known[g]["rank1"])
    parts = [f"{g} ({percent(known[g]['rank1'])}, {known[g]['queries']:.0f} queries)" for g in (low, high)]
    return f"**{capital(by)}.** Rank-1 is lowest for {parts[0]}, highest for {parts[1]}."


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(str(row["group"]) for row in rows))


def _of(row: Row, column: str, net: str) -> bool:
    return not column or str(row.get(column)) == net


def _mean(rows: Sequence[Row]) -> dict[str, float]:
    """Over seeds, each weighted by its queries."""
    total = sum(float(row["queries"]) for row in rows)
    if not total:
        return {}
    found = {score: sum(float(r[score]) * float(r["queries"]) for r in rows) / total for score in SCORES}
    return {"queries": total, **found}


def _group_table(rows: Sequence[Row], column: str, nets: Sequence[str]) -> str:
    """Rank-1 and mAP for each group; with two networks, mAP of each."""
    cells = []
    for group in _names(rows):
        means = [_mean([r for r in rows if r["group"] == group and _of(r, column, net)]) for net in nets]
        if column:
            shown = [number(m["rank1"]) if m else "" for m in means]
        else:
            shown = [number(means[0]["rank1"]), number(means[0]["map_step"])]
        cells.append([group, f"{means[-1].get('queries', 0):.0f}", *shown])
    head = [f"rank-1, {CALLED.get(net, net)}, %" for net in nets] if column else ["rank-1, %", "mAP, %"]
    return table(["", "queries", *head], cells)


def _shared(rows: Sequence[Row]) -> list[str]:
    """What wrong first places share with their query, against chance."""
    shared = [row for row in rows if "shared" in row and "wrong_first_places" in row]
    column, nets = _nets(shared)
    own = [row for row in shared if _of(row, column, nets[-1])]
    if not own:
        return []
    cells = []
    for name in dict.fromkeys(str(row["shared"]) for row in own):
        of = [row for row in own if row["shared"] == name]
        wrong = [float(row["wrong_first_places"]) for row in of]
        means = [sum(float(r[c]) * w for r, w in zip(of, wrong, strict=True)) / sum(wrong) for c in ("share", "chance")]
        cells.append([name, *map(number, means)])
    said = count(int(sum(wrong)), "wrong first place")
    return [f"What {said} share with the query, over all seeds:", table(HEAD, cells)]


HEAD = ["the same", "share, %", "by chance, %"]


def real(shelf: Shelf) -> list[str]:
    """Market-1501, from one training: numbers over all people only."""
    receipt = shelf.get("market1501")
    if receipt is None:
        return [NOT_REAL]
    seeds = sorted({trial.seed for trial in receipt.trials})
    rows, blocks = [], [REAL if len(seeds) == 1 else "Several trainings were run; these intervals are over people."]
    for arm, facts in receipt.arms.items():
        trials = receipt.of(arm)
        if trials:
            over = bootstrap(trials)
            rows.append([facts["title"], *(f"{number(over[s].mean)} {span(over[s])}" for s in SCORES)])
    blocks += [_trained(receipt.settings), table(["", *(f"{name}, %" for name in SCORES.values())], rows)]
    return [*blocks, *_real_gains(shelf), f"To make it again:\n\n```sh\n{receipt.command}\n```", BRING]


def _trained(settings: Mapping[str, Any]) -> str:
    """On what, and how long."""
    first, second, target = settings["pretrain"], settings["adapt"], settings["target"]
    sources = [f"{NAMES[k]} ({s['people']} people, {s['images']} images)" for k, s in settings["source"].items()]
    height, width = first["size"]
    return (
        f"Backbone `{first['backbone']}` on images of {height} x {width} pixels. Labelled sources: {listed(sources)}, "
        f"{first['epochs']} epochs. PAUL then saw {target['images']} images of {target['people']} of the "
        f"{target['all_people']} training people of {target['name']}, without labels, in {second['epochs']} epochs. "
        "That is a small part of the published schedule: compare the lines with each other, not with papers. The test "
        "is the whole official one. The settings were fixed before any score was seen. What the sources are stands "
        "under [Data and ethics](data_and_ethics.md)."
    )


REAL = (
    "One training for each line. The brackets hold 95 % intervals over the test people, with the network as it is. "
    "They say nothing of another training, so whether two lines differ **cannot be said**, however far apart they are."
)
BRING = (
    "All three files are yours to bring: the folder of the data set; the ImageNet weights of that name in timm, as "
    "safetensors; and any small labelled set as a table with the columns path, pid, camid, split."
)
NOT_REAL = (
    "This was not run. It needs Market-1501 and ImageNet weights, which do not come with the package. To run it, see "
    "`paulbook.studies.real.run_real`."
)


def _real_gains(shelf: Shelf) -> list[str]:
    receipt = shelf.get("market1501")
    names = list(dict.fromkeys(arm.split("/")[0] for arm in receipt.arms if "/" in arm)) if receipt else []
    cells = []
    for name in names:
        for control in ("batch_norm", "direct"):
            a, b = (shelf.trials("market1501", f"{name}/{arm}") for arm in (control, "paul"))
            if a and b:
                title = f"{shelf.title('market1501', f'{name}/paul')} minus {control.replace('_', '-')}"
                cells.append([title, *_differences(compare_trials(a, b))])
    return ["PAUL minus its controls, in points:", table(["", *SCORES.values()], cells)] if cells else []


def _differences(lines: Sequence[Line]) -> list[str]:
    found = {line.score: line for line in lines}
    ordered = [found[score] for score in SCORES]
    return [f"{number(line.b - line.a, '+')} {span(line.people, '+')}<br>{line.verdict()}" for line in ordered]
