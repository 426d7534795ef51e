"""What a checkpoint of a session holds, and how a session takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from torch import Tensor

from .run import Means
from .state import optimiser_state, random_state, set_optimiser_state

if TYPE_CHECKING:
    from .session import Session


def everything(session: Session) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """All that the next step depends on. Every process has to ask at the same time."""
    momenta, groups = optimiser_state(session.optimiser)
    everyone = session.team.objects(random_state())
    named: dict[str, Mapping[str, Tensor]] = {name: part.state_dict() for name, part in session.parts.items()}
    named |= {"optimiser": momenta} | {f"random.{rank}": states for rank, (states, _) in enumerate(everyone)}
    facts: dict[str, Any] = {
        "identity": session.identity,
        "epoch": session.epoch,
        "step": session.step,
        "steps": session.steps,
        "means": asdict(session.means),
        "history": session.history.rows,
        "seconds": session.history.seconds(),
        "optimiser": groups,
        "random": {str(rank): plain for rank, (_, plain) in enumerate(everyone)},
        "scaler": session.accelerator.scaler.state_dict() if session.accelerator.scaler else None,
    }
    return {f"{name}.{key}": value for name, part in named.items() for key, value in part.items()}, facts


def take_back(session: Session, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Put `everything` back.

    Raises:
        RuntimeError, KeyError, ValueError: it does not fit the network, the memories or the optimiser.
    """
    for name, part in session.parts.items():
        part.load_state_dict(behind(tensors, name))
    set_optimiser_state(session.optimiser, behind(tensors, "optimiser"), facts["optimiser"])
    for group in session.optimiser.param_groups:  # those of now, which ``force`` lets differ
        group.update(momentum=session.config.momentum, weight_decay=session.config.weight_decay)
    rank = str(session.team.rank) if str(session.team.rank) in facts["random"] else "0"  # other processes than then
    session.random = behind(tensors, f"random.{rank}"), facts["random"][rank]
    session.epoch, session.step, session.steps = facts["epoch"], facts["step"], facts["steps"]
    session.means, session.saved = Means(**facts["means"]), session.steps
    session.history.restore(facts["history"], facts["seconds"])
    if session.accelerator.scaler is not None and facts["scaler"]:
        session.accelerator.scaler.load_state_dict(facts["scaler"])


def behind(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors of one part, by their names in it.

    >>> list(behind({"net.weight": Tensor([1.0]), "memory.features": Tensor([1.0])}, "net"))
    ['weight']
    """
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
