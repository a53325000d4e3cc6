"""What people get wrong in a params file, and what must be said of it."""

from __future__ import annotations

from random import Random

from tests.bad_inputs import FILE, Inputs, Kind, Taken, Told, Where, dotted, spans

KINDS: dict[str, Kind] = {}
NAMES = {("metrics",), ("funnels",), ("arms", "shares"), ("labels",), ("costs",), ("quantiles",),
         ("population", "where"), ("metrics", "refunds", "where"), ("title",), ("labels", "amount"),
         ("plan", "effect")}   # of people
MUST = 3     # lines that may follow where a part that must be there is misspelt: what leans on it is missed too


def kind(make: Kind) -> Kind:
    KINDS[make.__name__.replace("_", " ")] = make
    return make


def _keys(inputs: Inputs) -> list[Where]:
    """Keys that are words of the program, in parts that are not spoilt yet."""
    return [where for where in spans(inputs.text)[0] if where[:-1] not in NAMES and where[0] not in inputs.taken]


def _slip(draw: Random, word: str) -> str:
    i = draw.randrange(1, len(word))
    return draw.choice([
        word[:i] + word[i + 1:], word[:i] + word[i] + word[i:], word + "s", word.upper(), word.replace("_", "-"),
        word[:i - 1] + word[i] + word[i - 1] + word[i + 1:], word.capitalize(), f'" {word}"'])


@kind
def misspelt_key(draw: Random, inputs: Inputs) -> list[Told]:
    where = draw.choice([key for key in _keys(inputs) if len(key[-1]) > 3])
    known = {key[-1] for key in spans(inputs.text)[0]}
    wrong = next(word for word in iter(lambda: _slip(draw, where[-1]), "") if word not in known | {"end", "ends"})
    inputs.take(*_leaning(where))
    inputs.rename(where, wrong)
    return [Told(dotted((*where[:-1], wrong.strip('"'))), ("unknown key", f"did you mean '{where[-1]}'?"), n_more=MUST)]


def _leaning(where: Where) -> list[str]:
    """Top-level keys of which nothing can be told when this one is spoilt."""
    leans = {"period": ["baseline", "after", "goals"], "baseline": ["goals"], "sources": ["metrics", "arms", "funnels"],
             "metrics": ["goals", "costs", "quantiles", "series"], "arms": ["effects", "quantiles", "population"]}
    return [str(where[0]), *leans.get(str(where[0]), [])]


@kind
def look_alike_letter(draw: Random, inputs: Inputs) -> list[Told]:
    """A letter of another script: nobody sees the difference."""
    alike = {"a": "а", "e": "е", "o": "о", "c": "с", "p": "р", "i": "і", "s": "ѕ", "x": "х", "t": "ｔ"}
    where = draw.choice([key for key in _keys(inputs) if len(key[-1]) > 3 and set(alike) & set(key[-1])])
    letter = draw.choice(sorted(set(alike) & set(where[-1])))
    wrong = where[-1].replace(letter, alike[letter], 1)
    inputs.take(*_leaning(where))
    inputs.rename(where, wrong)
    code = f"U+{ord(alike[letter]):04X}"
    return [Told(dotted((*where[:-1], wrong)), ("unknown key", f"did you mean '{where[-1]}'?", code), n_more=MUST)]


@kind
def unknown_key(draw: Random, inputs: Inputs) -> list[Told]:
    """No slip: a key of another program."""
    where = draw.choice([(), ("period",), ("arms",), ("effects",), ("retention",), ("metrics", "buyers"), ("series",)])
    key = draw.choice(["budget", "alpha", "channelz", "方法", "x", "<<", "foo.bar", "-"])
    inputs.take(*(_leaning(where) if where else [key]))
    inputs.put((*where, key), "7")
    return [Told(dotted((*where, key)), ("unknown key", "there is "), n_more=1)]


