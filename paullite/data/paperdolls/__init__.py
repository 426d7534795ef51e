"""PaperDolls, the drawn world: needs numpy and Pillow only, and draws the same pixels on every machine."""

from .dataset import PaperDolls

__all__ = ["PaperDolls"]
