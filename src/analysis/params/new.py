"""A commented params file to start from."""

from __future__ import annotations

from pathlib import Path

from analysis.params.problem import CampaignError, Problem
from analysis.params.report_file import wrong_name
from analysis.params.schema import schema

TEMPLATE = '''\
# yaml-language-server: $schema=schema.json
title: "{name}"
question: What does the reviewer want to know?
owner: the team that answers for it
languages: [en]            # en, zh, or both; the first is the main one
currency: USD
time_zone: UTC             # zone of the campaign's days, such as Asia/Shanghai

period: {{start: 2025-11-11, end: 2025-11-17}}       # first and last day, both included
baseline: {{start: 2025-11-04, end: 2025-11-10}}     # the time before: 1, 2, 3, ... times as long as the period
# after: {{start: 2025-11-18, end: 2025-11-24}}      # the time after, to see what stayed

sources:                   # .csv, .csv.gz, .parquet (globs too), .duckdb, or a database: see the README
  events:                  # one row per event
    path: ../data/events.csv
    columns:               # our name: the file's name (leave out what is the same)
      user_id: user_id
      event: event
      occurred_at: timestamp
  # orders: {{path: ../data/orders.csv, columns: {{user_id: uid, ordered_at: paid_at, amount: amount}}}}
  # users: {{path: ../data/users.csv}}               # user_id, registered_at, and columns to group by
  # assignments: {{path: ../data/arms.csv}}          # user_id, variant

# Either arms drawn by chance ...
# arms:
#   control: holdout
#   shares: {{campaign: 90%, holdout: 10%}}
# ... or the reason why there is no control group; the report then describes and claims no effect.
no_control_group: Everybody got the campaign.

metrics:                   # each is one of: count, sum, any, ratio; exactly one has the role primary
  active_users: {{any: events, role: primary}}
  purchases: {{count: events, where: {{event: purchase}}}}
  # amount: {{sum: orders.amount, unit: USD}}
  # orders: {{count: orders, unit: orders}}
  # average_order: {{ratio: [amount, orders], unit: USD}}

goals:                     # +20% against the baseline, or a level such as 10000
  - {{metric: active_users, target: +20%, priority: 1}}

# plan: {{effect: 5%, days: 28}}                       # for `campaign plan`, before it runs: the effect hoped for

# funnels:
#   purchase: {{steps: [visit, add_to_cart, purchase], window: 7 days, by: [channel]}}
#   # the first funnel is looked into: how soon, on which day, where the lost went; the options are in the schema

# retention: {{every: week, n_periods: 8}}
# activity: {{every: week}}                          # new, current, back, gone; needs no more than events

# costs: {{media: 12000, prizes: 3000}}

# labels: {{active_users: Active users}}             # words for readers; {{en: ..., zh: ...}} for two languages
'''


def write_new(name: str, folder: Path) -> Path:
    """Write `folder/name.yml`, and the schema that editors use beside it if it is missing. Raises CampaignError."""
    path = folder / f"{name}.yml"
    if wrong := wrong_name(name):
        raise CampaignError([Problem(name, None, "", f"a campaign's name: {wrong}")])
    if path.exists():
        raise CampaignError([Problem(str(path), None, "", "exists already; choose another name or delete it first")])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(TEMPLATE.format(name=name), encoding="utf-8")
        if not (folder / "schema.json").exists():
            (folder / "schema.json").write_text(schema(), encoding="utf-8")
    except OSError as error:
        raise CampaignError([Problem(str(path), None, "", f"cannot be written: {error.strerror}")]) from None
    return path
