"""What both phases need around their loop.

==============  ===========================================================================================
session         the run: where it is, when it saves, how it stops and goes on
saving, state   what a checkpoint holds; a run as one file, and back
team            several processes with one batch; batch-norm in groups
shards          a patch memory that is split over the processes
start           device, precision, processes
dry_step        one step before the first: memory, time, the batch that fits
checks          faults, named where they arise
sameness        whether a run may go on from a checkpoint
provenance      versions, fingerprints, digests
run, features   what a phase leaves behind; the features of a split
optimiser       SGD over named groups
files           files that are whole or not there
lock            one run at a time in a folder
interrupts      Ctrl-C between two steps
==============  ===========================================================================================
"""

from .checks import check_batch, check_finite
from .features import evaluating, extract
from .files import Row, read_history, replacing, writable_folder, write_csv
from .interrupts import Stopped
from .optimiser import set_rates, sgd
from .provenance import digest, fingerprint, versions
from .run import History, Means, Run
from .session import Session
from .shards import ShardedMemory, whole
from .start import start_accelerator
from .team import Team, check_groups, each_group

__all__ = [
    "History",
    "Means",
    "Row",
    "Run",
    "Session",
    "ShardedMemory",
    "Stopped",
    "Team",
    "check_batch",
    "check_finite",
    "check_groups",
    "digest",
    "each_group",
    "evaluating",
    "extract",
    "fingerprint",
    "read_history",
    "replacing",
    "set_rates",
    "sgd",
    "start_accelerator",
    "versions",
    "whole",
    "writable_folder",
    "write_csv",
]
