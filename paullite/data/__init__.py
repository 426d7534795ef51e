"""Data: drawn people (`PaperDolls`), folders of real ones, and what training does to an image.

Nothing that this file imports needs torch, so that people can be drawn without it.
"""

from .csv import from_csv
from .items import Item, ReIDDataset, Split, open_image
from .paperdolls import PaperDolls
from .readers import MSMT17, DukeMTMCreID, ImageFolder, Market1501, load_dataset
from .sequences import from_items

__all__ = [
    "MSMT17", "DukeMTMCreID", "ImageFolder", "Item", "Market1501", "PaperDolls", "ReIDDataset", "Split", "from_csv",
    "from_items", "load_dataset", "open_image",
]  # fmt: skip
