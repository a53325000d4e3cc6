"""Buckets: every unit is in one, sizes differ by at most 1, and all runs are made."""

import numpy as np
import pytest

from analysis.stats.buckets import BUCKETS, TIMES, bucketings


def parts(n, runs=100, seed=1):
    rows = np.arange(2.0 * n).reshape(n, 2)
    return list(bucketings(rows, runs, np.random.default_rng(seed)))


def test_few_units_are_buckets_of_their_own_in_their_own_order():
    (part,) = parts(BUCKETS)
    assert len(part.starts) == BUCKETS + 1 and part.runs == 100
    assert part.rows[:, 0].tolist() == list(range(0, 2 * BUCKETS, 2))


@pytest.mark.parametrize("n", [BUCKETS + 1, 2 * BUCKETS, 30_011])
def test_many_units_are_each_in_one_bucket_of_nearly_equal_size(n):
    found = parts(n)
    assert len(found) == TIMES and sum(part.runs for part in found) == 100
    for part in found:
        assert np.array_equal(np.sort(part.rows[:, 0]), np.arange(0, 2 * n, 2))
        assert set(np.diff(part.starts)) <= {n // BUCKETS, n // BUCKETS + 1} and part.starts[-1] == n
        sums = np.concatenate([block.sum(axis=1) for block in part.blocks])
        assert np.allclose(sums, np.add.reduceat(part.rows, part.starts[:-1]))


def test_each_time_buckets_are_filled_anew():
    first, second, *_ = parts(30_011)
    assert not np.array_equal(first.rows, second.rows)


@pytest.mark.parametrize(("n", "runs"), [(30_011, 3), (0, 5), (1, 5)])
def test_few_runs_and_few_units_make_every_run(n, runs):
    assert sum(part.runs for part in parts(n, runs)) == runs
