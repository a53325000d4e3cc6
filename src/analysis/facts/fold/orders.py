"""One unit's rows against the steps under the other orders: strict, unordered, nested, and ordered with a grace."""

from __future__ import annotations

import numpy as np

from analysis.facts.fold.compiled import compiled
from analysis.facts.fold.rules import ALWAYS, NEVER
from analysis.facts.fold.scan import remember


@compiled
def strict(at, mask, n, entry_from, entry_until, rules, work, best_rows):
    """(depth, bits reached): each step is the unit's next event; a repeat of the step it stands at is harmless."""
    start, _, _, rows = work
    start[:] = NEVER
    depth = 0
    for i in range(n):
        t, bits = at[i], mask[i]
        for s in range(rules.n_steps - 1, -1, -1):
            if not bits >> s & 1:
                start[s] = NEVER
                continue
            if s == 0:
                origin = t if entry_from <= t < entry_until else NEVER
            else:
                origin = start[s - 1] if start[s - 1] != NEVER and t - start[s - 1] <= rules.window else NEVER
            if origin <= start[s]:
                continue
            start[s] = origin
            for b in range(s):
                rows[s, b] = rows[s - 1, b]
            rows[s, s] = i
            if s + 1 > depth:
                depth = s + 1
                remember(s, rows, best_rows)
    return depth, (1 << depth) - 1


@compiled
def nested(at, mask, n, entry_from, entry_until, rules, best_rows):
    """(depth, bits reached): step k is reached when steps 1 to k have all happened since the range began."""
    k = rules.n_steps
    firsts, where = np.full(k, NEVER), np.full(k, -1)
    for i in range(n):
        for s in range(k):
            is_in = at[i] >= rules.entry_from if s else entry_from <= at[i] < entry_until
            if mask[i] >> s & 1 and is_in and firsts[s] == NEVER:
                firsts[s], where[s] = at[i], i
    depth = 0
    while depth < k and firsts[depth] != NEVER:
        best_rows[depth] = where[depth]
        depth += 1
    return depth, (1 << depth) - 1


@compiled
def graced(at, mask, n, entry_from, entry_until, rules, best_rows):
    """(depth, bits reached): in order, where a step may be earlier than the one before by the grace."""
    k = rules.n_steps
    start, back = np.full((k, n), NEVER), np.full((k, n), -1)
    depth = 0
    for s in range(k):
        latest, j, found = -1, 0, -1
        for i in range(n):
            t = at[i]
            while s > 0 and j < n and at[j] <= t + rules.grace:
                if start[s - 1, j] != NEVER and (latest < 0 or start[s - 1, j] > start[s - 1, latest]):
                    latest = j
                j += 1
            if not mask[i] >> s & 1:
                continue
            if s == 0:
                start[0, i] = t if entry_from <= t < entry_until else NEVER
            elif latest >= 0 and t - start[s - 1, latest] <= rules.window:
                start[s, i], back[s, i] = start[s - 1, latest], latest
            if found < 0 and start[s, i] != NEVER:
                found = i
        if found < 0:
            break
        depth = s + 1
        for b in range(s, -1, -1):
            best_rows[b] = found
            found = back[b, found]
    return depth, (1 << depth) - 1


@compiled
def unordered(at, mask, n, entry_from, entry_until, rules, best_rows):
    """(depth, bits reached): step k is reached with any k of the steps within a window that begins with one of them."""
    classes, counts = np.empty(n, np.int64), np.zeros(n, np.int64)     # kinds of rows in the window, by their bits
    n_classes = right = depth = first = 0
    for left in range(n):                                             # how many steps fit into any window
        while right < n and (rules.window == ALWAYS or at[right] - at[left] <= rules.window):
            n_classes = put(classes, counts, n_classes, mask[right], 1)
            right += 1
        if entry_from <= at[left] < entry_until:
            fit = fitting(classes, counts, n_classes, rules.n_steps)
            if fit > depth:
                depth, first = fit, left
            if depth == rules.n_steps:
                break
        put(classes, counts, n_classes, mask[left], -1)
    if depth:
        last = forward(at, mask, n, first, depth, rules.n_steps, classes, counts, best_rows)
        first = backward(at, mask, n, last, first, depth, rules.n_steps, entry_from, entry_until, classes, counts)
        forward(at, mask, n, first, depth, rules.n_steps, classes, counts, best_rows)
    return depth, (1 << depth) - 1


@compiled
def forward(at, mask, n, first, depth, n_steps, classes, counts, best_rows):
    """The row at which an attempt from `first` is as deep as `depth`; when it got to each step into the last two."""
    n_classes = reached = 0
    for i in range(first, n):
        n_classes = put(classes, counts, n_classes, mask[i], 1)
        fit = fitting(classes, counts, n_classes, n_steps)
        if fit > reached:
            reached = fit
            best_rows[fit - 1] = i
        if reached == depth:
            return i
    return n - 1


@compiled
def backward(at, mask, n, last, first, depth, n_steps, entry_from, entry_until, classes, counts):
    """The latest entry from which an attempt is as deep by the instant of the row `last`."""
    n_classes = 0
    while last + 1 < n and at[last + 1] == at[last]:
        last += 1
    for i in range(last, first, -1):
        n_classes = put(classes, counts, n_classes, mask[i], 1)
        if entry_from <= at[i] < entry_until and fitting(classes, counts, n_classes, n_steps) == depth:
            return i
    return first


@compiled
def put(classes, counts, n_classes, bits, change):
    """Count a row in or out; returns how many kinds of rows are known."""
    for c in range(n_classes):
        if classes[c] == bits:
            counts[c] += change
            return n_classes
    classes[n_classes], counts[n_classes] = bits, change
    return n_classes + 1


@compiled
def fitting(classes, counts, n_classes, n_steps):
    """Most steps that can each have a row of their own: a bipartite matching, by augmenting paths (Kuhn, 1955)."""
    owner, fit = np.full(n_steps, -1), 0            # step -> kind of row
    for s in range(n_steps):
        queue, came_from, head = np.full(n_steps, -1), np.full(n_steps, -1), 0
        queue[0], tail, seen, end = s, 1, 1 << s, -1
        while head < tail and end < 0:
            step = queue[head]
            head += 1
            for c in range(n_classes):
                if not (classes[c] >> step & 1 and counts[c] > 0):
                    continue
                if np.sum(owner == c) < counts[c]:
                    end = c
                    break
                for other in range(n_steps):
                    if owner[other] == c and not seen >> other & 1:
                        queue[tail], came_from[other] = other, step
                        seen |= 1 << other
                        tail += 1
        if end >= 0:
            fit += 1
            while step != -1:
                owner[step], end = end, owner[step]
                step = came_from[step]
    return fit
