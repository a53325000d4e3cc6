"""Tail probabilities and critical values. Always the survival function: 1 - cdf prints 0 below 1e-16."""

from __future__ import annotations

from scipy import special


def t_critical(alpha: float, df: float) -> float:
    """The t value whose two tails hold alpha."""
    return float(-special.stdtrit(df, _checked(alpha) / 2))


def t_upper(t: float, df: float) -> float:
    """P(T >= t); double it at |t| for a two-sided p."""
    return float(special.stdtr(df, -t))


def z_critical(alpha: float) -> float:
    """The normal value whose two tails hold alpha."""
    return float(-special.ndtri(_checked(alpha) / 2))


def z_upper(z: float) -> float:
    """P(Z >= z); double it at |z| for a two-sided p."""
    return float(special.ndtr(-z))


def _checked(alpha: float) -> float:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; it must lie between 0 and 1, for example 0.05")
    return alpha
