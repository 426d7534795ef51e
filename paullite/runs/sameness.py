"""Whether a run may go on from what it finds in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..config import RunConfig
from ..errors import InputError
from .provenance import differences, versions
from .state import state_files

# Settings that change no step. The device and the precision are compared as what "auto" came to.
FREE = ("epochs", "workers", "progress", "output", "evaluate_every", "save_minutes", "dry_step", "device", "precision")


def identity(config: RunConfig, made_of: Mapping[str, Any], **machine: Any) -> dict[str, Any]:
    """All that the weights of a run depend on: settings, data, versions, machine; as JSON keeps it.

    >>> identity(RunConfig(seed=3), {"data": "ab"}, device="cpu")["settings"]["seed"]
    3
    """
    settings = {name: value for name, value in asdict(config).items() if name not in FREE}
    facts = {"phase": type(config).__name__, "settings": settings, **made_of, "machine": machine}
    return dict(json.loads(json.dumps(facts | {"versions": versions()})))


def refuse_others(then: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    """Raises an `InputError` that names what differs between a checkpoint and the run that wants to go on from it."""
    found = differences(then, now)
    if found:
        more = f" and {len(found) - 4} more" if len(found) > 4 else ""
        raise InputError(
            f"found {path.name} made with {', '.join(found[:4])}{more}",
            "expected the same settings, data and versions, or the run would not be the one that was begun",
            "give them again; or go on all the same with --force (force=True); or choose another --output",
        )


def earlier_run(folder: Path, force: bool) -> list[Path]:
    """What an older run left in a folder; it goes when the new one saves for the first time.

    Raises:
        InputError: there is an older run, and ``force`` is not set.
    """
    older = [*state_files(folder), *folder.glob("run.safetensors")]
    if older and not force:
        raise InputError(
            f"found an earlier run in {folder} ({older[-1].name})",
            "expected a folder without one",
            "go on with --resume (resume=True), replace it with --force (force=True), or choose another --output",
        )
    return older
