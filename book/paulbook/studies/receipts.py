"""Receipts: what a study ran, with which settings, and what came out, in files small enough to commit.

``NAME.json`` is the receipt, ``NAME.csv`` a row for each arm and seed, ``NAME-history.csv`` a row for each epoch.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from paullite.data.items import ReIDDataset
from paullite.errors import InputError, nearest_names
from paullite.evaluation import Columns, Scores
from paullite.files import replacing, writable_folder, write_csv
from paullite.runs.provenance import fingerprint

FORMAT = 1
SHIPPED = Path(__file__).with_name("receipts")  # a folder of that name, beside this module
DIGITS = 6


@dataclass(frozen=True)
class Trial:
    """One arm of a study on one seed.

    Attributes:
        arm: its name among the receipt's arms.
        seed: of the drawn world and of the training.
        scores: the five numbers of `Scores.headline`, in 0..1.
        people: for each test identity, lists of one length: pids; queries that were scored; hits, those with a right
            first place; precisions, the sum of their average precisions (step). See `people_of`.
        seconds: by phase, on the machine that the receipt names.
        data: fingerprints of what was learned from, "source" and "target", and of what was evaluated, "test" and
            "gallery". See ``fingerprints``.
    """

    arm: str
    seed: int
    scores: dict[str, float]
    people: dict[str, list[Any]]
    seconds: dict[str, float]
    data: dict[str, str]


@dataclass(frozen=True)
class Receipt:
    """A study: its question, what was run, and every trial.

    Attributes:
        study: its name, and that of its files.
        question: what it asks, in one sentence.
        command: what makes it again.
        settings: shared by the arms, by section.
        arms: by name, each with a "title" and the "changes" that are laid over the settings.
        versions, machine: what the numbers depend on.
        trials: one for each arm and seed that was run.
    """

    study: str
    question: str
    command: str
    settings: dict[str, Any]
    arms: dict[str, dict[str, Any]]
    versions: dict[str, str]
    machine: dict[str, Any]
    trials: list[Trial]

    def of(self, arm: str) -> list[Trial]:
        """The trials of an arm, lowest seed first."""
        return sorted((trial for trial in self.trials if trial.arm == arm), key=lambda trial: trial.seed)


def write(receipt: Receipt, folder: str | Path, history: Sequence[Mapping[str, Any]] | None = None) -> Path:
    """Write the files of a receipt, each whole or not at all.

    Args:
        receipt: numbers of its trials are rounded to six digits after the point; settings stay as they are.
        folder: made if it is missing.
        history: a row for each arm, seed and epoch; ``None`` writes none, and one that is there stays.

    Returns:
        The JSON file, with one trial a line.

    Raises:
        InputError: the folder cannot be written.
    """
    path = writable_folder(folder) / f"{receipt.study}.json"
    if history is not None:
        write_csv(_history_path(path), [_rounded(row) for row in history])
    write_csv(path.with_suffix(".csv"), [_row(trial) for trial in receipt.trials])
    with replacing(path) as temporary:
        temporary.write_text(_text(receipt), encoding="utf-8")
    return path


def read(given: str | Path) -> Receipt:
    """Read a receipt: a path, or the bare name of one that comes with the package.

    Raises:
        InputError: there is none, it is no receipt, or it is one of another format.
    """
    path = _find(given)
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} ({error})", "expected a receipt in JSON", "give NAME.json") from None
    found = facts.get("format") if isinstance(facts, dict) else None
    if found != FORMAT:
        made = 'make it again: its "command" says how' if found is not None else "give the NAME.json of a study"
        raise InputError(f"found format {found} in {path}", f"expected a receipt of format {FORMAT}", made)
    try:
        trials = [Trial(**trial) for trial in facts["trials"]]
        receipt = Receipt(**{**{name: facts[name] for name in _FIELDS}, "trials": trials})
        command = receipt.command.replace("paullite experiment", "paulbook experiment")  # as version 1 called it
        receipt = replace(receipt, command=command)
    except (KeyError, TypeError) as error:
        raise InputError(f"found a receipt in {path} with a field missing or unknown ({error})", _AGAIN) from None
    _check(receipt, path)
    return receipt


def names(edition: str = "") -> list[str]:
    """Names of the receipts that come with the package; of an earlier edition's world, as "v1", they begin with it."""
    return sorted(path.relative_to(SHIPPED).with_suffix("").as_posix() for path in (SHIPPED / edition).glob("*.json"))


def history(given: str | Path) -> list[dict[str, Any]]:
    """Rows of a receipt's history: arm (text), seed and epoch (whole numbers), the rest as numbers; no empty cells.

    Args:
        given: as for `read`.

    Raises:
        InputError: there is no such receipt, or none of its arms was followed by epoch.
    """
    path = _history_path(_find(given))
    if not path.is_file():
        raise InputError(f"found no file {path}", "expected the history beside its receipt", "run the study again")
    with open(path, newline="", encoding="utf-8") as file:
        return [{name: _cell(name, text) for name, text in row.items() if text} for row in csv.DictReader(file)]


