"""The features of a split, from picture to patch feature, against the bare backbone's forward on the same images."""

import torch

from paullite import PRESETS
from paullite.data import PaperDolls
from paullite.data.items import Split
from paullite.data.loading import Plain
from paullite.features import extract
from tests.benchmarks.step import net_of
from tests.benchmarks.timing import medians, rows, table

BATCH, IMAGES = 128, 256


@torch.no_grad()
def run(split: Split | None = None, repeats: int = 9) -> str:
    """Drawn people, the CPU preset."""
    torch.manual_seed(0)
    net = net_of(PRESETS["paperdolls"].pretrain).eval()
    split = split or PaperDolls("target").unlabelled().take(range(IMAGES))
    pictures, count = Plain(split, net.transform), len(split)
    parts = torch.stack([pictures[place] for place in range(count)]).split(BATCH)  # ready to be looked at
    variants = {
        "bare backbone, images ready": lambda: [net.backbone(part) for part in parts],
        "PatchNet, images ready": lambda: [net(part) for part in parts],
        "reading and transforming": lambda: [pictures[place] for place in range(count)],
        "extract, all of it, 0 workers": lambda: extract(net, split, batch=BATCH),
    }
    title = f"Features of {count} images of 128 x 64, test_resnet"
    return table(title, rows(medians(variants, repeats), "bare backbone, images ready"))
