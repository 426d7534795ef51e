"""PEDAL, IPFL and both memories together, against their bare matrix products and against the published way."""

import torch
import torch.nn.functional as F
from torch import Tensor

from paullite.losses import ipfl, pedal
from paullite.memory import FeatureMemory
from tests.benchmarks.published import ListMemory
from tests.benchmarks.published import ipfl as slow_ipfl
from tests.benchmarks.published import pedal as slow_pedal
from tests.benchmarks.timing import medians, rows, table

B, P, D, N, E = 42, 6, 256, 12_936, 768
GOAL = 2.0  # times the bare products; 4.0 at the very most
BARE, OURS = "bare matrix products", "ours: PEDAL + IPFL + memories"


def unit(*shape: int) -> Tensor:
    """Random rows of length 1."""
    return F.normalize(torch.randn(*shape), dim=-1)


class Step:
    """One batch, and the memories it meets."""

    def __init__(self, n: int = N, b: int = B) -> None:
        torch.manual_seed(0)
        self.features, self.stored = unit(b, P, D), 0.95 * unit(n, P, D)
        self.embeddings, self.index = unit(2 * b, E) * 3, torch.randperm(n)[:b]
        self.centers = 0.5 * self.embeddings.view(2, b, E).sum(0)
        self.owner = torch.arange(b).repeat(2)
        self.memory, self.means = FeatureMemory(n, P, D), FeatureMemory(n, 1, E)
        self.memory.update(torch.arange(n), self.stored)
        self.means.update(self.index, self.centers[:, None])
        self.rows = ListMemory(self.stored)
        self.whole = self.stored.clone()

    def given(self) -> tuple[Tensor, Tensor]:
        """Fresh leaves, so that every run makes its own gradients."""
        return self.features.clone().requires_grad_(), self.embeddings.clone().requires_grad_()

    def ours(self) -> Tensor:
        """The loss step of `paullite.adapt`, forward and backward."""
        x, e = self.given()
        self.memory.update(self.index, x.detach())
        self.means.update(self.index, e.detach().view(2, len(self.index), 1, -1).mean(0))
        loss = 2 * pedal(x, self.memory.features, self.index, scale=15.0, k=10)
        loss = loss + ipfl(e, self.means.features[self.index, 0], self.owner, no_negative="pull")
        loss.backward()
        return loss.detach()

    def published(self, restack: bool = True) -> Tensor:
        """The same numbers the published way; without ``restack`` the list is put together once, outside."""
        x, e = self.given()
        self.rows.update(self.index.tolist(), x.detach())
        self.means.update(self.index, e.detach().view(2, len(self.index), 1, -1).mean(0))
        memory = self.rows.stacked() if restack else self.whole
        loss = 2 * slow_pedal(x, memory, self.index.tolist(), 15.0, 10)
        loss = loss + slow_ipfl(e, self.means.features[self.index, 0], self.owner.tolist())
        loss.backward()
        return loss.detach()

    def bare(self) -> Tensor:
        """The matrix products alone: every patch with every memory row, and their backward."""
        x, _ = self.given()
        products = torch.einsum("bpd,npd->bpn", x, self.stored)
        products.backward(torch.ones((), dtype=products.dtype).expand_as(products).contiguous())
        return products.detach()


def run() -> str:
    """The table."""
    step = Step()
    variants = {
        BARE: step.bare,
        OURS: step.ours,
        "published way, loops and sorts": step.published,
        "  its list put together once, outside": lambda: step.published(restack=False),
    }
    return table(f"Losses and memories, B {B}, P {P}, D {D}, N {N:,}", rows(medians(variants, 7), BARE, {OURS: GOAL}))
