"""Nothing leaves that should not: and what a real report holds is not taken for it."""

import getpass
import json
import os
import re
import socket
import tempfile
from pathlib import Path

import pytest

from analysis.params import load
from analysis.report.outcome import Failed
from analysis.report.scan import KINDS, SHAPES, findings, ids, refuse, texts
from tests.report.conftest import campaign
from tests.report.small_campaign import contents, write_campaign

KEY = "-----BEGIN RSA PRIVATE KEY-----"
TOKEN = "eyJhbGciOiJIUzI1NiIs.eyJzdWIiOiIxMjM0NTY3.SflKxwRJSMeKKF2QT4"   # gitleaks:allow
UNSAFE = {
    "path": [f"{Path.cwd()}/params/x.yml", f'"{Path.home()}/a.csv"', f"{tempfile.gettempdir()}/x.py",
             f"{getpass.getuser()}@{socket.gethostname()}"],
    "secret": [KEY, "-----BEGIN PRIVATE KEY-----", "AKIA" + "ABCDEFGHIJKLMNOP", "ghp_" + "a1" * 18,
               "xoxb-" + "1234567890abcdef",
               "AIza" + "a" * 35, TOKEN, "Authorization: Bearer abc123def456ghi789jkl0", "page?password=hunter22",
               "https://shop.example/reset?access_token=aaaabbbb1111", "postgres://ann:pw@db.example.com/shop",
               "https://ann:pw@example.com", "sk_live_" + "0" * 20],
    "email": ["ann.lee@example.com", "<td>ann+x@mail.example.co.uk</td>", "张@公司.cn", "mailto:a_b@x-y.io"],
}
SAFE = ["banner@2x.png", "12@24.11.2025", "forgot_password", "password: reset", "click password=", "token",
        "Bearer of news", "password=…", "password=***", "/home/deals", "/Users/profile", "/app/checkout", "/data/page",
        "user@home", "AKIA", "https://example.com/a:b@c", "https://example.com:8080/@ann", "1e-16", "@media print",
        "2025-11-11 20:00", "postgres://db.example.com:5432/shop", "the bearer: nobody in particular knows",
        "password=${NAME}"]


@pytest.fixture
def params(tmp_path):
    return load(write_campaign(tmp_path))


def kinds(text, params=None, file="report.html"):
    return {finding.kind for finding in findings({file: text}, params)}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in UNSAFE.items() for text in texts])
def test_what_must_not_leave_is_found_wherever_it_stands(kind, text):
    for around in ("{}", "<td>{}</td>", "a,{},b\n", 'x "{}" y', "（{}）"):
        assert kind in kinds(around.format(text)), around


@pytest.mark.parametrize("text", SAFE)
def test_what_reports_are_full_of_is_not_taken_for_it(text):
    assert kinds(text) == set() == kinds(json.dumps({"segment": text}, ensure_ascii=False), file="results.json")


def test_every_shape_is_tried():
    for kind, shape in SHAPES:
        assert any(shape.search(text) for text in UNSAFE[kind]), shape.pattern


@pytest.mark.parametrize("number", ["13812345678", "+8613812345678", "+49 170 1234567", "138-1234-5678", "555-123-4567",
                                    "(555) 123-4567", "tel 13812345678 (mobile)"])
def test_phone_numbers_are_found_in_texts_and_not_among_numbers(number, params):
    assert kinds(json.dumps({"funnels": [{"segment": number}]}), file="results.json") == {"phone"}
    assert kinds(f"step,n\nvisit {number},3\n", file="tables/x.csv") == {"phone"}
    assert kinds(json.dumps({"amount": 13812345678}), file="results.json") == set()
    harmless = "step,amount,interval\nvisit,13812345678,'-0.13812345678 0.15812345678\n"
    assert kinds(harmless, file="tables/x.csv") == set()
    assert kinds('<path d="M13812345678"/>', params) == set()


def test_what_the_params_say_may_be_said(tmp_path):
    path = write_campaign(tmp_path)
    path.write_text(path.read_text("utf-8").replace(
        "owner: growth", "owner: shop@example.com\nlabels: {call: 13812345678}"))
    params = load(path)
    assert kinds("<dd>shop@example.com</dd>", params) == set() != kinds("<dd>ann@example.com</dd>", params)
    assert kinds(json.dumps({"event": "13812345678"}), params, "results.json") == set()


