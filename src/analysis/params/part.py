"""A part of a campaign file: strict, frozen, and its mistakes said in the words of the one who wrote it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

MOST_SHOWN = 40   # words that there are; more would hide the message


def suggest(word: str, words: Iterable[str]) -> str:
    """` (did you mean 'x'?)` or the words there are."""
    known = sorted(str(w) for w in words)
    plain = {w.lower(): w for w in known}
    near = get_close_matches(str(word), known, 1) or get_close_matches(str(word).lower(), plain, 1)
    if near:
        meant = near[0] if near[0] in known else plain[near[0]]
        return f" (did you mean '{meant}'?{_look_alike(str(word), meant)})"
    return f"; there is {', '.join(known)}" if 0 < len(known) <= MOST_SHOWN else ""


def _look_alike(word: str, near: str) -> str:
    """A letter of another script that nobody sees, or one that takes no room, by its number and name."""
    if word.isascii() == near.isascii():
        return ""
    odd = next(letter for letter in word + near if not letter.isascii())
    return f" '{odd}' is U+{ord(odd):04X}, {unicodedata.name(odd, 'without a name').lower()}"


class Part(BaseModel):
    """A part of a campaign file: frozen, and a key it does not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="wrap")
    @classmethod
    def _name_the_key_that_was_meant(cls, value: Any, handler: Any) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            raise ValidationError.from_exception_data(cls.__name__, [
                InitErrorDetails(type=_better(cls, e), loc=e["loc"], input=e["input"])
                for e in error.errors()]) from None


def _better(part: type[BaseModel], error: Any) -> PydanticCustomError:
    key, kind = error["loc"][-1] if error["loc"] else "", error["type"]
    if kind == "extra_forbidden" and len(error["loc"]) == 1:
        message = f"unknown key{suggest(key, part.model_fields)}"
    elif kind == "literal_error":
        words = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        near = suggest(_same(error["input"], words), words).split("; there is")[0]
        message = f"{_shown(error['input'])} is not one of {', '.join(words)}{near}"
    elif kind == "string_pattern_mismatch":   # of a pattern that lists words
        words = error["ctx"]["pattern"].strip("^()$").replace(r"\d+", "1").split("|")
        message = f"{_shown(error['input'])} is not one of {', '.join(words)}"
    elif kind == "missing" and len(error["loc"]) == 1:
        message = f"missing: {(part.model_fields[key].description or 'it must be said').splitlines()[0]}"
    elif kind in EXPECTED:
        message = f"expected {EXPECTED[kind].format(**error.get('ctx', {}))}, found {_shown(error['input'])}"
        message += _as_list(error["input"]) if kind == "list_type" else ""
    else:
        message = error["msg"].removeprefix("Value error, ")
        if message.startswith(no_text := f"'{error['input']}' is not ") and not isinstance(error["input"], str):
            message = f"expected {message.removeprefix(no_text)}"
        if message.startswith("expected ") and "found" not in message:
            message += f", found {_shown(error['input'])}"
    return PydanticCustomError("params", "{message}", {"message": message})  # type: ignore[arg-type]


EXPECTED = {
    "string_type": "a text", "string_too_short": "a text", "bool_parsing": "true or false",
    "bool_type": "true or false", "dict_type": "keys and values", "model_type": "keys and values",
    "model_attributes_type": "keys and values", "list_type": "a list", "int_parsing": "a whole number",
    "int_parsing_size": "a whole number", "int_type": "a whole number", "int_from_float": "a whole number",
    "greater_than_equal": "{ge} or more", "less_than_equal": "{le} or less", "too_short": "{min_length} or more",
    "too_long": "{max_length} or fewer",
}
# names that other programs have for what a file calls by one of them
SAME = [{"holm", "bonferroni", "holm_bonferroni", "fwer"},
        {"benjamini_hochberg", "bh", "fdr", "fdr_bh", "false_discovery_rate"}]


def _same(word: Any, words: Iterable[str]) -> str:
    """The known word for the same thing, or the word as it is, in small letters."""
    plain = re.sub(r"[\s-]+", "_", str(word).strip().lower())
    names = next((names for names in SAME if plain in names), set())
    return next((known for known in words if known in names), plain)


def _as_list(value: Any) -> str:
    """How a text, or keys and values, would be written where a list is wanted."""
    if isinstance(value, dict) and value:
        return "; begin each part of the list with '- '"
    return f"; write [{value}]" if isinstance(value, str) and re.fullmatch(r"[\w.%+-][\w .,%+-]{0,78}", value) else ""


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return f"{len(value)} {'keys and values' if isinstance(value, dict) else 'in a list'}"
    written = " ".join(str(value).split())
    return "nothing" if value is None else f"'{written if len(written) <= 80 else written[:77] + '...'}'"
