"""One unit's rows against the steps in order: the latest start is always the best start (rules F2-F8).

Per step the scan keeps the latest entry from which the step was reached in time, and the times of that attempt. A row
reaches a step when the step before was reached from an entry that is still in the window. An exclusion closes the steps
it follows at the end of its instant, so that one tied with a step does nothing.
"""

from __future__ import annotations

import numpy as np

from analysis.facts.fold.compiled import compiled
from analysis.facts.fold.rules import EXCLUSION_BIT, NEVER


@compiled
def workspace(n_steps):
    """Reused from unit to unit, by step: start, last arrival, its row, is-tainted; times and rows of the attempt."""
    return (np.empty(n_steps, np.int64), np.empty(n_steps, np.int64), np.empty(n_steps, np.int64),
            np.empty(n_steps, np.bool_), np.empty((n_steps, n_steps), np.int64), np.empty((n_steps, n_steps), np.int64))


@compiled
def scan(at, mask, n, entry_from, entry_until, rules, work, best_times, best_rows):
    """(depth, bits of the steps reached, whether an exclusion removes the unit); the best attempt into the last two.

    at, mask   of the unit's n rows in the order that counts
    """
    start, seen, seen_row, tainted, times, rows = work
    start[:], seen[:], tainted[:] = NEVER, NEVER, False
    depth, reached, is_removed = 0, 0, False
    pending, now = 0, NEVER
    k, window, optional, may_reuse = rules.n_steps, rules.window, rules.optional, rules.may_reuse
    for i in range(n):
        t, bits = at[i], mask[i]
        if t != now:
            if pending:
                if rules.removes:
                    is_removed = taint(pending, now, depth, is_removed, rules, work, best_times, best_rows)
                else:
                    close(pending, now, rules, work)
                pending = 0
            now = t
        pending |= bits >> EXCLUSION_BIT & 0xFFFF
        if not bits & 0xFFFF:
            continue
        for j in range(k):
            s = j if may_reuse else k - 1 - j     # from the last step down, one row cannot fill two
            if not bits >> s & 1:
                continue
            before = -1
            if s == 0:
                if not entry_from <= t < entry_until:
                    continue
                origin = t
            else:
                before = s - 1 if not optional else predecessor(s, start, optional)
                if before < 0 or start[before] == NEVER or tainted[before] or t - start[before] > window:
                    continue
                origin = start[before]
            if start[s] == origin:
                seen[s], seen_row[s] = t, i
                continue
            if start[s] > origin and not tainted[s]:
                continue
            start[s], seen[s], seen_row[s], tainted[s] = origin, t, i, False
            for b in range(s):
                times[s, b], rows[s, b] = (times[before, b], rows[before, b]) if b <= before else (NEVER, -1)
            times[s, s], rows[s, s] = t, i
            reached |= 1 << s
            is_later_start = s + 1 == depth and (is_removed or (best_times[s] == t and origin > best_times[0]))
            if s + 1 > depth or is_later_start:
                depth, is_removed = s + 1, False
                remember(s, times, rows, best_times, best_rows)
    if pending and rules.removes:
        is_removed = taint(pending, now, depth, is_removed, rules, work, best_times, best_rows)
    return depth, reached, is_removed


@compiled
def predecessor(s, start, optional):
    """The step before with the latest start, or one before that where optional steps lie between; -1 without any."""
    best = -1
    for b in range(s - 1, -1, -1):
        if start[b] != NEVER and (best < 0 or start[b] > start[best]):
            best = b
        if not optional >> b & 1:
            break
    return best


@compiled
def close(pending, now, rules, work):
    """An exclusion of this instant ends attempts at the steps it follows, but for those that came there just now."""
    start, seen, seen_row, _, times, rows = work
    for s in range(rules.n_steps):
        if start[s] != NEVER and follows(pending, s, rules.spans):
            if seen[s] < now:
                start[s] = NEVER
            elif times[s, s] < now:
                times[s, s], rows[s, s] = now, seen_row[s]


@compiled
def taint(pending, now, depth, is_removed, rules, work, best_times, best_rows):
    """An exclusion of this instant marks attempts in their window; whether the best attempt is marked now."""
    start, _, _, tainted, times, rows = work
    for s in range(rules.n_steps):
        if follows(pending, s, rules.spans):
            if start[s] != NEVER and times[s, s] < now and now - start[s] <= rules.window:
                tainted[s] = True
            if depth == s + 1 and best_times[s] < now and now - best_times[0] <= rules.window:
                is_removed = True
    if is_removed and start[depth - 1] != NEVER and not tainted[depth - 1]:
        remember(depth - 1, times, rows, best_times, best_rows)       # one that came as far at this very instant
        is_removed = False
    return is_removed


@compiled
def remember(s, times, rows, best_times, best_rows):
    """The attempt that stands at step s is the best."""
    best_times[:], best_rows[:] = NEVER, -1
    for b in range(s + 1):
        best_times[b], best_rows[b] = times[s, b], rows[s, b]


@compiled
def follows(pending, s, spans):
    """Whether one of these exclusions works after step s."""
    for e in range(len(spans)):  # noqa: SIM110    any() would need a generator, which is not compiled
        if pending >> e & 1 and spans[e] >> s & 1:
            return True
    return False
