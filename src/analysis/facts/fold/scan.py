"""One unit's rows against the steps in order: the latest start is always the best start (rules F2-F8).

Per step the scan keeps the latest entry from which the step was reached in time, and the rows of that attempt. A row
reaches a step when the step before was reached from an entry that is still in the window. An exclusion closes the steps
it follows at the end of its instant, so that one tied with a step does nothing.
"""

from __future__ import annotations

import numpy as np

from analysis.facts.fold.compiled import compiled
from analysis.facts.fold.rules import EXCLUSION_BIT, NEVER


@compiled
def workspace(n_steps):
    """Reused from unit to unit, by step: start, row of the last arrival, is-tainted; rows of the attempt."""
    return (np.empty(n_steps, np.int64), np.empty(n_steps, np.int64), np.empty(n_steps, np.bool_),
            np.empty((n_steps, n_steps), np.int64))


@compiled
def scan(at, mask, n, entry_from, entry_until, rules, work, best_rows):
    """(depth, bits of the steps reached, whether an exclusion removes the unit); the best attempt into the last.

    at, mask   of the unit's n rows in the order that counts
    """
    start, seen, tainted, rows = work
    start[:], seen[:], tainted[:] = NEVER, -1, False
    depth, reached, is_removed = 0, 0, False
    pending, now = 0, NEVER
    k, window, optional, may_reuse = rules.n_steps, rules.window, rules.optional, rules.may_reuse
    is_final = not (rules.removes or optional)    # once the last step is reached, nothing later changes the answer
    for i in range(n):
        t, bits = at[i], mask[i]
        if t != now:
            if pending:
                if rules.removes:
                    is_removed = taint(pending, now, depth, is_removed, rules, at, work, best_rows)
                else:
                    close(pending, now, rules, at, work)
                pending = 0
            if is_final and depth == k:
                break
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
                seen[s] = i
                continue
            if start[s] > origin and not tainted[s]:
                continue
            start[s], seen[s], tainted[s] = origin, i, False
            for b in range(s):
                rows[s, b] = rows[before, b] if b <= before else -1
            rows[s, s] = i
            reached |= 1 << s
            is_later_start = s + 1 == depth and (
                is_removed or (at[best_rows[s]] == t and origin > at[best_rows[0]]))
            if s + 1 > depth or is_later_start:
                depth, is_removed = s + 1, False
                remember(s, rows, best_rows)
    if pending and rules.removes:
        is_removed = taint(pending, now, depth, is_removed, rules, at, work, best_rows)
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
def close(pending, now, rules, at, work):
    """An exclusion of this instant ends attempts at the steps it follows, but for those that came there just now."""
    start, seen, _, rows = work
    for s in range(rules.n_steps):
        if start[s] != NEVER and follows(pending, s, rules.spans):
            if at[seen[s]] < now:
                start[s] = NEVER
            elif at[rows[s, s]] < now:
                rows[s, s] = seen[s]


@compiled
def taint(pending, now, depth, is_removed, rules, at, work, best_rows):
    """An exclusion of this instant marks attempts in their window; whether the best attempt is marked now."""
    start, _, tainted, rows = work
    for s in range(rules.n_steps):
        if follows(pending, s, rules.spans):
            if start[s] != NEVER and at[rows[s, s]] < now and now - start[s] <= rules.window:
                tainted[s] = True
            if depth == s + 1 and at[best_rows[s]] < now and now - at[best_rows[0]] <= rules.window:
                is_removed = True
    if is_removed and start[depth - 1] != NEVER and not tainted[depth - 1]:
        remember(depth - 1, rows, best_rows)       # one that came as far at this very instant
        is_removed = False
    return is_removed


@compiled
def remember(s, rows, best_rows):
    """The attempt that stands at step s is the best."""
    for b in range(len(best_rows)):
        best_rows[b] = rows[s, b] if b <= s else -1


@compiled
def follows(pending, s, spans):
    """Whether one of these exclusions works after step s."""
    for e in range(len(spans)):  # noqa: SIM110    any() would need a generator, which is not compiled
        if pending >> e & 1 and spans[e] >> s & 1:
            return True
    return False
