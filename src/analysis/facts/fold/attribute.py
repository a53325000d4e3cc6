"""The value of a property that a record is filed under (rule F11)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

Attribution = str   # "entry", "first_touch", "last_touch", or "step 3"


def attributed(values: pa.Array, counts: np.ndarray, bounds: np.ndarray, unit: np.ndarray, rows: np.ndarray,
               attribution: Attribution) -> pa.Array:
    """One value per record, null where the unit has none.

    values   of every row; counts: whether a row matches a step; bounds: of the units
    unit     of each record; rows: index of each step's row, by record and step
    """
    n = len(values)
    places = np.arange(n)
    known = np.asarray(values.is_valid()) & counts
    begin, end = bounds[unit], bounds[unit + 1]
    if attribution.startswith("step "):
        found = rows[:, int(attribution[5:]) - 1]
        return values.take(pa.array(found, mask=found < 0))
    if attribution == "first_touch":
        following = np.minimum.accumulate(np.where(known, places, n)[::-1])[::-1]
        found = following[begin]
        return values.take(pa.array(found, mask=found >= end))
    upto = np.maximum.accumulate(np.where(known, places, -1))
    found = upto[end - 1 if attribution == "last_touch" else rows[:, 0]]
    return values.take(pa.array(found, mask=found < begin))
