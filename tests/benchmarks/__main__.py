"""``make bench``: one table, medians and ratios of one run. One thread, so that numbers can be compared.

A whole run is kept in ``bench.txt``, which the book shows. ``python -m tests.benchmarks step gpu`` shows some sections
only and keeps nothing.
"""

import os
import platform
import sys
from pathlib import Path

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic steps ask for it before the first product
os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler talks a lot

import torch

from tests.benchmarks import (
    epoch,
    extraction,
    gpu,
    gpu_checks,
    kills,
    loading,
    loss_step,
    memory_rows,
    pooling,
    ranking,
    starting,
    step,
    traffic,
)
from tests.benchmarks.timing import COLUMNS

KEPT = Path(__file__).with_name("bench.txt")
SECTIONS = {
    "start": starting.run,
    "step": step.run,
    "epoch": epoch.run,
    "traffic": traffic.run,
    "losses": loss_step.run,
    "pooling": pooling.run,
    "data": loading.run,
    "features": extraction.run,
    "ranking": ranking.run,
    "memory": memory_rows.run,
    "resume": kills.run,
}
ON_A_GPU = {"gpu": gpu.run, "gpu-checks": gpu_checks.run, "gpu-memory": lambda: memory_rows.run("cuda")}


def main(asked: list[str]) -> None:
    """Run every section, or those asked for; those of the GPU only where there is one."""
    torch.set_num_threads(1)
    sections = SECTIONS | (ON_A_GPU if torch.cuda.is_available() else {})
    version = torch.__version__.split("+")[0]
    lines = [f"torch {version}, python {platform.python_version()}, {platform.machine()}, 1 thread", COLUMNS]
    print("\n".join(lines))
    for name in asked or sections:
        lines.append(sections[name]())
        print(lines[-1], flush=True)
    if not asked:
        KEPT.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
