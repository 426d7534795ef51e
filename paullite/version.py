"""The version of both packages, in a place that needs no other module."""

__version__ = "2.0.0"
