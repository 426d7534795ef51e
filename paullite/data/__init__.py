"""Data: drawn people (`PaperDolls`), folders of real ones, and what training does to an image."""

from .items import Item, ReIDDataset, Split, open_image
from .paperdolls.dataset import PaperDolls
from .readers import MSMT17, DukeMTMCreID, ImageFolder, Market1501, from_csv, load_dataset

__all__ = [
    "MSMT17",
    "DukeMTMCreID",
    "ImageFolder",
    "Item",
    "Market1501",
    "PaperDolls",
    "ReIDDataset",
    "Split",
    "from_csv",
    "load_dataset",
    "open_image",
]
