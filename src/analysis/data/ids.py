"""Which words are ids of the campaign's users: a question that the engine answers without giving the ids."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.data.engine import Engine
from analysis.params.model import Campaign


def ids_among(campaign: Campaign, words: Sequence[str]) -> set[str]:
    """Those of the words that are a `user_id` of the users, or where there is no such table, of anybody.

    One pass over the column, and only the hits come back. Raises Unreadable.
    """
    engine = Engine.of(campaign.sources.server)
    names = ["users"] if campaign.sources.users else ["assignments", "events", "orders"]
    found: set[str] = set()
    for name in names:
        for source in getattr(campaign.sources, name) or ():
            ids = engine.table(campaign, name, source).user_id.cast("string").name("id").as_table()
            with engine.telling(source):
                found |= set(ids.filter(ids.id.isin(list(words))).distinct().to_pyarrow()["id"].to_pylist())
    return found
