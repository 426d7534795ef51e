"""Medians of repeated runs, all variants in turn so that a noisy machine hits them alike."""

import statistics
import time
from collections.abc import Callable, Mapping


def medians(variants: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each variant after one run to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for run in range(repeats + 1):
        for name, variant in variants.items():
            began = time.perf_counter()
            variant()
            if run:
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def table(title: str, seconds: Mapping[str, float], base: str) -> str:
    """Milliseconds, and the ratio to one of the variants."""
    lines = [f"\n{title}", f"  {'':<46}{'ms':>10}{'ratio':>9}"]
    lines += [f"  {name:<46}{1000 * value:>10.1f}{value / seconds[base]:>9.2f}" for name, value in seconds.items()]
    return "\n".join(lines)
