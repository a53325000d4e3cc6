"""Rows themselves, for quantiles: in Python, as a quantile needs them all."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.facts.population import Facts, rows_of
from analysis.params.quantile import Quantile
from analysis.stats.quantiles import Rows


def rows_compared(facts: Facts, asked: Quantile) -> dict[str, Rows]:
    """Arm -> the rows of the period, from each user's entry on, and the unit that each belongs to.

    The unit is the user, or the cluster where arms were drawn so. Rows without a value do not count. Rows reach Python
    here: 16 bytes each.
    """
    campaign = facts.campaign
    start, end = (t.replace(tzinfo=None) for t in campaign.period.interval(campaign.time_zone))
    rows = rows_of(facts, asked.table)
    rows = rows.filter(rows.at >= start, rows.at < end, rows.at >= rows.entered_at, rows[asked.column].notnull(),
                       *(rows[column].cast("string").isin(values) for column, values in asked.where.items()))
    unit = rows.user_id
    if campaign.arms.cluster:
        people = facts.population.select("user_id", unit=facts.population[campaign.arms.cluster].cast("string"))
        rows = rows.inner_join(people, "user_id").filter(people.unit.notnull())
        unit = rows.unit
    table = rows.select("variant", unit=unit, value=rows[asked.column].cast("float64")).to_pyarrow()
    value = table["value"].to_numpy()
    (arms, arm), (_, code) = (_coded(table[column]) for column in ("variant", "unit"))
    place = {name: i for i, name in enumerate(arms)}
    return {each: Rows(value[arm == place.get(each, -1)], code[arm == place.get(each, -1)])
            for each in facts.campaign.arms.shares}


def _coded(column: pa.ChunkedArray) -> tuple[list, np.ndarray]:
    """The different values, and for each row which of them it has."""
    coded = pc.dictionary_encode(column.combine_chunks())
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy(zero_copy_only=False)
