"""The features of a split, from picture to patch feature, against the bare backbone's forward on the same images."""

import torch

from paullite import PRESETS
from paullite.data import PaperDolls
from paullite.data.items import Split
from paullite.data.reading import PixelReader, parts_of
from paullite.data.views import originals
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
    reader, places = PixelReader(split, net.size, torch.device("cpu")), parts_of(len(split), BATCH, 2)

    def read() -> list[torch.Tensor]:
        return [originals(pixels, net.size, net.normalisation) for pixels, _ in reader.batches(places)]

    parts = read()  # ready to be looked at
    variants = {
        "bare backbone, images ready": lambda: [net.backbone(part) for part in parts],
        "PatchNet, images ready": lambda: [net(part) for part in parts],
        "reading and normalising": read,
        "extract, all of it, 0 workers": lambda: extract(net, split, batch=BATCH),
    }
    title = f"Features of {len(split)} images of 128 x 64, test_resnet"
    return table(title, rows(medians(variants, repeats), "bare backbone, images ready"))
