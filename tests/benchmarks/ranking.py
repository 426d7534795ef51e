"""The judge at the size of Market-1501's test against its bare matrix product."""

import numpy as np
import torch

from paullite.evaluation import score_ranking
from tests.benchmarks.timing import medians, rows, table

Q, G, D, PEOPLE, CAMERAS, CHUNK = 3_368, 15_913, 1_536, 751, 6, 256
GOAL = 3.0  # times the bare product


def run() -> str:
    """The table."""
    torch.manual_seed(0)
    rng = np.random.RandomState(0)
    q, g = torch.randn(Q, D), torch.randn(G, D)
    columns = [rng.randint(0, PEOPLE, n) for n in (Q, G)] + [rng.randint(0, CAMERAS, n) for n in (Q, G)]

    def bare() -> None:
        for part in q.split(CHUNK):
            part @ g.T

    variants = {"bare product, in chunks": bare, "score_ranking": lambda: score_ranking(q, g, *columns, chunk=CHUNK)}
    seconds = medians(variants, 3)
    return table(f"Ranking, {Q:,} x {G:,} x {D:,}", rows(seconds, "bare product, in chunks", {"score_ranking": GOAL}))