def settings_of(receipt: Receipt, arm: str) -> dict[str, Any]:
    """The settings of an arm: those of the receipt with the arm's changes laid over, section by section.

    Raises:
        InputError: the receipt has no such arm.

    >>> arms = {"half": {"title": "half the rate", "changes": {"adapt": {"lr": 0.1}}}}
    >>> settings = {"method": "adapt", "adapt": {"lr": 0.2, "k": 3}}
    >>> settings_of(Receipt("rates", "Which rate?", "", settings, arms, {}, {}, []), "half")
    {'method': 'adapt', 'adapt': {'lr': 0.1, 'k': 3}}
    """
    if arm not in receipt.arms:
        found = f"found no arm {arm!r} in the receipt {receipt.study!r}"
        raise InputError(found, f"expected one of: {', '.join(receipt.arms)}", nearest_names(arm, receipt.arms))
    return _laid_over(receipt.settings, receipt.arms[arm].get("changes", {}))


def people_of(scores: Scores, pids: Columns) -> dict[str, list[Any]]:
    """What each test identity adds to rank-1 and mAP: enough to judge again with other people.

    Args:
        scores: of a judge.
        pids: identity of each query, (Q,), in the judge's order.

    Returns:
        Lists of one length: ``pids``, ``queries`` scored, ``hits`` at rank 1, ``precisions`` (sum of the average
        precisions, step). Lone queries count nowhere; people who have no others are left out.

    Raises:
        InputError: ``pids`` is not of the queries' number.
    """
    owner = np.asarray(pids)
    if owner.shape != scores.first_ranks.shape:
        raise InputError(f"found {len(owner)} identities of queries", f"expected {len(scores.first_ranks)}")
    seen = scores.first_ranks > 0
    people, place = np.unique(owner[seen], return_inverse=True)
    sums = [
        np.bincount(place, weights=values[seen], minlength=len(people))
        for values in (seen, scores.first_ranks == 1, scores.precisions)
    ]
    queries, hits = (column.astype(int).tolist() for column in sums[:2])
    precisions = [round(value, DIGITS) for value in sums[2].tolist()]
    return {"pids": people.tolist(), "queries": queries, "hits": hits, "precisions": precisions}


def fingerprints(dataset: ReIDDataset) -> dict[str, str]:
    """Of the training images, the queries and the gallery: two networks are paired if the last two are the same.

    >>> from paullite.data import PaperDolls
    >>> small, large = (PaperDolls("target", identities=n, test_identities=2) for n in (2, 3))
    >>> [name for name, value in fingerprints(small).items() if value == fingerprints(large)[name]]
    []
    """
    parts = {"target": dataset.train, "test": dataset.query, "gallery": dataset.gallery}
    return {name: fingerprint(split) for name, split in parts.items()}


_FIELDS = [field.name for field in fields(Receipt)]
_AGAIN = "expected what paullite writes"


def _find(given: str | Path) -> Path:
    if Path(given).is_file():
        return Path(given)
    shipped = [*names(), *names("v1")]
    if str(given) in shipped:
        return SHIPPED / f"{given}.json"
    known = f"expected a file, or one of: {', '.join(shipped) or '(none is shipped)'}"
    raise InputError(f"found no receipt {str(given)!r}", known, f"nearest: {nearest_names(str(given), shipped)}")


def _history_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}-history.csv")


def _cell(name: str, text: str) -> Any:
    return text if name == "arm" else int(text) if name in ("seed", "epoch") else float(text)


def _check(receipt: Receipt, path: Path) -> None:
    """Every trial is of a known arm, and there is one for each arm and seed."""
    unknown = sorted({trial.arm for trial in receipt.trials} - set(receipt.arms))
    if unknown:
        raise InputError(f"found trials of {', '.join(unknown)} in {path}", "expected only arms that it describes")
    done = [(trial.arm, trial.seed) for trial in receipt.trials]
    for arm, seed in done:
        if done.count((arm, seed)) > 1:
            raise InputError(f"found arm {arm!r} with seed {seed} twice in {path}", "expected one trial of each")


def _row(trial: Trial) -> dict[str, Any]:
    """A trial as a row of the tidy table."""
    seconds = {f"seconds_{phase}": value for phase, value in trial.seconds.items()}
    row: dict[str, Any] = _rounded({"arm": trial.arm, "seed": trial.seed, **trial.scores, **seconds})
    return row


def _text(receipt: Receipt) -> str:
    """JSON with a line for each section, arm and trial, so that two versions can be told apart by eye."""
    facts: dict[str, Any] = {"format": FORMAT, **{name: getattr(receipt, name) for name in _FIELDS}}
    facts["trials"] = [_rounded(asdict(trial)) for trial in receipt.trials]
    return "{\n" + ",\n".join(f' "{name}": {_lines(value)}' for name, value in facts.items()) + "\n}\n"


def _lines(value: Any) -> str:
    if isinstance(value, Mapping) and value:
        return "{\n" + ",\n".join(f"  {json.dumps(name)}: {_json(one)}" for name, one in value.items()) + "\n }"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"  {_json(one)}" for one in value) + "\n ]"
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _rounded(value: Any) -> Any:
    """Numbers to six digits after the point, also inside dictionaries and lists."""
    if isinstance(value, Mapping):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    value = value.item() if isinstance(value, np.generic) else value
    return round(value, DIGITS) if isinstance(value, float) else value


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    inner = {k: _laid_over(below[k], v) for k, v in above.items() if isinstance(v, Mapping) and k in below}
    return {**below, **above, **inner}
