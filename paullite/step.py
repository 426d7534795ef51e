"""One step of PAUL: look at both views of a batch, update both memories, and hand what is known to a loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from .config import AdaptConfig
from .cyclic import Ranking, cyclic_ranking
from .errors import InputError
from .memory import FeatureMemory
from .models import PatchOutput
from .modes import at_least_float32


@dataclass(frozen=True, eq=False)
class Step:
    """What a loss sees of a step. A loss of one's own is a function of it."""

    features: Tensor  #: (B, P, D) patch features of the original images, with gradient
    embeddings: Tensor  #: (2, B, E) image embeddings, of the originals and of their surrogates, with gradient
    index: Tensor  #: (B,) row of each image in the memory
    memory: Tensor  #: (N, P, D) running means of the patch features, the step's own images already averaged in
    centers: Tensor  #: (B, E) running means of both views' embeddings, the step's own already averaged in
    config: AdaptConfig  #: the settings
    epoch: int  #: counted from 0

    @property
    def anchors(self) -> Tensor:
        """Every view of every image as one row: (A, E)."""
        return self.embeddings.flatten(0, 1)

    @property
    def owner(self) -> Tensor:
        """The row in ``centers`` of each anchor's own center: (A,)."""
        return torch.arange(len(self.centers), device=self.centers.device).repeat(2)

    @cached_property
    def ranking(self) -> Ranking:
        """The cyclic ranking of the anchors among the centers; computed once, for the loss and for the history."""
        sizes = {"nearest": self.config.nearest, "max_candidates": self.config.max_candidates}
        return cyclic_ranking(self.anchors, self.centers, self.owner, **sizes)


def two_views(
    model: Callable[..., PatchOutput], originals: Tensor, surrogates: Tensor, config: AdaptConfig
) -> tuple[Tensor, Tensor]:
    """One forward pass of a PatchNet over a batch and its surrogates, (B, 3, height, width) each.

    Returns patch features of the originals, (B, P, D), and embeddings of both views, (B, 2, E), both in float32 or
    float64, also under autocast. Of the settings, ``image_embedding`` and ``generator_gradient`` are used.
    """
    out = model(torch.cat([originals, surrogates]), generator_gradient=config.generator_gradient)
    images = out.embedding if config.image_embedding == "cosines" else out.features.flatten(1)  # 2B E
    both = at_least_float32(images).unflatten(0, (2, -1)).transpose(0, 1)  # B 2 E
    return at_least_float32(out.features[: len(originals)]), both


def take_step(
    features: Tensor,
    embeddings: Tensor,
    index: Tensor,
    memory: FeatureMemory,
    centers: FeatureMemory,
    config: AdaptConfig,
    epoch: int = 0,
) -> Step:
    """Update both memories with a batch, then gather what a loss needs.

    The update comes before the loss, as in the reference implementation, so an image's own entry is up to date when
    its neighbours are compared with it. Features (B, P, D) and embeddings (B, 2, E) are from `two_views`; the memories
    have N rows of (P, D) and of (1, E); their rows ``index`` (B,) are best on the CPU, where a check waits for nothing.

    >>> memory, centers = FeatureMemory(5, 1, 2), FeatureMemory(5, 1, 2)
    >>> x, e = torch.ones(2, 1, 2), torch.ones(2, 2, 2)
    >>> take_step(x, e, torch.tensor([0, 3]), memory, centers, AdaptConfig()).centers
    tensor([[1., 1.],
            [1., 1.]])
    """
    # detached: the memories hold numbers, not the graphs that made them. Finite or not is watched by the loop.
    memory.update(index, features.detach(), check_finite=False)
    centers.update(index, embeddings.detach().mean(1, keepdim=True), check_finite=False)
    rows = index.to(memory.features.device)
    own_centers = centers.features[rows, 0]  # B E
    return Step(features, embeddings.transpose(0, 1), rows, memory.features, own_centers, config, epoch)


def loss_columns(found: Tensor | Mapping[str, Tensor] | tuple[Tensor, ...]) -> dict[str, Tensor]:
    """What a loss returned as columns of the history: ``loss``, which is learned from, and its parts.

    It is a scalar, or a mapping or NamedTuple of scalars with ``total``. An `InputError` names a total that is missing
    or no scalar with a gradient, and a part that is no scalar tensor or named ``loss``.

    >>> loss_columns({"total": torch.ones((), requires_grad=True), "part": torch.zeros(())}).keys()
    dict_keys(['loss', 'part'])
    """
    named: Any = getattr(found, "_asdict", lambda: found)()
    columns: dict[str, Any] = dict(named) if isinstance(named, Mapping) else {"total": named}
    total = columns.pop("total", None)
    if not isinstance(total, Tensor) or total.ndim or not total.requires_grad:
        found_total = "no total" if total is None else f"a total: {_described(total)}"
        expected = "expected a scalar that depends on step.features or step.embeddings"
        raise InputError(f"found a loss with {found_total}", expected, 'return it, or {"total": it, ...}')
    for name, part in columns.items():
        if not isinstance(part, Tensor) or part.ndim or name == "loss":
            expected = "expected scalar tensors beside the total, and none named loss, which is the total's column"
            raise InputError(f"found a loss with {name}: {_described(part)}", expected)
    return {"loss": total, **{name: part.to(total.device) for name, part in columns.items()}}


def _described(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}, {'with' if value.requires_grad else 'without'} gradient"
    return f"a {type(value).__name__}"
