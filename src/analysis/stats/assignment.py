"""Who gets which arm: drawn from a hash, so that anybody with the salt can draw it again on any machine.

A user's draw is the first 8 bytes of SHA-256 of `salt:id` (UTF-8), a whole number below 2^64. Only whole numbers and
fractions are computed with, never floating point. Warehouses have the same hash: `sha256(concat(salt, ':', id))`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from hashlib import sha256
from itertools import accumulate, compress, pairwise
from numbers import Integral

import numpy as np

DRAWS = 2**64
CODEC = ("utf-8", "surrogatepass")  # half of a surrogate pair is a broken id, but one to be told from others
SHOWN = 3                           # examples that an error names


def assign(
    ids: Iterable[str | int], salt: str, shares: Mapping[str, float], strata: Iterable[str | int] | None = None,
    excluded: Iterable[str | int] = (),
) -> np.ndarray:
    """The name of each user's arm, in the order of `ids`; "" for those excluded.

    ids        texts or whole numbers, each once; 7 and "7" are the same user
    salt       text that belongs to this one draw; another salt draws independently
    shares     arm -> planned weight, of any total, as in `split_test`; an arm of weight 0 gets nobody
    strata     of each user a stratum; within each the arms' numbers match the shares to within one user
    excluded   ids that get no arm, whether or not they are among `ids`

    Without strata a user's arm depends on the salt, the id and the shares alone: neither the order of the list nor
    who else is in it matters. With strata it depends on who else is in the stratum and is not excluded, so draw once
    and keep the result. Arms are cut from the draws in the order of `shares`: renaming an arm moves nobody, while
    reordering arms moves users, and changed weights move those between the old cuts and the new.

    ValueError that names all problems: repeated or missing ids, an empty salt, weights or strata that cannot be.
    """
    ids, excluded = _listed(ids), _listed(excluded)
    strata = None if strata is None else _listed(strata)
    _check(ids, salt, shares, strata, excluded)
    arms = [arm for arm, share in shares.items() if share > 0]
    cuts = _cumulated([shares[arm] for arm in arms])
    names, out = list(map(str, ids)), set(map(str, excluded))
    is_in = np.array([name not in out for name in names], dtype=bool)
    drawn = draws(names, salt)[is_in]
    place = np.full(len(names), len(arms))
    if strata is None:
        place[is_in] = _by_draw(drawn[:, 0], cuts)
    else:
        place[is_in] = _by_stratum(drawn, list(compress(map(str, strata), is_in)), salt, cuts)
    return np.array([*arms, ""])[place]


def draws(names: Sequence[str], salt: str) -> np.ndarray:
    """Two whole numbers per user, uniform below 2^64 (uint64): the draw, and one that breaks ties."""
    prefix = f"{salt}:".encode(*CODEC)
    found = b"".join([sha256(prefix + name.encode(*CODEC)).digest()[:16] for name in names])
    return np.frombuffer(found, dtype=">u8").astype(np.uint64).reshape(-1, 2)


def _cumulated(weights: list[float]) -> list[Fraction]:
    """Shares up to and with each arm; a weight counts as it is written, 0.1 as one tenth. The last is 1."""
    exact = [Fraction(str(weight)) for weight in weights]
    return [part / sum(exact) for part in accumulate(exact)]


def _by_draw(drawn: np.ndarray, cuts: list[Fraction]) -> np.ndarray:
    """Place of the arm of each user: how many cuts lie at or below the draw."""
    inner = np.array([math.floor(cut * DRAWS) for cut in cuts[:-1]], dtype=np.uint64)
    return np.searchsorted(inner, drawn, side="right")


def _by_stratum(drawn: np.ndarray, strata: list[str], salt: str, cuts: list[Fraction]) -> np.ndarray:
    """Users of a stratum, in the order of their draws, are dealt to the arms one block after another.

    The blocks end at floor(n cut + u), with u in [0, 1) drawn for the stratum: each holds its share of the n users
    rounded up or down, and exactly its share on average over u.
    """
    seen: dict[str, int] = {}
    codes = np.array([seen.setdefault(stratum, len(seen)) for stratum in strata], dtype=np.intp)
    order = np.lexsort((drawn[:, 1], drawn[:, 0], codes))
    sizes = np.bincount(codes, minlength=len(seen)).tolist()
    blocks = [_blocks(n, stratum, salt, cuts) for n, stratum in zip(sizes, seen, strict=True)]
    place = np.empty(len(strata), dtype=np.intp)
    place[order] = np.repeat(np.tile(np.arange(len(cuts)), len(seen)), np.array(blocks, dtype=np.intp).ravel())
    return place


def _blocks(n: int, stratum: str, salt: str, cuts: list[Fraction]) -> list[int]:
    """Users of each arm in a stratum of n."""
    u = int.from_bytes(sha256(f"{salt}/{stratum}".encode(*CODEC)).digest()[:8], "big")
    ends = [(n * cut.numerator * DRAWS + u * cut.denominator) // (cut.denominator * DRAWS) for cut in cuts]
    return [end - start for start, end in pairwise([0, *ends])]


def _listed(values: Iterable) -> list:
    """Python's own texts and numbers; a single text is one user, not its letters."""
    if isinstance(values, str):
        return [values]
    return values.tolist() if hasattr(values, "tolist") else list(values)


def _check(ids: list, salt: str, shares: Mapping[str, float], strata: list | None, excluded: list) -> None:
    problems = [*_of_names("ids", ids), *_of_names("excluded ids", excluded), *_of_shares(shares)]
    if len(set(map(str, ids))) < len(ids):
        repeated = [name for name, n in Counter(map(str, ids)).items() if n > 1]
        problems.append(f"ids that come more than once: {_some(repeated)}; each user must come once")
    if not isinstance(salt, str) or not salt.strip():
        problems.append(f"the salt is {salt!r}; it must be a text of this draw's own, such as the campaign's name")
    if strata is not None:
        problems += _of_names("strata", strata)
        if len(strata) != len(ids):
            problems.append(f"there are {len(strata)} strata for {len(ids)} ids; each user needs one")
    if problems:
        raise ValueError("; ".join(problems))


def _of_names(what: str, values: list) -> list[str]:
    wrong = {kind for kind in set(map(type, values)) if kind is bool or not issubclass(kind, (str, Integral))}
    bad = [value for value in values if type(value) in wrong or value == ""]
    return [f"{what} that are empty, or neither text nor whole number: {_some(bad)}"] if bad else []


def _of_shares(shares: Mapping[str, float]) -> list[str]:
    problems = [f"the share of arm {arm!r} is {share}; it must be 0 or more"
                for arm, share in shares.items() if not 0 <= share < math.inf]
    problems += [f"an arm is called {arm!r}; it needs a name" for arm in shares if not isinstance(arm, str) or not arm]
    if not problems and not any(shares.values()):
        problems.append("no arm has a share above 0")
    return problems


def _some(values: list) -> str:
    rest = len(values) - SHOWN
    return ", ".join(map(repr, values[:SHOWN])) + (f" and {rest} more" if rest > 0 else "")
