"""PaperDolls, the drawn world: needs numpy and Pillow, not torch, and draws the same pixels on every machine."""

from .cameras import Camera, make_cameras
from .dataset import PaperDolls, Picture
from .dolls import Look, looks, random_look
from .figure import VIEWS, Pose, draw_person
from .shots import Shot, photograph, plan_junk, plan_track, take
from .style import SOURCE, TARGET, CameraStyle

__all__ = [
    "Camera", "CameraStyle", "Look", "PaperDolls", "Picture", "Pose", "SOURCE", "Shot", "TARGET", "VIEWS",
    "draw_person", "looks", "make_cameras", "photograph", "plan_junk", "plan_track", "random_look", "take",
]  # fmt: skip
