"""Small campaigns in a folder of their own: params and data as a user would have them."""

from __future__ import annotations

from pathlib import Path

HOSTILE = ("<script>alert(1)</script>", '=HYPERLINK("http://x")', "it's \"quoted\" 🎉", "$x^2$", "{placeholder} %s",
           "a\\b")


def write_bare(folder: Path) -> Path:
    """Only a metric: no goals, arms, phases, funnels, retention or costs. Returns the params file."""
    (folder / "events.csv").write_text(
        "user_id,event,occurred_at\n" + "".join(
            f"u{i},visit,2025-03-0{1 + i % 3} 10:00:00\n" for i in range(12)), encoding="utf-8")
    params = folder / "bare.yml"
    params.write_text(
        "title: Bare\nquestion: Is there anything?\nowner: team\nperiod: {start: 2025-03-01, end: 2025-03-03}\n"
        "sources: {events: {path: events.csv}}\nno_control_group: Nobody was left out.\n"
        "metrics: {visits: {count: events, role: primary}}\n", encoding="utf-8")
    return params


def write_hostile(folder: Path) -> Path:
    """A randomised campaign whose every name and text tries to be more than text. Returns the params file."""
    import csv
    import json

    script, formula, quotes, maths, places, slashes = HOSTILE
    arms = [formula, script]

    def write(name: str, head: list[str], rows: list[list[object]]) -> None:
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *rows])

    users = range(60)
    steps = [script, quotes, formula]
    write("assignments.csv", ["user_id", "variant", "assigned_at"],
          [[f"u{i}", arms[i % 2], "2025-03-01 00:00:00"] for i in users])
    write("events.csv", ["user_id", "event", "occurred_at", "channel"],
          [[f"u{i}", step, f"2025-03-{day:02d} 10:0{k}:00", HOSTILE[i % 6]]
           for i in users for day in (1, 2, 3, 4) for k, step in enumerate(steps) if i % (k + day) == 0])
    write("orders.csv", ["user_id", "ordered_at", "amount"], [
        [f"u{i}", f"2025-03-{day:02d} 11:00:00", 5 + i * day % 7]
        for i in users for day in (1, 2, 3, 4) if (i + day) % 3])
    write("costs.csv", ["item", "amount"], [[text, 10 + n] for n, text in enumerate(HOSTILE)])
    campaign = {
        "title": " ".join(HOSTILE), "question": script, "owner": formula, "currency": "CNY",
        "period": {"start": "2025-03-03", "end": "2025-03-04"},
        "baseline": {"start": "2025-03-01", "end": "2025-03-02"},
        "sources": {name: {"path": f"{name}.csv"} for name in ("assignments", "events", "orders", "costs")},
        "arms": {"control": formula, "shares": {formula: "50%", script: "50%"}},
        "metrics": {maths: {"sum": "orders.amount", "role": "primary", "unit": "CNY"}, places: {"any": "orders"},
                    "<b>": {"count": "events", "where": {"channel": [script]}, "unit": "<i>"}},
        "goals": [{"metric": maths, "target": "+1%"}],
        "funnels": {"path": {"steps": steps, "window": "1 hour", "by": ["channel"]},
                    "path_by_channel": {"steps": steps[:2], "window": "none"}},
        "retention": {"every": "day", "n_periods": 1},
        "min_cell_size": 1,      # every one of these names is to be seen
        "labels": {script: script + places, maths: maths + slashes, "channel": quotes, slashes: script},
    }
    params = folder / "hostile.yml"
    params.write_text(json.dumps(campaign, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    return params
