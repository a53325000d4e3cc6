"""A valid campaign file that says something of everything, to be spoilt by the tests."""

from pathlib import Path

from analysis.params import CampaignError, load

FULL = """\
title: {en: Spring sale, zh: 春季促销}
question: Did it sell more?
owner: growth
languages: [en, zh]
currency: CNY
time_zone: Asia/Shanghai
period: {start: 2025-11-11, end: 2025-11-17}
baseline: {start: 2025-10-28, end: 2025-11-10}
after: {start: 2025-11-18, end: 2025-11-24}
data_until: 2025-11-24
closed: [2025-11-20]
sources:
  users: {path: users.csv}
  assignments: {path: arms.csv}
  events:
    - {path: "events-*.csv", columns: {user_id: uid}, where: {app: [web, ios]}, time_zone: UTC}
    - {path: more.parquet, values: {event: shopped}}
  orders: {path: shop.duckdb, table: orders}
population: {consent: agreed, where: {tier: [gold, silver]}}
arms:
  control: holdout
  shares: {campaign: 90%, holdout: 10%}
metrics:
  amount: {sum: orders.amount, role: primary, unit: CNY}
  buyers: {any: orders}
  orders: {count: orders, where: {kind: first}}
  average: {ratio: [amount, orders]}
  refunds: {count: events, where: {event: refund}, better: lower, role: guardrail, margin: 2%}
  later: {sum: orders.amount, over: after, role: described}
  soon: {any: orders, window: 7 days}
goals:
  - {metric: amount, target: +30%, priority: 1}
  - {metric: buyers, target: 10,000, priority: 2, deadline: 2025-12-01}
  - {metric: soon, target: +5%, baseline: control, measure: per_user}
funnels:
  purchase: {steps: [visit, cart, pay], window: 24 hours, by: [channel]}
  both: {steps: [visit, pay], window: none, order: any}
retention: {start: visit, every: day, n_periods: 14}
costs: {media: 12_000, coupons: amount}
labels: {amount: {en: paid amount, zh: 支付金额}}
""".replace("target: 10,000", "target: '10,000'")


def campaign(folder: Path, *changes: tuple[str, str], text: str = FULL, **overrides: str):
    """The campaign that the full file gives with pieces of its text changed."""
    return load(written(folder, *changes, text=text), overrides)


def mistakes(folder: Path, *changes: tuple[str, str], text: str = FULL) -> list[tuple[int | None, str, str]]:
    """Line, place and message of each mistake of the file; none when it can be read."""
    try:
        load(written(folder, *changes, text=text))
    except CampaignError as error:
        return [(problem.line, problem.where, problem.message) for problem in error.problems]
    return []


def written(folder: Path, *changes: tuple[str, str], text: str = FULL) -> Path:
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the file"
        text = text.replace(old, new)
    path = folder / "spring.yml"
    path.write_text(text, "utf-8")
    return path
