"""Quantiles of rows that arms are compared by: how large is a large order, how long does a slow page take?"""

from __future__ import annotations

import re

from pydantic import model_validator

from analysis.params.metric import Direction
from analysis.params.part import Part, suggest
from analysis.params.sources import Values
from analysis.params.values import Share


class Quantile(Part):
    """A quantile of the rows of a table, not of users: each user has any number of them."""

    of: str
    """table.column of events or orders, such as orders.amount"""
    at: Share
    """which one: 50% is the median, 90% the value that one row in ten exceeds"""
    where: dict[str, Values] = {}
    """column of the table -> the value or values of the rows that count"""
    better: Direction = "higher"
    """which way is better"""
    unit: str = ""
    """unit of the number: the currency's code, seconds, ..."""

    @property
    def table(self) -> str:
        return self.of.split(".")[0]

    @property
    def column(self) -> str:
        return self.of.split(".")[1]

    @model_validator(mode="after")
    def _of_rows(self) -> Quantile:
        if not re.fullmatch(r"[^.]+\.[^.]+", self.of):
            raise ValueError(f"of '{self.of}' is not table.column, like orders.amount")
        if self.table not in ("events", "orders"):
            raise ValueError(f"'{self.table}' is not a table of rows{suggest(self.table, ('events', 'orders'))}")
        if not 0 < self.at < 1:
            raise ValueError(f"at is {self.at:.0%}; it must lie between 0% and 100%, such as 90%")
        return self
