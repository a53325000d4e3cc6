"""Random campaigns in a shop, for what must hold whatever the data say."""

import numpy as np
import pandas as pd

from tests.tables import observed

PHASES = "baseline: {start: 2024-02-19, end: 2024-03-03}\nafter: {start: 2024-03-11, end: 2024-03-17}\n"


def shop(seed, n=120, lift=0.5, arms=("stay", "go"), spread=True):
    """Assignments, events and orders of `n` users over the weeks around the campaign; arms past the first do better.

    spread   each user has an own pace
    """
    draw = np.random.default_rng(seed)
    users = np.array([f"u{i}" for i in range(n)])
    arm = draw.integers(0, len(arms), n)
    pace = draw.gamma(1.5, 0.7, n) if spread else np.ones(n)
    days = pd.date_range("2024-02-18", "2024-03-20")
    is_during = (days >= "2024-03-04") & (days <= "2024-03-10")
    rate = pace[:, None] * 0.15 * (1 + lift * np.outer(arm > 0, is_during))
    user, day = np.nonzero(draw.poisson(rate))
    at = days[day] + pd.to_timedelta(draw.integers(0, 1440, len(user)), unit="min")
    orders = pd.DataFrame({"user_id": users[user], "ordered_at": at, "amount": draw.gamma(2, 20, len(user)).round(2)})
    visits = pd.DataFrame({"user_id": users[user], "event": "visit", "occurred_at": at})
    quiet = pd.DataFrame({"user_id": "nobody", "event": "visit", "occurred_at": days})  # every day has a row
    assigned = pd.DataFrame({"user_id": users, "variant": np.array(arms)[arm]})
    return {"assignments": assigned, "orders": orders, "events": pd.concat([visits, quiet])}


def shop_facts(params, **how):
    return observed(params + PHASES, **shop(**how))
