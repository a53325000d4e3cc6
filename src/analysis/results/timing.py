"""How long conversions took."""

from __future__ import annotations

import math
from collections.abc import Sequence

MAX_BINS = 90


def histogram(seconds: Sequence[float], n_bins: int | None = None) -> list[tuple[int, int]]:
    """(first second of the bin, conversions in it), from the fastest to the slowest; the bins are whole seconds wide.

    n_bins   the cube root of the number of conversions (Rice's rule halved, as product analytics do) when None.
             The last bin begins where the n-th ends: it holds the slowest only when they lie on that edge.
    """
    if not seconds:
        return []
    n_bins = n_bins or min(MAX_BINS, math.ceil(len(seconds) ** (1 / 3)))
    fastest = math.floor(min(seconds))
    width = max(1, math.ceil((max(seconds) - fastest) / n_bins))
    counts = [0] * (n_bins + 1)
    for took in seconds:
        counts[int((took - fastest) // width)] += 1
    return [(fastest + i * width, count) for i, count in enumerate(counts)]