WRONG_TYPES = {   # place -> what is written there, what is said of it
    ("owner",): ("[growth]", "expected a text, found 1 in a list"),
    ("title",): ("[a, b]", "expected a text, or one per language"),
    ("question",): ("", "expected a text, or one per language"),
    ("languages",): ("en", "expected a list, found 'en'; write [en]"),
    ("currency",): ("{code: CNY}", "expected a text, found 1 keys and values"),
    ("period",): ("2025-11-11", "expected keys and values, found '2025-11-11'"),
    ("sources", "orders"): ("../data/orders.csv", "expected keys and values, found '../data/orders.csv'"),
    ("sources", "events"): ("[]", "expected 1 or more, found 0 in a list"),
    ("sources",): ("[a]", "expected keys and values, found 1 in a list"),
    ("arms",): ("holdout", "expected keys and values, found 'holdout'"),
    ("arms", "shares"): ("[50%, 50%]", "expected keys and values, found 2 in a list"),
    ("metrics",): ("[amount]", "expected keys and values, found 1 in a list"),
    ("metrics", "average", "ratio"): ("amount / buyers", "expected a list, found 'amount / buyers'"),
    ("metrics", "buyers"): ("orders", "expected keys and values, found 'orders'"),
    ("goals",): ("{metric: amount, target: +10%}", "expected a list, found 2 keys and values; begin each part"),
    ("funnels", "purchase", "steps"): ("visit, pay", "expected a list"),
    ("funnels", "purchase", "by"): ("channel", "expected a list, found 'channel'; write [channel]"),
    ("funnels", "purchase"): ("[visit, pay]", "expected keys and values, found 2 in a list"),
    ("funnels", "purchase", "reuse"): ("maybe", "expected true or false, found 'maybe'"),
    ("retention",): ("day", "expected keys and values, found 'day'"),
    ("retention", "n_periods"): ("many", "expected a whole number, found 'many'"),
    ("activity", "recency"): ("7", "expected a list, found '7'; write [7]"),
    ("effects", "relabel"): ("none", "expected a whole number, found 'none'"),
    ("effects", "segments"): ("city", "expected a list, found 'city'; write [city]"),
    ("closed",): ("2025-11-13", "expected a list, found '2025-11-13'; write [2025-11-13]"),
    ("series",): ("[spring, 2025]", "expected keys and values, found 2 in a list"),
    ("series", "name"): ("", "expected a text, found nothing"),
    ("series", "edition"): ("[2025]", "expected a text, found 1 in a list"),
    ("population",): ("agreed", "expected keys and values, found 'agreed'"),
    ("costs",): ("[100]", "expected keys and values, found 1 in a list"),
    ("costs", "media"): ("[100]", "expected a text, found 1 in a list"),
    ("labels",): ("amount", "expected keys and values, found 'amount'"),
    ("quantiles",): ("[90%]", "expected keys and values, found 1 in a list"),
    ("extends",): ("[a.yml]", "expected a text, found 1 in a list"),
    ("min_cell_size",): ("few", "expected a whole number, found 'few'"),
}


def _wrong(draw: Random, inputs: Inputs, table: dict[Where, tuple[str, str]], n_more: int = 0) -> list[Told]:
    free = [where for where in table if not inputs.taken & {*_leaning(where)}]
    if not free:
        raise Taken
    where = draw.choice(free)
    value, said = table[where]
    inputs.take(*_leaning(where))
    inputs.put(where, value)
    return [Told(dotted(where), (said,), n_more=n_more)]


@kind
def wrong_type(draw: Random, inputs: Inputs) -> list[Told]:
    return _wrong(draw, inputs, WRONG_TYPES, n_more=1)


DATES = [("period", "start"), ("period", "end"), ("baseline", "start"), ("baseline", "end"), ("after", "start"),
         ("after", "end"), ("data_until",), ("closed", 0), ("goals", 0, "deadline"), ("retention", "cohorts")]


