"""Data: drawn people (`PaperDolls`), folders of real ones, and what training does to an image."""

from .check import CheckReport, check_dataset
from .items import Item, ReIDDataset, Split, open_image
from .paperdolls import PaperDolls
from .readers import MSMT17, DukeMTMCreID, ImageFolder, Market1501, from_csv, load_dataset

__all__ = [
    "MSMT17",
    "CheckReport",
    "DukeMTMCreID",
    "ImageFolder",
    "Item",
    "Market1501",
    "PaperDolls",
    "ReIDDataset",
    "Split",
    "check_dataset",
    "from_csv",
    "load_dataset",
    "open_image",
]
