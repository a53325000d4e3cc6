"""Cases of activity: `kind: lifecycle`, `stickiness` or `active_users`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from itertools import accumulate
from typing import Any

from analysis.facts.calendar import first_day, number_of
from analysis.facts.presence_facts import STATES as OURS
from analysis.facts.presence_facts import active_users, lifecycle_counts, periods_active, presence
from analysis.params.counting import Match
from tests.counting.log import any_of, columns_of, conditions, event_log, instant
from tests.counting.names import MODES, STATES, understood, users_of

KEYS = {"event", "every", "date_from", "date_to", "tz", "week_start", "as_of", "data_from", "mode", "user_filter",
        "range_applies_to"}
WIDTHS = {"dau": 1, "wau": 7, "mau": 30}


def answer(connection: Any, case: dict) -> dict[str, Callable[[], Any]]:
    """What was found, by key of `expected`, in the shape in which the case writes it."""
    asked, expected = Asked(connection, case), case["expected"]
    found = {
        "lifecycle": lambda: shaped(asked.lifecycle(), expected["lifecycle"]),
        **{name: partial(lambda name: asked.states(name, expected[name]), name) for name in STATES},
        **{name: partial(lambda name: asked.stickiness(expected[name]), name)
           for name in ("stickiness", "counts", "users", "exact", "at_least")},
        **{name: partial(lambda name: asked.active(WIDTHS[name], expected[name]), name) for name in WIDTHS},
        "dau_mau": lambda: asked.ratio("mau", expected["dau_mau"]),
        "dau_wau": lambda: asked.ratio("wau", expected["dau_wau"])}
    if "at_least" in expected or "exact" in expected:         # the key says the mode
        found["exact"] = lambda: asked.stickiness(expected["exact"], "exact")
        found["at_least"] = lambda: asked.stickiness(expected["at_least"], "at_least")
    return found


class Asked:
    def __init__(self, connection: Any, case: dict):
        query = understood(case["query"], KEYS)
        self.every, self.tz = query.get("every", "day"), query.get("tz", "UTC")
        self.week_start = query.get("week_start", "monday")
        self.mode = MODES[query.get("mode", "exact")]
        self.first, self.last = (date.fromisoformat(query[key]) for key in ("date_from", "date_to"))
        self.since = date.fromisoformat(query["data_from"]) if "data_from" in query else None
        of = users_of(query["user_filter"]) if "user_filter" in query else None
        rows = [row for row in case["events"] if of is None or row[0] in of]
        wanted = conditions(query.get("event"))
        events = event_log(connection, rows, {c for condition in wanted for c in columns_of(condition)})
        self.events = any_of(events, wanted)
        self.until = instant(query["as_of"]) if "as_of" in query else None

    def present(self, every: str):
        return presence(self.events, Match(), every, self.tz, self.week_start, self.until)

    @property
    def range(self) -> range:
        first, last = (number_of(day, self.every, self.week_start) for day in (self.first, self.last))
        return range(first, last + 1)

    def lifecycle(self) -> dict[str, dict[str, int]]:
        counts = lifecycle_counts(self.present(self.every))
        return {first_day(n, self.every, self.week_start).isoformat(): counts.get(n, dict.fromkeys(OURS, 0))
                for n in self.range}

    def states(self, name: str, wanted: Any) -> Any:
        return shaped(self.lifecycle(), {name: wanted})[name]

    def stickiness(self, wanted: Any, mode: str = "") -> Any:
        """Users by the number of periods of the range in which they were active; nobody in more than there are."""
        found = periods_active(self.present(self.every), self.range[0], self.range[-1])
        most = max([len(self.range), *(map(int, wanted) if isinstance(wanted, dict) else [len(wanted)])])
        users = [found.get(n, 0) for n in range(1, most + 1)]
        if (mode or self.mode) == "at_least":
            users = list(accumulate(users[::-1]))[::-1]
        if isinstance(wanted, dict):
            return {str(n): k for n, k in enumerate(users, 1) if k or str(n) in wanted}
        return users

    def active(self, width: int, wanted: Any) -> Any:
        return daily(self._active(width), wanted)

    def _active(self, width: int) -> dict[str, int | None]:
        levels = active_users(self.present("day"), [width])[width]
        found: dict[str, int | None] = {}
        for i in range((self.last - self.first).days + 1):
            day = self.first + timedelta(days=i)
            reached = [n for n in levels if n <= number_of(day, "day")]
            is_cut = self.since is not None and day - timedelta(days=width - 1) < self.since
            found[day.isoformat()] = None if is_cut else levels[max(reached)] if reached else 0
        return found

    def ratio(self, of: str, wanted: Any) -> Any:
        top, bottom = self._active(1), self._active(WIDTHS[of])
        return daily({day: top[day] / n if n else None for day, n in bottom.items()}, wanted)


def daily(found: dict[str, Any], wanted: Any) -> Any:
    """A list over the range, or the days that the case names."""
    return list(found.values()) if isinstance(wanted, list) else {day: found.get(day) for day in wanted}


def shaped(found: dict[str, dict[str, int]], wanted: dict) -> dict:
    """{state: list or {date: n}}, or {date: {state: n} or list in the order new, current, resurrected, dormant}.

    Who went dormant is a number below zero where the case draws it below the axis. A state that is left out is 0.
    """
    written = [n for key, value in wanted.items() for n in below(key, value)]
    sign = -1 if any(n < 0 for n in written) else 1
    found = {day: {**counts, "n_dormant": sign * counts["n_dormant"]} for day, counts in found.items()}
    if wanted.keys() <= STATES.keys():
        return {name: daily({day: counts[STATES[name]] for day, counts in found.items()}, value)
                for name, value in wanted.items()}
    return {day: [*found[day].values()] if isinstance(value, list) else
            {**{name: found[day][STATES[name]] for name in value},
             **{name: n for name, n in found[day].items() if n and name not in {STATES[v] for v in value}}}
            for day, value in wanted.items()}


def below(key: str, value: Any) -> list:
    """The numbers of dormant users in one item of an expected lifecycle."""
    if key in STATES:
        return [] if STATES[key] != "n_dormant" else list(value.values()) if isinstance(value, dict) else value
    return [value[-1]] if isinstance(value, list) else [value.get("dormant", 0)]