@kind
def wrong_date(draw: Random, inputs: Inputs) -> list[Told]:
    written, said = draw.choice([
        ("2025-11-31", "is not on the calendar"), ("2025-13-01", "is not on the calendar"),
        ("2025-02-29", "is not on the calendar"), ("2025-11-11 24:30", "is not on the calendar"),
        ("11/11/2025", "is not a day like 2025-11-11"), ("20251111", "is not a day like 2025-11-11"),
        ("2025-11-1l", "is not a day like 2025-11-11"), ("2025年11月11日", "is not a day like 2025-11-11"),
        ("soon", "is not a day like 2025-11-11"), ("2025-11-11T10:00:00Z", "is not a day like 2025-11-11"),
        ("1762819200", "is not a day like 2025-11-11"), ("1025-11-11", "is not between the years 1970 and 2100"),
        ("9999-12-31", "is not between the years 1970 and 2100"), ("-2025-11-11", "is not a day like 2025-11-11")])
    where = draw.choice(DATES)
    inputs.take(*_leaning(where))
    value = f'"{written}"'
    if where[-1] == "cohorts":
        where, value = (*where, "start"), f'{{start: {value}, end: 2025-11-17}}'
        inputs.put(where[:-1], value)
    else:
        inputs.put(where, value)
    return [Told(dotted(where), (f"'{written}'", said))]


@kind
def nothing_written(draw: Random, inputs: Inputs) -> list[Told]:
    """The key is there, its value was forgotten, or is YAML's word for nothing."""
    where = draw.choice([
        ("owner",), ("title",), ("currency",), ("time_zone",), ("period",), ("period", "start"), ("baseline", "end"),
        ("sources", "orders", "path"), ("arms", "control"), ("arms", "shares", "holdout"), ("metrics", "amount", "sum"),
        ("metrics", "refunds", "margin"), ("metrics", "buyers"), ("goals", 0, "target"), ("goals", 0, "metric"),
        ("funnels", "purchase", "window"), ("retention", "n_periods"), ("retention", "every"), ("series", "edition"),
        ("effects", "correction"), ("quantiles", "basket", "at"), ("min_cell_size",)])
    inputs.take(*_leaning(where))
    inputs.put(where, draw.choice(["", "~", "null"]))
    at = dotted(where[:2] if where == ("metrics", "refunds", "margin") else where)
    return [Told(at, ("margin" if "margin" in where else "nothing",), n_more=1)]


@kind
def guessed_by_yaml(draw: Random, inputs: Inputs) -> list[Told]:
    """What YAML 1.1 takes for something else stays the text that was written, and is refused as such."""
    return _wrong(draw, inputs, {
        ("languages", 0): ("NO", "'NO' is not one of en, zh"),
        ("arms", "control"): ("NO", "'NO' is not among the shares"),
        ("retention", "n_periods"): ("1e1", "expected a whole number, found '1e1'"),
        ("min_cell_size",): ("0x1F", "expected a whole number, found '0x1F'"),
        ("currency",): ("ON", "'ON' is not an ISO code"),
        ("funnels", "purchase", "window"): ("12:30:00", "'12:30:00' is not a duration like"),
        ("goals", 0, "target"): ("yes", "'yes' is not a change like +30%"),
        ("costs", "media"): (".inf", "'.inf' is neither an amount nor a metric"),
        ("quantiles", "basket", "at"): (".nan", "'.nan' is not a share like 10%"),
        ("effects", "correction"): ("off", "'off' is not one of holm, benjamini_hochberg"),
        ("retention", "every"): ("true", "'true' is not one of day, week, month"),
        ("time_zone",): ("08:00", "'08:00' is not a time zone"),
    })


@kind
def wrong_unit(draw: Random, inputs: Inputs) -> list[Told]:
    written = draw.choice(["1 fortnight", "7", "7 dys", "24", "1 month", "1 day 2 hours", "day", "1,5 days", "1d",
                           "P7D", "-7 days", "0 days", "-1 hour", "9999999 weeks", "99999999999999999999 days",
                           "1e3 days", "½ day", "七天"])
    where = draw.choice([("funnels", "purchase", "window"), ("metrics", "buyers", "window"),
                         ("funnels", "purchase", "grace")])
    inputs.take(*_leaning(where))
    inputs.put(where, f'"{written}"')
    return [Told(dotted(where), (f"'{written}' is not a duration like 7 days",))]


