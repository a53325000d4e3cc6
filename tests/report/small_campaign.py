"""A campaign of a few dozen users, in a folder as a team has it: params/, data/, reports/."""

from __future__ import annotations

import random
from pathlib import Path

PARAMS = """\
title: {en: Spring sale, zh: 春季促销}
question: Did it sell more?
owner: growth
languages: [en, zh]
currency: CNY
time_zone: Asia/Shanghai
period: {start: 2025-11-11, end: 2025-11-17}
baseline: {start: 2025-11-04, end: 2025-11-10}
after: {start: 2025-11-18, end: 2025-11-24}
sources:
  assignments: {path: ../data/arms.csv}
  events: {path: ../data/events.csv}
  orders: {path: ../data/orders.csv}
arms: {control: holdout, shares: {campaign: 50%, holdout: 50%}}
metrics:
  amount: {sum: orders.amount, role: primary, unit: CNY}
  buyers: {any: orders}
goals:
  - {metric: amount, target: +10%}
funnels:
  purchase: {steps: [visit, pay], window: 1 day, by: [channel]}
retention: {every: day, n_periods: 5}
activity: {every: day, recency: [1, 7]}
costs: {media: 100}
"""


def write_campaign(folder: Path, name: str = "spring") -> Path:
    """The params file; the data lie beside its folder."""
    for part in ("params", "data"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    draw = random.Random(7)
    arms, events, orders = ["user_id,variant"], ["user_id,event,occurred_at,channel"], ["user_id,ordered_at,amount"]
    for user in (f"u{i}" for i in range(60)):
        arms.append(f"{user},{'campaign' if len(arms) % 2 else 'holdout'}")
        for day in range(4, 25):
            if draw.random() < 0.4:
                events.append(f"{user},visit,2025-11-{day:02d} 10:00:00,{draw.choice(['web', 'app'])}")
                if draw.random() < 0.5:
                    events.append(f"{user},pay,2025-11-{day:02d} 11:00:00,web")
                    orders.append(f"{user},2025-11-{day:02d} 11:00:00,{draw.randint(1, 50)}")
    for table, lines in (("arms", arms), ("events", events), ("orders", orders)):
        (folder / "data" / f"{table}.csv").write_text("\n".join(lines) + "\n", "utf-8")
    path = folder / "params" / f"{name}.yml"
    path.write_text(PARAMS, "utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Path -> bytes of every file in a folder, hidden ones too."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