def test_a_password_is_found_as_it_is_and_as_files_write_it(tmp_path, monkeypatch):
    path = write_campaign(tmp_path)
    orders = "orders: {path: 'postgres://a@db.example.com/shop', table: o, password: SHOP_PW}"
    path.write_text(re.sub("orders: .*", orders, path.read_text("utf-8"), count=1))
    monkeypatch.setenv("SHOP_PW", 'x<"y>/é1')
    params = load(path)
    for written in ('x<"y>/é1', "x&lt;&quot;y&gt;/é1", json.dumps('x<"y>/é1')[1:-1], "x%3C%22y%3E/%C3%A91"):
        assert kinds(f"could not connect with {written}.", params) == {"password"}
    monkeypatch.setenv("SHOP_PW", "12345")    # that short it is a number of any report
    assert kinds("12345 users", params) == set()
    monkeypatch.setenv("MY_API_TOKEN", "correct-horse-battery")
    assert kinds("correct-horse-battery", params) == {"password"}
    assert kinds("0.correct-horse-battery7", params) == set()


def record(**tree):
    return {"results.json": json.dumps(tree)}


def test_ids_of_users_are_found_where_they_can_be_nothing_else(tmp_path):
    path = write_campaign(tmp_path)
    users = tmp_path / "data" / "arms.csv"
    rows = ["user_0042,campaign", "1000000007,holdout", "7,campaign", "premium,holdout", "2025-11-11,campaign",
            "123456,holdout", "ann7@shop,campaign"]
    users.write_text(users.read_text("utf-8") + "\n".join(rows) + "\n", "utf-8")
    params = load(path)
    assert [f.place for f in ids(record(funnels=[{"segment": "web"}, {"segment": "user_0042"}]), params)] == [
        "funnels.2.segment"]
    assert ids(record(event="view_user_0042_again"), params) == []      # not the word itself
    assert ids(record(event="view user_0042 again"), params)
    assert ids(record(segment="1000000007"), params) and ids({"tables/x.csv": "by,n\nann7@shop,3\n"}, params)
    for harmless in ("7", "premium", "2025-11-11", "123456", "user_0043", "visit"):
        assert ids(record(n=7, amount=1000000007, segment=harmless), params) == [], harmless
    assert ids(record(provenance={"params": "user_0042"}), params) == []


def test_the_data_are_not_asked_when_no_word_could_be_an_id(params, monkeypatch):
    monkeypatch.setattr("analysis.data.ids.ids_among", lambda *_: pytest.fail("asked"))
    assert ids(record(segment="web", n=17, share=0.1234567891), params) == []


def test_a_message_names_file_place_and_kind_and_never_what_was_found(tmp_path, params):
    (tmp_path / "new" / "tables").mkdir(parents=True)
    (tmp_path / "new" / "report.html").write_text(f"<p>\n{TOKEN}\nann@example.com</p>", "utf-8")
    (tmp_path / "new" / "tables" / "a.csv").write_text("event,n\n+8613812345678 call,3\n", "utf-8")
    with pytest.raises(Failed) as failure:
        refuse(texts(tmp_path / "new"), params)
    said = str(failure.value)
    assert "report.html, line 2: what looks like a key" in said and "report.html, line 3: an e-mail" in said
    assert "tables/a.csv, row 1: a phone number" in said
    assert not any(part in said for part in (TOKEN, "ann@", "138123"))
    assert all(remedy in said for kind, (_, remedy) in KINDS.items() if kind in ("secret", "email", "phone"))


def leaking(folder, channel):
    """A campaign one of whose channels is called so, by many users."""
    path = write_campaign(folder)
    events = folder / "data" / "events.csv"
    events.write_text(events.read_text("utf-8").replace(",app\n", f",{channel}\n"), "utf-8")
    return path


def test_a_run_that_would_publish_such_a_thing_fails_and_the_last_good_report_stays(tmp_path):
    path, out = write_campaign(tmp_path), tmp_path / "reports"
    few = ["--set", "languages=[en]", "--set", "effects.relabel=0"]
    assert campaign("run", path, "--out", out, *few).returncode == 0
    before = contents(out / path.stem)
    leaking(tmp_path, "ann.lee@example.com")
    done = campaign("run", path, "--out", out, *few)
    assert done.returncode == 3
    assert "an e-mail address" in done.stderr and "ann.lee" not in done.stderr
    assert contents(out / path.stem) == before
    left = b"".join(contents(out).values())
    assert b"ann.lee" not in left and os.fsencode(str(Path.cwd())) not in left
