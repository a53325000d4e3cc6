"""Files that are no campaigns: bombs, invisible signs and names that lead elsewhere are refused at once."""

import time

import pytest

from analysis.params import CampaignError, load
from analysis.params.new import write_new
from analysis.params.report_file import wrong_name

BASE = """\
title: Spring sale
question: Did it sell more?
owner: shop team
period: {start: 2025-03-10, end: 2025-03-16}
sources: {events: {path: events.csv}}
no_control_group: Everybody saw it.
metrics: {buyers: {any: events, role: primary}}
"""
BOMBS = {
    "a billion laughs": "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}' if i else 'ha'] * 9)}]" for i in range(9)),
    "brackets": "a: " + "[" * 100_000, "braces": "a: " + "{a: " * 40_000,
    "blocks": "".join(" " * i + "a:\n" for i in range(600)),
    "a list in itself": "a: &a [*a]\n", "keys in themselves": "a: &a {b: *a}\n", "anchors": "k: &x 1\n" * 20_000,
    "many keys": "".join(f"k{i}: 1\n" for i in range(15_000)), "one key": "a: 1\n" * 30_000,
    "commas": "a: {" + "1," * 90_000 + "}", "a long text many times": (
        "a: &a " + "x" * 5_000 + "\nb: {" + ", ".join(f"k{i}: *a" for i in range(15_000)) + "}"),
    "large": "x" * 5_000_000, "a key without end": BASE + "k" * 150_000 + ": 1\n", "quotes": "a: '" + "'" * 150_000,
    "code": "a: !!python/object/apply:os.system ['echo']\n", "NUL": "title: a\0b\n", "two files": BASE + "---\n" + BASE,
    "a long number": BASE + "baseline: {start: " + "9" * 100_000 + ", end: 1}\n",
    "a long duration": BASE + "funnels: {f: {steps: [a, b], window: " + "1" * 100_000 + " days}}\n",
    "wide signs": BASE + "currency: " + "﷽" * 40_000 + "\n",
}
UNSEEN = {"RIGHT-TO-LEFT OVERRIDE": "\u202e", "RIGHT-TO-LEFT ISOLATE": "\u2067", "ZERO WIDTH SPACE": "\u200b",
          "ZERO WIDTH NO-BREAK SPACE": "\ufeff", "SOFT HYPHEN": "\u00ad", "WORD JOINER": "\u2060"}


def refused(path):
    with pytest.raises(CampaignError) as error:
        load(path)
    return str(error.value)


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_at_once_in_few_words(tmp_path, bomb):
    path = tmp_path / "bomb.yml"
    path.write_text(BOMBS[bomb], "utf-8")
    began = time.process_time()
    said = refused(path)
    assert time.process_time() - began < 1       # a fifth of it on a machine at rest
    assert len(said) < 2_000 and "bomb.yml:" in said


def test_a_file_of_a_large_campaign_is_no_bomb(tmp_path):
    path = tmp_path / "large.yml"
    labels = "".join(f"  product_{i}: {{en: Product {i}, zh: 产品 {i}}}\n" for i in range(1_000))
    path.write_text(f"{BASE}labels:\n{labels}", "utf-8")
    assert len(load(path).labels) == 1_000


def test_of_very_many_mistakes_the_first_hundred_are_told(tmp_path):
    path = tmp_path / "many.yml"
    path.write_text(BASE + "".join(f"unknown_{i}: 1\n" for i in range(2_000)), "utf-8")
    lines = refused(path).splitlines()
    assert len(lines) == 101 and lines[-1] == "... and 1,900 more"


@pytest.mark.parametrize("name", UNSEEN)
@pytest.mark.parametrize("write", ["title: 'Spring{}'", 'title: "Spring\\u{:04x}"', "labels: {{vis{}it: Visit}}"])
def test_signs_that_nobody_sees_are_refused_with_their_line(tmp_path, name, write):
    path = tmp_path / "unseen.yml"
    sign = ord(UNSEEN[name]) if "\\u" in write else UNSEEN[name]
    path.write_text(BASE.replace("title: Spring sale", write.format(sign)), "utf-8")
    assert f"unseen.yml:1: an invisible character, U+{ord(UNSEEN[name]):04X} {name}; take it out" in refused(path)


def test_emoji_of_several_signs_are_no_such_thing(tmp_path):
    path = tmp_path / "family.yml"
    path.write_text(BASE.replace("Spring sale", "Family sale 👩‍👩‍👧 ❤️"), "utf-8")
    assert load(path).title[""].endswith("👩‍👩‍👧 ❤️")


@pytest.mark.parametrize("name", ["..", ".hidden", "../x", "a/b", "a\\b", "a b", "a\0b", "", "-x", "a\u202eb",
                                  "a\u200bb", "x.", "ｓｐｒｉｎｇ", "ﬁx", "x" * 101, "双" * 40, "x.plan", "x.monitor",
                                  "x.FAILED"])
def test_names_that_lead_elsewhere_or_look_like_others_are_refused(tmp_path, name):
    assert wrong_name(name)
    with pytest.raises(CampaignError, match="a campaign's name"):
        write_new(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["spring", "spring-sale_2025.v2", "双十一", "double11-2025", "Ärger", "plan"])
def test_names_that_teams_use_are_fine(tmp_path, name):
    assert wrong_name(name) == ""
    path = tmp_path / f"{name}.yml"
    path.write_text(BASE, "utf-8")
    assert load(path).name == name


def test_a_params_file_that_would_write_into_the_folder_of_a_plan_is_refused(tmp_path):
    path = tmp_path / "spring.plan.yml"
    path.write_text(BASE, "utf-8")
    assert "'.plan' at its end is kept" in refused(path)
