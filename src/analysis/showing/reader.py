"""The person who reads: language, currency, zone, and the words that the team uses for its own data."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib.resources import files

from babel import Locale, dates, numbers
from babel.messages import pofile

from analysis.params.model import Campaign
from analysis.stats.comparison import ALPHA

UNITS = {("{n} day", "{n} days"): 86400, ("{n} hour", "{n} hours"): 3600, ("{n} minute", "{n} minutes"): 60,
         ("{n} second", "{n} seconds"): 1}  # one, several -> seconds
LOCALES = {"en": "en_US", "zh": "zh_Hans_CN"}
MISSING = "–"
JOINERS = "\u200c\u200d"   # which emoji and some scripts are written with
ANY_OF = re.compile(r"any (\d+) of (\d+)")   # a step of a funnel without an order


@cache
def catalogue(language: str) -> dict[str, str]:
    """English message -> the language's; empty for English itself."""
    if language == "en":
        return {}
    path = files("analysis.showing") / "locale" / language / "LC_MESSAGES" / "analysis.po"
    with path.open("rb") as file:
        return {entry.id: entry.string for entry in pofile.read_po(file) if entry.id and entry.string}


def visible(text: str) -> str:
    """Text of the data with a sign for each character that nobody sees, which could turn a sentence round."""
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in JOINERS else c
                   for c in text)


def steady(value: float) -> float:
    """Twelve significant digits: those behind differ from run to run where an engine sums in parallel, and a half would
    be rounded now up and now down."""
    return float(f"{value:.12g}")


