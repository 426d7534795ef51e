"""``make bench``: one table a topic, medians and ratios of one run. One thread, so that numbers can be compared."""

import platform

import torch

from . import loss_step, pooling, ranking


def main() -> None:
    """Run every benchmark."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, python {platform.python_version()}, {platform.machine()}, 1 thread")
    for topic in (loss_step, pooling, ranking):
        print(topic.run(), flush=True)


if __name__ == "__main__":
    main()
