"""Timings (``make bench``), the bar of the demo (``make bar``) and the weights that ship (``make weights``)."""