@dataclass(frozen=True)
class Reader:
    """Formats for one reader. Every number and word of a report passes through here."""

    language: str = "en"
    currency: str = ""
    time_zone: str = "UTC"
    labels: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, campaign: Campaign, language: str | None = None) -> Reader:
        """The reader of a campaign's report, in its main language or another."""
        language = language or campaign.language
        labels = {name: campaign.text(text, language) for name, text in campaign.labels.items()}
        return cls(language, campaign.currency, campaign.time_zone, labels)

    @property
    def locale(self) -> Locale:
        return Locale.parse(LOCALES[self.language])

    def say(self, message: str, **values: object) -> str:
        """The sentence in the reader's language; `{name}` places are filled, never interpreted."""
        text = catalogue(self.language).get(message, message)
        return text.format(**values) if values else text

    def label(self, name: str) -> str:
        """The team's word for a metric, event, arm, segment or item; else its name with spaces."""
        if found := ANY_OF.fullmatch(name):
            return self.say("any {n} of {all}", n=found[1], all=found[2])
        return self.labels.get(name) or visible(name).replace("_", " ")

    def title(self, name: str) -> str:
        """A label at the head of a sentence."""
        label = self.label(name)
        return label[:1].upper() + label[1:]

    def count(self, n: float) -> str:
        return MISSING if math.isnan(n) else numbers.format_decimal(round(n), locale=self.locale)

    def number(self, value: float, digits: int | None = None) -> str:
        """Three significant digits below 100, two decimals at most, thousands grouped."""
        value = steady(value)
        if math.isnan(value):
            return MISSING
        if math.isinf(value):
            return "∞" if value > 0 else "−∞"
        if digits is None:
            size = abs(value)
            digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 or size == 0 else min(
                6, 2 - math.floor(math.log10(size)))
        if round(value, digits) == 0:
            value = 0.0  # never "-0"
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return numbers.format_decimal(value, format=pattern, locale=self.locale).replace("-", "−")

    def percent(self, share: float, digits: int = 1, signed: bool = False) -> str:
        share = steady(share)
        if math.isnan(share):
            return MISSING
        if math.isinf(share):
            return "∞" if share > 0 else "−∞"
        if round(share, digits + 2) == 0:
            share = 0.0
        text = numbers.format_percent(share, format="#,##0." + "0" * digits + "%", locale=self.locale)
        return ("+" if signed and share > 0 else "") + text.replace("-", "−")

    def signed(self, share: float) -> str:
        """A relative change."""
        return self.percent(share, signed=True)

    def money(self, amount: float, digits: int | None = None) -> str:
        """In the campaign's currency; cents below a thousand."""
        amount = steady(amount)
        if math.isnan(amount) or math.isinf(amount) or not self.currency:
            return self.number(amount, digits)
        if digits is None:
            digits = 2 if abs(amount) < 1000 else 0
        if round(amount, digits) == 0:
            amount = 0.0
        return numbers.format_currency(
            amount, self.currency, format="¤#,##0" + ("." + "0" * digits if digits else ""), locale=self.locale,
            currency_digits=False).replace("-", "−")

    def amount(self, value: float, unit: str) -> str:
        """A value in its unit: the currency, "share", "users" and so on; a bare number otherwise."""
        if unit == "share":
            return self.percent(value)
        return self.money(value) if unit and unit == self.currency else self.number(value)

    def total(self, value: float, unit: str) -> str:
        """A sum over users; things that are counted come whole."""
        value = steady(value)
        if unit and unit == self.currency:
            return self.money(value)
        return self.number(value, 0 if abs(value) >= 10 or value % 1 == 0 else None)

    def level(self, value: float, unit: str, measure: str) -> str:
        """The level of a goal: a total, or a value per user."""
        return self.total(value, unit) if measure == "total" else self.amount(value, unit)

    def difference(self, value: float, unit: str) -> str:
        """A difference of two amounts: shares in percentage points."""
        return self.points(value) if unit == "share" else self.amount(value, unit)

    def points(self, share: float) -> str:
        """A difference of two shares, in percentage points."""
        return MISSING if math.isnan(share) else self.say("{n} pp", n=self.number(share * 100, 2))

    def group(self, name: str) -> str:
        """An arm or group; the nameless one is everybody."""
        return self.label(name) if name else self.say("everybody")

    def pvalue(self, p: float) -> str:
        p = steady(p)
        if math.isnan(p):
            return MISSING
        return "< 1e-16" if p < 1e-16 else f"{p:.0e}" if p < 0.0001 else f"{p:.4f}" if p < 0.1 else f"{p:.2f}"

    def day(self, day: date | None) -> str:
        if day is None:
            return MISSING
        pattern = "y年M月d日" if self.language == "zh" else "d MMM y"
        return dates.format_date(day, format=pattern, locale=self.locale)

    def iso_day(self, text: str) -> str:
        return self.day(date.fromisoformat(text)) if text else MISSING

    def moment(self, at: datetime) -> str:
        """An instant in the campaign's zone, to the minute."""
        pattern = "y年M月d日 HH:mm" if self.language == "zh" else "d MMM y HH:mm"
        return dates.format_datetime(at, format=pattern, tzinfo=dates.get_timezone(self.time_zone), locale=self.locale)

    def duration(self, seconds: float) -> str:
        """The largest fitting unit, one decimal."""
        if math.isnan(seconds):
            return MISSING
        (one, several), size = next((unit for unit in UNITS.items() if abs(seconds) >= unit[1]), [*UNITS.items()][-1])
        n = self.number(seconds / size, 1 if size > 1 else 0).removesuffix(".0")
        return self.say(one if n == "1" else several, n=n)

    def interval(self, lower: str, upper: str) -> str:
        """Two formatted bounds as one interval."""
        return self.say("{lower} to {upper}", lower=lower, upper=upper)

    def changes(self, lower: float, upper: float) -> str:
        """An interval of relative changes."""
        return self.interval(self.signed(lower), self.signed(upper))

    def confidence(self, alpha: float) -> str:
        """The level of an interval, 1 - alpha; adjusted ones with a decimal."""
        return self.percent(1 - alpha, 0 if alpha == ALPHA else 1)

    def prose(self, sentences: Iterable[str]) -> str:
        """Sentences one after the other; Chinese has no blank between them."""
        return ("" if self.language == "zh" else " ").join(sentences)
