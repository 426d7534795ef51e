"""``make bench``: one table, medians and ratios of one run. One thread, so that numbers can be compared.

``python -m tests.benchmarks step gpu`` shows some sections only.
"""

import os
import platform
import sys

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic steps ask for it before the first product
os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler talks a lot

import torch

from . import extraction, gpu, kills, loading, loss_step, memory_rows, pooling, ranking, step
from .timing import COLUMNS

SECTIONS = {
    "step": step.run,
    "losses": loss_step.run,
    "pooling": pooling.run,
    "data": loading.run,
    "features": extraction.run,
    "ranking": ranking.run,
    "memory": memory_rows.run,
    "resume": kills.run,
}
ON_A_GPU = {"gpu": gpu.run, "gpu-memory": lambda: memory_rows.run("cuda")}


def main(asked: list[str]) -> None:
    """Run every section, or those asked for; those of the GPU only where there is one."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, python {platform.python_version()}, {platform.machine()}, 1 thread")
    print(COLUMNS)
    sections = SECTIONS | (ON_A_GPU if torch.cuda.is_available() else {})
    for name in asked or sections:
        print(sections[name](), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