@kind
def out_of_range(draw: Random, inputs: Inputs) -> list[Told]:
    return _wrong(draw, inputs, {
        ("min_cell_size",): ("0", "expected 1 or more, found '0'"),
        ("retention", "n_periods"): ("-3", "expected 1 or more, found '-3'"),
        ("effects", "relabel"): ("-1", "expected 0 or more, found '-1'"),
        ("goals", 0, "priority"): ("0", "expected 1 or more, found '0'"),
        ("metrics", "refunds", "margin"): ("2", "'2' is not between 0% and 100%; write 2%"),
        ("arms", "shares", "campaign"): ("-50%", "'-50%' is not between 0% and 100%"),
        ("quantiles", "basket"): ("{of: orders.amount, at: 100%}", "at is 100%"),
        ("activity",): ("{recency: [7, 1]}", "each more than the one before"),
        ("retention",): ("{brackets: [3, -1]}", "brackets are lengths in periods, 1 to 366"),
        ("plan", "power"): ("101%", "'101%' is not between 0% and 100%"),
        ("plan", "days"): ("-7", "expected 1 or more, found '-7'"),
        ("plan", "holdout"): ("150%", "'150%' is not between 0% and 100%"),
        ("funnels", "purchase", "steps"): ("[" + "visit, " * 17 + "pay]", "expected 16 or fewer"),
        ("funnels", "purchase", "optional"): ("[9]", "names step 9; steps 2 to 2 can be optional"),
    }, n_more=1)


@kind
def huge_number(draw: Random, inputs: Inputs) -> list[Told]:
    digits = "9" * draw.choice([25, 400, 5000])
    return _wrong(draw, inputs, {
        ("min_cell_size",): (digits, "found '999"), ("retention", "n_periods"): (digits, "found '999"),
        ("effects", "relabel"): (digits, "found '999"), ("costs", "media"): ("1e999", "'1e999' is neither an amount"),
        ("goals", 0, "target"): ("+1e999%", "'+1e999%' is not a change like"),
        ("plan", "days"): (digits, "found '999"),
        ("activity",): (f"{{recency: [1, {digits[:25]}]}}", "days, from 0 to 36525"),
        ("funnels", "purchase", "attribution"): (f"step {digits}", "not one of steps 1 to 2"),
        ("retention", "min_occurrences"): (digits, "found '999"),
        ("retention",): (f"{{brackets: [{digits[:25]}]}}", "brackets are lengths in periods, 1 to 366"),
        ("funnels", "purchase", "window"): (f"{digits} days", "is not a duration like"),
        ("period", "end"): (digits, "is not a day like"),
        ("metrics", "refunds", "margin"): (f"{digits}%", "is not "),
    }, n_more=1)


@kind
def unknown_word(draw: Random, inputs: Inputs) -> list[Told]:
    return _wrong(draw, inputs, {
        ("languages", 1): ("fr", "'fr' is not one of en, zh"),
        ("time_zone",): ("Asia/Beijing", "'Asia/Beijing' is not a time zone"),
        ("currency",): ("￥", "is not an ISO code of three capitals, like CNY"),
        ("metrics", "refunds", "role"): ("gardrail", "'gardrail' is not one of primary"),
        ("metrics", "refunds", "better"): ("less", "'less' is not one of higher, lower"),
        ("metrics", "buyers"): ("{any: ordrs}", "'ordrs' is not a table (did you mean 'orders'?)"),
        ("retention", "every"): ("year", "'year' is not one of day, week, month"),
        ("retention", "who"): ("everyone", "'everyone' is not one of first_time"),
        ("funnels", "purchase", "order"): ("sorted", "'sorted' is not one of ordered"),
        ("funnels", "purchase", "attribution"): ("last", "'last' is not one of entry, first_touch"),
        ("effects", "correction"): ("bonferonni", "'bonferonni' is not one of holm"),
        ("goals", 0, "baseline"): ("last year", "'last year' is not before, control or a number"),
        ("sources", "orders", "time_zone"): ("Beijing", "'Beijing' is not a time zone"),
        ("title",): ("{en: Spring, fr: Printemps}", "'fr' is not a language of reports"),
    }, n_more=1)


@kind
def unknown_metric(draw: Random, inputs: Inputs) -> list[Told]:
    return _wrong(draw, inputs, {
        ("goals", 0, "metric"): ("amuont", "'amuont' is not a metric of this file (did you mean 'amount'?)"),
        ("metrics", "average", "ratio"): ("[amount, orders]", "'orders' is not a metric of this file"),
        ("costs", "media"): ("amout", "neither an amount nor a metric of this file (did you mean 'amount'?)"),
        ("plan", "effect", "revenue"): ("5%", "'revenue' is not a metric of this file; there is amount"),
    })


