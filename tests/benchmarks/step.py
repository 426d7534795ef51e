"""A whole training step of phase 2 against the bare backbone's, and where the rest goes."""

import copy
from contextlib import AbstractContextManager
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paullite import PRESETS
from paullite.adaptation import empty_memories, learning
from paullite.config import AdaptConfig, PretrainConfig
from paullite.losses import paul
from paullite.models import PatchNet
from paullite.step import take_step, two_views
from tests.benchmarks.timing import Row, medians, table

GOAL = 1.15  # times the bare backbone's step
DOLLS_N = 1_327  # training images of the drawn target, see PaperDolls
MARKET_N = 12_936


class Step:
    """What `paullite.adapt` holds in the middle of an epoch: a network, a batch, the memories that it meets.

    Args:
        net: trained on, not copied.
        config: settings of phase 2.
        images: originals, then their surrogates, (2B, 3, height, width).
        index: place of each original in the data set, (B,), on the CPU.
        stored: the patch memory's rows, (N, P, D).
        precision: bf16 computes the network under autocast.
    """

    def __init__(
        self, net: PatchNet, config: AdaptConfig, images: Tensor, index: Tensor, stored: Tensor, precision: str = "no"
    ) -> None:
        self.net, self.config, self.images, self.index, self.precision = net.train(), config, images, index, precision
        self.memory, self.centers = (m.to(stored.device) for m in empty_memories(net, len(stored), config))
        self.memory.update(torch.arange(len(stored)), stored)
        self.optimiser = sgd(config, learning(net))
        self.backbone = copy.deepcopy(net.backbone)
        self.backbone_optimiser = sgd(config, list(self.backbone.parameters()))

    def whole(self) -> Tensor:
        """Forward, memories, losses, backward, and the optimiser's step."""
        with self.autocast():
            x, e = two_views(self.net, *self.images.chunk(2), self.config)
        return advanced(self.optimiser, self.loss(x, e))

    def bare(self) -> Tensor:
        """The same backbone on the same images: forward, average, backward, and the optimiser's step."""
        with self.autocast():
            feature_map = self.backbone(self.images)  # 2B C H W
        return advanced(self.backbone_optimiser, feature_map.mean((2, 3)).float().mean())

    def loss(self, x: Tensor, e: Tensor) -> Tensor:
        """Both memories' update and both losses: (B, P, D), (B, 2, E) -> scalar."""
        return paul(take_step(x, e, self.index, self.memory, self.centers, self.config)).total

    def autocast(self) -> AbstractContextManager[object]:
        """Mixed precision, if asked for."""
        return torch.autocast(self.images.device.type, torch.bfloat16, enabled=self.precision == "bf16")


def sgd(config: AdaptConfig, parameters: list[nn.Parameter]) -> torch.optim.SGD:
    """The optimiser of both phases."""
    return torch.optim.SGD(parameters, config.lr, momentum=config.momentum, weight_decay=config.weight_decay)


def advanced(optimiser: torch.optim.Optimizer, loss: Tensor) -> Tensor:
    """Backward and a step of the optimiser; hands back the loss."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.detach()


def drawn_step(
    preset: str, *, batch: int, n: int, lr: float = 1e-4, device: str = "cpu", precision: str = "no"
) -> Step:
    """A step in the sizes of a preset, on random images; light generator, weights at random."""
    torch.manual_seed(0)
    net = net_of(PRESETS[preset].pretrain).to(device)
    images = torch.randn(2 * batch, 3, *net.size, device=device)
    stored = F.normalize(torch.randn(n, net.patches, net.feature_dim, device=device), dim=-1)
    index = torch.randperm(n)[:batch]
    return Step(net, replace(PRESETS[preset].adapt, lr=lr), images, index, stored, precision)


def net_of(config: PretrainConfig) -> PatchNet:
    """The network of a preset."""
    names = ("patches", "feature_dim", "embedding_dim", "generator", "size")
    return PatchNet(config.backbone, pretrained=False, **{name: getattr(config, name) for name in names})


class Parts:
    """What a step does beyond the bare backbone's, piece by piece, each with its backward."""

    def __init__(self, step: Step) -> None:
        self.step, net = step, step.net
        with torch.no_grad():
            self.map = net.backbone(step.images)
            self.x, self.e = two_views(net, *step.images.chunk(2), step.config)
        self.behind = copy.deepcopy(net)
        self.behind.backbone = nn.Identity()  # type: ignore[assignment]
        self.optimiser = sgd(step.config, learning(self.behind))

    def patches(self) -> None:
        """From the map to patch features and embedding: generator, attention, pooling, reduction, norm."""
        self.optimiser.zero_grad()
        out = self.behind(self.map.clone().requires_grad_(), generator_gradient=self.step.config.generator_gradient)
        torch.autograd.backward([out.features, out.embedding], [out.features.detach(), out.embedding.detach()])

    def losses(self) -> None:
        """Memories, PEDAL and IPFL."""
        self.step.loss(self.x.clone().requires_grad_(), self.e.clone().requires_grad_()).backward()


def section(title: str, step: Step, repeats: int) -> str:
    """Both steps in turn, then the pieces."""
    seconds = medians({"bare backbone": step.bare, "whole step": step.whole}, repeats)
    parts = Parts(step)
    pieces = {
        "  of it patches, reduction, norm": parts.patches,
        "  of it memories, PEDAL, IPFL": parts.losses,
        "  of it SGD beyond the backbone": parts.optimiser.step,
    }
    base, whole = seconds.values()
    lines = [Row("bare backbone", base, 1.0, note="base"), Row("whole step", whole, whole / base, GOAL)]
    lines += [Row(name, value, value / base) for name, value in medians(pieces, 2 * repeats).items()]
    return table(title, lines)


def run() -> str:
    """Both networks."""
    dolls = section(
        f"Training step, test_resnet, 128 x 64, 42 + 42 images, N {DOLLS_N:,}",
        drawn_step("paperdolls", batch=42, n=DOLLS_N),
        15,
    )
    large = section(
        f"Training step, resnet50.tv_in1k, 384 x 128, 4 + 4 images, N {MARKET_N:,}",
        drawn_step("market1501", batch=4, n=MARKET_N),
        7,
    )
    return f"{dolls}\n{large}"
