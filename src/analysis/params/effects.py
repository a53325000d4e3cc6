"""How effects are told from chance: one default each, good for most campaigns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from analysis.params.part import Part
from analysis.params.values import parse_change

CHANGE_SCHEMA = {"type": ["string", "number"], "examples": ["2%", "-0.5%", "0.3"]}
Change = Annotated[float, BeforeValidator(parse_change), WithJsonSchema(CHANGE_SCHEMA)]


class Prior(Part):
    """What was believed of the primary metric's effect before the campaign: a normal distribution."""

    mean: Change = 0.0
    """the effect that was expected; 0 for none"""
    sd: Change
    """how far off that may well be: two thirds of such effects lie within it"""
    scale: Literal["relative", "absolute"] = "relative"
    """relative: a share of control, such as 5%; absolute: in the metric's unit"""

    @model_validator(mode="after")
    def _spread(self) -> Prior:
        if not self.sd > 0:
            raise ValueError(f"sd is {self.sd:g}; it must be above 0")
        return self


class Looks(Part):
    """The campaign was, or will be, looked at before its end: then a p of one look is not enough."""

    method: Literal["always_valid", "obrien_fleming", "pocock"] = "always_valid"
    """always_valid: at any time and as often as one likes; the others: at looks that were planned, and few"""
    planned: int = Field(default=0, ge=0, le=100)
    """obrien_fleming and pocock: number of looks, the one at the end included, evenly spread over the period"""
    tightest_at: int = Field(default=0, ge=0, le=10**12)
    """always_valid: number of users (of a metric with a window) or of user-days at which intervals are to be
    narrowest, said before the data are seen; all users to the end of the period when empty"""

    @model_validator(mode="after")
    def _what_each_needs(self) -> Looks:
        if (self.method == "always_valid") == bool(self.planned):
            raise ValueError("`planned:` (2 or more looks) goes with obrien_fleming and pocock, and both need it")
        if self.planned == 1:
            raise ValueError("planned is 1; a single look at the end needs no `looks:`")
        if self.tightest_at and self.method != "always_valid":
            raise ValueError("`tightest_at:` goes with always_valid")
        return self


class Effects(Part):
    """How effects are estimated and corrected."""

    adjust: Literal["before", "none"] = "before"
    """before: what users did in the baseline takes noise off means and ratios (CUPED), where there is a baseline"""
    correction: Literal["holm", "benjamini_hochberg"] = "holm"
    """of the secondary metrics of a family: holm (chance of one false claim) or benjamini_hochberg (share of them)"""
    segments: list[str] = []
    """columns of users: does the effect on the primary metric differ between their values?"""
    relabel: int | None = Field(default=None, ge=0, le=100_000)
    """times that the arms' labels are shuffled to see how often the methods cry wolf; 0 for never; 1,000 when empty,
    and none from a million users on"""
    prior: Prior | None = None
    """shows the chance that the campaign is better, given this belief"""
    looks: Looks | None = None
    """for a campaign that is looked at before its end"""
