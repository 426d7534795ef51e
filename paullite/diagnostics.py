"""What PAUL pulls together and pushes apart, held against labels that it never sees. For display only."""

import torch
from torch import Tensor

from .blocks import pedal_logits
from .config import AdaptConfig
from .data.items import ReIDDataset, Split
from .data.reading import PixelReader
from .data.views import originals
from .files import Row
from .models import PatchNet
from .modes import mode
from .step import Step

SAMPLE, CHUNK = 512, 64  # images whose neighbours are looked at, and how many of them at a time


class Diagnosis:
    """Counts, in a run of phase 2, what the losses do with right and wrong people, as columns of the history.

    The page on training explains each column. Vetoes, negatives, agreement and other_camera need no label, so that they
    could guide a choice on a real target. Nothing of it reaches the losses: the counting draws no random number and
    leaves the network as it was.

    >>> import paullite as pl
    >>> dolls = pl.data.PaperDolls("target", identities=3, test_identities=2)
    >>> heights = Diagnosis(dolls, AdaptConfig()).heights(pl.shipped_net())
    >>> heights == sorted(heights)                              # the patches, from top to bottom
    True
    """

    def __init__(self, target: ReIDDataset | Split, config: AdaptConfig, device: torch.device | None = None) -> None:
        images = target if isinstance(target, Split) else target.train
        self.config = config
        self.images = images.unlabelled()
        self.pids = None if images.pids is None else torch.tensor(images.pids, device=device)
        self.cameras = None if images.camids is None else torch.tensor(images.camids, device=device)
        self.garments = getattr(target, "garments", None)  # drawn people say what they wear at a height

    @torch.no_grad()
    def step(self, step: Step) -> dict[str, Tensor]:
        """How the hard negatives of a batch were found; scalars on the device."""
        order, vetoed = step.ranking  # A candidates
        tried = vetoed.cumprod(1).bool()  # ruled out before one was taken
        taken = ~vetoed & (vetoed.cumsum(1) == torch.arange(vetoed.shape[1], device=vetoed.device))
        found = {"vetoes": tried.sum(1).float().mean(), "negatives": taken.any(1).float().mean()}
        if self.pids is not None:
            pids = self.pids[step.index]
            same = pids[order] == pids[step.owner][:, None]  # A candidates
            found["right_vetoes"] = (tried & same).sum(1).float().mean()
            found["false_negatives"] = (taken & same).any(1).float().mean()
            found["false_hardest"] = same[:, :1].any(1).float().mean()  # a batch of one has no candidate
        return found

    @torch.no_grad()
    def epoch(self, net: PatchNet, memory: Tensor) -> Row:
        """Who is near whom in the patch memory (N, P, D), for up to 512 images spread over the set."""
        places = torch.linspace(0, len(memory) - 1, min(SAMPLE, len(memory)), device=memory.device).long()
        near = torch.cat([nearest_rows(memory, part, self.config.k) for part in places.split(CHUNK)])  # S P K
        found = {"agreement": agreement(near, len(memory))} if near.shape[1] > 1 else {}
        if self.cameras is not None:
            found["other_camera"] = 1 - _share(self.cameras, near, places)
        if self.pids is not None:
            found["same_person"] = _share(self.pids, near, places)
        if self.garments:
            worn = torch.tensor(self.garments(self.heights(net))).to(near.device)  # N P
            patches = torch.arange(near.shape[1], device=near.device)[:, None]
            found["same_garment"] = float((worn[near, patches] == worn[places][:, :, None]).float().mean())
        return {name: round(value, 6) for name, value in found.items()}

    @torch.no_grad()
    def heights(self, net: PatchNet, images: int = CHUNK) -> list[float]:
        """Where the middle of each patch lies on average, 0 at the top of a picture and 1 at its bottom."""
        few = self.images.spread(images)
        reader = PixelReader(few, net.size, net.reduction.weight.device)
        with mode(net, False):
            ((pixels, _),) = reader.batches([list(range(len(few)))])
            theta = net(originals(pixels, net.size, net.normalisation)).theta  # B P 2 3
        return [float(y) for y in (theta[:, :, 1, 2].float().mean(0) + 1) / 2]


def _share(values: Tensor, near: Tensor, places: Tensor) -> float:
    return float((values[near] == values[places, None, None]).float().mean())


def nearest_rows(memory: Tensor, places: Tensor, k: int) -> Tensor:
    """For some rows of the memory (N, P, D) the K nearest others, for each patch: (S,) -> (S, P, K)."""
    w = memory.float()
    closeness = pedal_logits(w[places], w, scale=1.0)  # S P N
    closeness.scatter_(2, places.view(-1, 1, 1).expand(-1, closeness.shape[1], 1), -torch.inf)
    return closeness.topk(k, dim=-1).indices


def agreement(near: Tensor, size: int) -> float:
    """Share of the K nearest that two patches have in common, mean over images and pairs: (S, P, K) -> 0..1.

    >>> agreement(torch.tensor([[[0, 1], [1, 2]]]), size=3)
    0.5
    """
    images, patches, k = near.shape
    common = 0.0
    for part in near.split(CHUNK):
        members = torch.zeros(len(part), patches, size, device=near.device).scatter_(2, part, 1.0)  # S P N
        common += float(torch.einsum("spn,sqn->pq", members, members).triu(1).sum())
    return common / (images * k * patches * (patches - 1) / 2)
