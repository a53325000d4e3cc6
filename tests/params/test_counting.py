"""Options of funnels that do not go together, and what steps are called."""

import pytest

from analysis.params.counting import Funnel, disagreements


def funnel(**said):
    return Funnel.model_validate({"steps": ["a", "b", "c"], "window": "1 day", **said})


@pytest.mark.parametrize(("said", "key", "part"), [
    ({"order": "strict", "optional": [2]}, "optional", "needs `order: ordered`; strict takes"),
    ({"order": "unordered", "exclusions": ["x"]}, "exclusions", "unordered has no steps between"),
    ({"order": "strict", "grace": "2 seconds"}, "grace", "needs `order: ordered`"),
    ({"order": "unordered", "reuse": True}, "reuse", "needs `order: ordered`"),
    ({"order": "strict", "count": "entries"}, "count", "needs `order: ordered`"),
    ({"count": "entries", "entry": "first"}, "count", "only the first; say one"),
    ({"order": "any"}, "order", "any needs `window: none`"),
    ({"optional": [1]}, "optional", "names step 1; steps 2 to 3 can be optional"),
    ({"exclusions": [{"event": "x", "after": 2, "before": 2}]}, "exclusions", "'x' lies between steps 2 and 2"),
    ({"exclusions": ["x"], "optional": [2]}, "exclusions", "'x' spans an optional step"),
    ({"grace": "2 seconds", "ties": "strictly_later"}, "grace", "leaves the order open"),
    ({"reuse": True, "ties": "strictly_later"}, "reuse", "forbids it; say one"),
    ({"excluded": "remove_user"}, "excluded", "there are none"),
    ({"attribution": "step 4"}, "attribution", "'step 4' is not one of steps 1 to 3"),
    ({"attribution": "all_steps"}, "attribution", "holds the one column of `by`"),
])
def test_options_that_do_not_go_together(said, key, part):
    found = dict(disagreements(funnel(**said)))
    assert part in found[key]


def test_all_that_does_not_go_together_is_said_at_once():
    assert len(list(disagreements(funnel(order="strict", optional=[2], exclusions=["x"], grace="2 seconds")))) >= 3


def test_a_step_without_order_is_any_k_of_them():
    assert funnel(order="unordered").titles == ["any 1 of 3", "any 2 of 3", "any 3 of 3"]
    assert funnel(steps=["a", {"event": "b", "name": "paid"}]).titles == ["a", "paid"]
