"""A patch memory that is split over the processes, for training sets that do not fit into one GPU."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import torch
from torch import Tensor

from ..memory import FeatureMemory
from ..pedal_blocks import Partial, merge, pedal_of_shard
from .team import Team


class ShardedMemory:
    """Like `paullite.memory.FeatureMemory`, with only this rank's share of the rows.

    Args:
        size: N, rows of all ranks together. patches, dim, momentum: as in `FeatureMemory`.
        team: who holds which rows.

    Attributes:
        own: the rows of this rank. first: number of its first row.

    >>> memory = ShardedMemory(3, 1, 2, momentum=0.1, team=Team(rank=1, size=2))
    >>> memory.first, len(memory.own.features)
    (2, 1)
    """

    def __init__(self, size: int, patches: int, dim: int, *, momentum: float, team: Team) -> None:
        self.size, self.team = size, team
        self.first, self.end = team.bounds(size)[team.rank]
        self.own = FeatureMemory(self.end - self.first, patches, dim, momentum=momentum).to(team.device)

    def update(self, index: Tensor, features: Tensor) -> None:
        """Store or average the features of a batch; rows of other ranks are theirs to store."""
        mine = (index >= self.first) & (index < self.end)
        self.own.update(index[mine] - self.first, features[mine.to(features.device)])

    def pedal(self, features: Tensor, index: Tensor, *, scale: float, k: int) -> Tensor:
        """`paullite.losses.pedal` over the rows of all ranks, whose sums are put together: a scalar."""
        return pedal_of_shard(
            features,
            self.own.features,
            index,
            scale=scale,
            k=k,
            first=self.first,
            total=self.size,
            everyone=self._of_all_ranks,
        )

    def _of_all_ranks(self, mine: Partial) -> Partial:
        fields = zip(*(self.team.gather(getattr(mine, name)) for name in Partial.__dataclass_fields__), strict=True)
        return reduce(merge, (Partial(*values) for values in fields))

    def state_dict(self) -> dict[str, Tensor]:
        """The whole memory, on the CPU. Every rank has to ask for it at the same time."""
        return {
            "features": self.team.whole(self.own.features, self.size),
            "filled": self.team.whole(self.own.filled.to(torch.uint8), self.size).bool(),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take this rank's rows of a whole memory."""
        self.own.load_state_dict({name: rows[self.first : self.end] for name, rows in state.items()})

    def gathered(self) -> FeatureMemory:
        """All rows as one memory on the CPU, the same on every rank."""
        state = self.state_dict()
        whole = FeatureMemory(*state["features"].shape, momentum=self.own.momentum)
        whole.load_state_dict(state)
        return whole


def whole(memory: FeatureMemory | ShardedMemory) -> FeatureMemory:
    """The memory with all its rows; of shards, all processes have to ask."""
    return memory.gathered() if isinstance(memory, ShardedMemory) else memory