@kind
def unknown_arm(draw: Random, inputs: Inputs) -> list[Told]:
    return _wrong(draw, inputs, {
        ("arms", "control"): ("holdouts", "'holdouts' is not among the shares (did you mean 'holdout'?)")})


@kind
def wrong_shares(draw: Random, inputs: Inputs) -> list[Told]:
    shares, words = draw.choice([
        ("{campaign: 60%, holdout: 50%}", "add up to 1.1, not to 1 (100%)"),
        ("{campaign: 50%, holdout: 5%}", "add up to 0.55, not to 1 (100%)"),
        ("{holdout: 100%}", "expected 2 or more, found 1 keys and values")])
    inputs.take(*_leaning(("arms",)))
    inputs.put(("arms", "shares"), shares)
    return [Told("arms.shares", (words,))]


@kind
def contradictory_periods(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take(*_leaning(("period",)))
    part, start, end, words = draw.choice([
        ("period", "2025-11-17", "2025-11-11", "the end 2025-11-11 is not after the start 2025-11-17"),
        ("period", "2025-11-11 20:00", "2025-11-11 20:00", "is not after the start"),
        ("baseline", "2025-11-05", "2025-11-11", "ends after the period begins; it is the time before"),
        ("baseline", "2025-11-01", "2025-11-10", "lasts 10 days, which is not a whole number of times the period's 7"),
        ("after", "2025-11-17", "2025-11-23", "begins before the period ends"),
        ("after", "2025-11-18", "2025-11-20", "lasts 3 days, which is not a whole number"),
        ("after", "2025-11-24", "2025-11-18", "is not after the start")])
    inputs.put((part,), f"{{start: {start}, end: {end}}}")
    return [Told(part, (words,))]


@kind
def missing_part(draw: Random, inputs: Inputs) -> list[Told]:
    where = draw.choice([("title",), ("question",), ("owner",), ("period",), ("sources",), ("metrics",), ("arms",)])
    inputs.take(*_leaning(where))
    text = inputs.text
    start, (_, end) = spans(text)[0][where][0], spans(text)[1][where]
    inputs.text = text[:start] + text[end:].lstrip("\n")
    return [Told(dotted(where), ("missing: ",), n_more=MUST)]


@kind
def contradictory_options(draw: Random, inputs: Inputs) -> list[Told]:
    where, value, at, words = draw.choice([
        (("metrics", "buyers"), "{any: orders, count: orders}", "metrics.buyers", "exactly one of count, sum, any"),
        (("metrics", "buyers", "role"), "primary", "metrics", "exactly one metric is primary; found amount, buyers"),
        (("metrics", "amount", "role"), "secondary", "metrics", "exactly one metric is primary; found none"),
        (("metrics", "buyers", "margin"), "2%", "metrics.buyers", "only a guardrail has one"),
        (("metrics", "average", "ratio"), "[amount, amount]", "metrics.average.ratio", "divides 'amount' by itself"),
        (("no_control_group",), "too late", "no_control_group", "stands beside `arms:`"),
        (("funnels", "purchase", "excluded"), "remove_user", "funnels.purchase.excluded", "there are none"),
        (("effects", "looks"), "{method: pocock}", "effects.looks", "`planned:` (2 or more looks) goes with"),
        (("effects", "segments"), "[city, city]", "effects.segments", "names 'city' twice"),
        (("goals", 0, "deadline"), "2025-11-12", "goals.1.deadline", "is before the period ends"),
        (("sources", "orders", "table"), "orders", "sources.orders",
         "'../data/orders.csv' is a file of one table; leave `table:` out")])
    inputs.take(*_leaning(where), *_leaning(("goals",)))
    inputs.put(where, value)
    return [Told(at, (words,))]


@kind
def key_said_twice(draw: Random, inputs: Inputs) -> list[Told]:
    where = draw.choice([key for key in _keys(inputs) if len(key) > 1 or key[0] in ("owner", "currency", "costs")])
    text, values = inputs.text, spans(inputs.text)[1]
    inputs.take(*_leaning(where))
    value = text[slice(*values[where])]
    if len(where) == 1:
        inputs.text = f"{text}{where[0]}: {value}\n"
    elif text[values[where[:-1]][0]] == "{":
        start = values[where[:-1]][0] + 1
        inputs.text = f"{text[:start]}{where[-1]}: {value}, {text[start:]}"
    else:
        raise Taken
    return [Told(dotted(where), ("said twice",))]


@kind
def tab(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("*")
    lines = inputs.text.split("\n")
    i = draw.choice([i for i, line in enumerate(lines) if line.startswith("  ")])
    lines[i] = "\t" + lines[i].lstrip()
    inputs.text = "\n".join(lines)
    return [Told("", ("not YAML", "indent with spaces, a tab is none"))]


@kind
def no_yaml(draw: Random, inputs: Inputs) -> list[Told]:
    old, new, words = draw.choice([
        ("languages: [en, zh]", "languages: [en, zh", "not YAML"), ("question: Did", "question: 'Did", "not YAML"),
        ("owner: growth", "owner： growth", "full-width '：' where ': ' is meant"),
        ("costs: {media: 100}", "costs: {media: 20,000}", "a number ends at its comma"),
        ("owner: growth", "owner: a: b", "not YAML"), ("owner: growth", "owner: *growth", "undefined alias"),
        ("owner: growth", "owner: @growth", "not YAML"), ("owner: growth", "owner: %growth", "not YAML"),
        ("owner: growth", "owner: growth\n---\ntitle: x", "another document"),
        ("owner: growth", "? [owner]\n: growth", "a key is one word"),
        ("owner: growth", "   owner: growth", "not YAML"),
        ("owner: growth", 'owner: "\\ud83d"', "that is no character"), ("owner: growth", "owner growth", "not YAML"),
        ("edition: \"2025\"", "edition: ${series.name}", "put ${...} into quotes"),
        ("owner: growth", "owner: !!python/object:os.system x", "a tag (such as !include) does nothing here"),
        ("owner: growth", "owner: !include owner.yml", "a tag (such as !include) does nothing here")])
    inputs.take("*")
    assert inputs.text.count(old) == 1, old
    inputs.text = inputs.text.replace(old, new)
    return [Told("", (words,))]


@kind
def alias_bomb(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("*")
    bomb, words = draw.choice([
        ("labels: &a {b: *a}\n", "not a campaign file"),
        ("labels: &a [*a]\n", "not a campaign file"),
        ("b0: &b0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"b{i}: &b{i} [{', '.join([f'*b{i - 1}'] * 10)}]\n" for i in range(1, 12)), "entries: not a campaign file"),
        ("b0: &b0 {k: x, l: x}\n" + "".join(
            f"b{i}: &b{i} {{k: *b{i - 1}, l: *b{i - 1}}}\n" for i in range(1, 40)), "entries: not a campaign file")])
    inputs.text = bomb + inputs.text.replace("labels:", "lables:")
    return [Told("", (words,))]


@kind
def deep_nesting(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("*")
    depth = draw.choice([400, 3000, 60_000])
    opened, closed = draw.choice([("[", "]"), ("{a: ", "}"), ("- ", "")])
    depth = min(depth, 190_000 // len(opened + closed))
    deep = opened * depth + "x" + closed * depth
    inputs.text = f"{inputs.text}deep:\n {deep}\n"
    return [Told("", ("blocks in blocks without end: not a campaign file",))]


@kind
def not_utf_8(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("*")
    inputs.files[FILE] = draw.choice([
        inputs.text.encode("gbk"), inputs.text.encode("utf-16"), inputs.text.encode("big5", "replace"),
        inputs.text.replace("growth", "marché").encode("latin-1", "replace"),
        inputs.text.encode().replace("售".encode()[:1], b"\xff", 1) + b"\xff"])
    return [Told("", ("is not UTF-8; save the file as UTF-8",))]


@kind
def no_text(draw: Random, inputs: Inputs) -> list[Told]:
    """Empty, comments only, a list, one word, bytes of another program, far too long."""
    inputs.take("*")
    inputs.files[FILE], words = draw.choice([
        (b"", "expected keys and values"), (b"# to do\n", "expected keys and values"), (b"\n\n\n", "expected keys"),
        (b"- title: a\n", "expected keys and values"), (b"to do", "expected keys and values"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is not UTF-8"), (b"PK\x03\x04\x14\0\x06\0", "is not allowed"),
        (b"\x1f\x8b\x08\0\xc3\xff", "is not"), (draw.randbytes(3000), "is not"), (b"\0" * 100, "is not allowed"),
        (b"title: " + b"x" * 300_000, "larger than 200,000 bytes")])
    return [Told("", (words,))]


@kind
def control_character(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("*")
    letter = draw.choice(["\0", "\x07", "\x1b", "\x7f", "\ufffe"])
    at = draw.randrange(len(inputs.text))
    inputs.text = inputs.text[:at] + letter + inputs.text[at:]
    return [Told("", ("not YAML", f"{ord(letter):#x} is not allowed"))]


@kind
def unseen_character(draw: Random, inputs: Inputs) -> list[Told]:
    """It takes no room, or turns what follows around; typed, or as an escape."""
    inputs.take("*")
    letter, code = draw.choice([("\u200b", "U+200B"), ("\u202e", "U+202E"), ("\u00ad", "U+00AD"), ('"\\0"', "U+0000"),
                                ('"\\e[31m"', "U+001B")])
    inputs.text = inputs.text.replace("owner: growth", f"owner: {letter}" if letter[0] == '"' else f"own{letter}er: x")
    return [Told("", ("an invisible character", code))]


@kind
def wrong_extends(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("*")
    name, more, told = draw.choice([
        ("shared/bse.yml", {"params/shared/base.yml": b"owner: x\n"},
         Told("extends", ("no file 'shared/bse.yml'", "did you mean 'shared/base.yml'?"))),
        ("nowhere.yml", {}, Told("extends", ("no file 'nowhere.yml'",))),
        ("spring.yml", {}, Told("extends", ("leads in a circle: spring.yml extends spring.yml",))),
        ("a.yml", {"params/a.yml": b"extends: b.yml\n", "params/b.yml": b"extends: ./spring.yml\n"},
         Told("extends", ("leads in a circle",), "params/b.yml")),
        ("../data", {}, Told("extends", ("no file '../data'",))),
        ("a.yml", {"params/a.yml": b"curency: CNY\n"}, Told("curency", ("did you mean 'currency'?",), "params/a.yml")),
        ("a.yml", {"params/a.yml": b"title: [\n"}, Told("", ("not YAML",), "params/a.yml")),
        ("a.yml", {"params/a.yml": b""}, Told("", ("expected keys and values",), "params/a.yml")),
        ("e" * 300 + ".yml", {}, Told("extends", ("no file",)))])
    inputs.put(("extends",), name)
    inputs.files |= more
    return [told]


@kind
def nothing_to_drop(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("drop", "extends")
    if draw.random() < 0.5:
        inputs.put(("drop",), "[funnels]")
        return [Told("drop", ("there is nothing to drop: this file extends no other",))]
    inputs.files["params/base.yml"] = b"activity: {every: day}\n"
    inputs.put(("extends",), "base.yml")
    inputs.put(("drop",), "[activty]")
    return [Told("drop.1", ("'activty' is no key of base.yml (did you mean 'activity'?)",))]


@kind
def wrong_reference(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("owner", "series")
    name, words = draw.choice([
        ("series.editon", "names no key of this file (did you mean 'series.edition'?)"), ("", "names no key"),
        ("period", "names keys and values; it must be one value"), ("owner", "is itself made of another key"),
        ("metrics.amount.sun", "did you mean 'metrics.amount.sum'?")])
    inputs.put(("owner",), f'"team ${{{name}}}"')
    return [Told("owner", (words,))]


@kind
def odd_series(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("series")
    value, at, words = draw.choice([
        ("{name: spring}", "series.edition", "missing: what this one is called"),
        ("{edition: 8}", "series.name", "missing: the same for all editions"),
        ('{name: "", edition: 8}', "series.name", "expected a text, found ''"),
        ("{name: spring, edition: [8]}", "series.edition", "expected a text, found 1 in a list"),
        ("{name: spring, editon: 8}", "series.editon", "unknown key (did you mean 'edition'?)"),
        ("{name: spring, edition: 8, reports: {}}", "series.reports", "expected a text"),
        ("spring", "series", "expected keys and values, found 'spring'")])
    inputs.put(("series",), value)
    return [Told(at, (words,), n_more=1)]


@kind
def wrong_setting(draw: Random, inputs: Inputs) -> list[Told]:
    where, setting, at, words = draw.choice([
        ("period", "perod.end=2025-11-12", "perod", "unknown key (did you mean 'period'?)"),
        ("period", "period.end=soon", "period.end", "'soon' is not a day"),
        ("period", "period=2025", "period", "expected keys and values, found '2025'"),
        ("goals", "goals.1.metric=buyers", "--set goals.1.metric", "leads into a value that has no keys"),
        ("owner", "owner.name=x", "--set owner.name", "leads into a value that has no keys"),
        ("labels", "labels={a: x, a: y}", "--set labels", "a is said twice"),
        ("extends", "extends=other.yml", "--set extends", "is for the file itself to say"),
        ("languages", "languages=en", "languages", "expected a list, found 'en'; write [en]"),
        ("metrics", "metrics.buyers.window=-1 day", "metrics.buyers.window", "'-1 day' is not a duration"),
        ("arms", "arms.control=nobody", "arms.control", "'nobody' is not among the shares"),
        ("retention", "retention.n_periods=1\0", "retention.n_periods", "expected a whole number"),
        ("min_cell_size", "min_cell_size=" + "9" * 5000, "min_cell_size", "expected"),
        ("labels", "labels=" + "[" * 3000, "labels", "expected keys and values"),
        ("currency", "currency=cny", "currency", "'cny' is not an ISO code")])
    inputs.take(*_leaning((where,)))
    inputs.settings.append(setting)
    return [Told(at, (words,), n_more=1)]


@kind
def secret_in_the_file(draw: Random, inputs: Inputs) -> list[Told]:
    """It is refused and never shown."""
    inputs.take(*_leaning(("sources",)))
    inputs.secret = secret = "hunter2-" + "".join(draw.choices("abcdef0123456789", k=12))
    value, at, words = draw.choice([
        (f"{{path: 'postgres://ann:{secret}@db.example.com/shop', table: t}}", "sources.orders.path",
         "a password in a params file is no secret"),
        (f"{{path: 'postgres://ann:{secret}@db.example.com:port/shop', table: t}}", "sources.orders.path",
         "is not an address like"),
        (f"{{path: 'mysql://ann:{secret}@db.example.com/shop', table: t}}", "sources.orders.path",
         "'mysql://' is neither a file nor a database"),
        (f"{{path: 'postgres://db.example.com/shop?password={secret}', table: t}}", "sources.orders.path",
         "a password in a params file is no secret"),
        (f"{{path: 'postgres://ann@db.example.com/shop', table: t, password: {secret}}}", "sources.orders.password",
         "is not the name of an environment variable"),
        (f"{{path: 'postgres://ann@db.example.com/shop', table: t, pasword: {secret}}}", "sources.orders.pasword",
         "unknown key (did you mean 'password'?)"),
        (f"'postgres://ann:{secret}@db.example.com/shop'", "sources.orders", "expected keys and values"),
        (f"{{path: {{url: 'postgres://ann:{secret}@db.example.com/shop'}}}}", "sources.orders.path",
         "expected a text, found 1 keys and values")])
    inputs.put(("sources", "orders"), value)
    return [Told(at, (words,), n_more=1)]


@kind
def wrong_file_name(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("*")
    inputs.params = f"params/{draw.choice(['spring sale', '-spring', 'spring;sale', 'spring%20sale', '#1'])}.yml"
    inputs.files[inputs.params] = inputs.files.pop(FILE)
    return [Told("", ("the file's name becomes the campaign's: letters, digits",), inputs.params)]


@kind
def no_params_file(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("*")
    inputs.params, words = draw.choice([
        ("params/sprnig.yml", "no such file"), ("nowhere/spring.yml", "no such file"),
        ("data/", "has no .yml file"), (f"params/{'s' * 300}.yml", "cannot be read: File name too long")])
    return [Told("", (words,), inputs.params.rstrip("/"))]
