"""Who counts, one rule per test."""

from analysis.facts.population import rows_of
from tests.tables import observed, rows

NOTHING = "user|event|at\n ann|visit|03-05"
ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"


def who(facts):
    return rows(facts.population, "user_id", "variant")


def test_without_a_users_table_everybody_who_did_something_counts():
    facts = observed(events="user|event|at\n ann|visit|03-05\n ann|visit|03-06", orders="user|at|amount\n bob|01-01|5")
    assert who(facts) == [("ann", ""), ("bob", "")]
    assert (facts.left.n_known, facts.left.n_users, facts.groups) == (2, 2, {"": 2})


def test_without_a_users_table_the_assigned_are_the_population():
    facts = observed(ARMS, events=NOTHING, assignments="user|variant\n bob|stay\n cy|go")
    assert who(facts) == [("bob", "stay"), ("cy", "go")]


def test_only_who_consented_counts():
    users = "user|agrees\n ann|true\n bob|false\n cy|"
    facts = observed("population: {consent: agrees}", users=users, events=NOTHING)
    assert (who(facts), facts.left.n_no_consent) == ([("ann", "")], 2)


def test_only_the_values_asked_for_count_and_a_missing_one_does_not():
    users = "user|tier\n ann|gold\n bob|silver\n cy|ordinary\n dee|"
    facts = observed("population: {where: {tier: [gold, silver]}}", users=users, events=NOTHING)
    assert ([user for user, _ in who(facts)], facts.left.n_not_in_population) == (["ann", "bob"], 2)


def test_a_user_in_two_arms_is_left_out_of_both():
    assigned = "user|variant\n ann|stay\n ann|go\n bob|go\n bob|go\n cy|stay"
    facts = observed(ARMS, users="user\n ann\n bob\n cy", assignments=assigned, events=NOTHING)
    assert (who(facts), facts.left.n_two_arms) == ([("bob", "go"), ("cy", "stay")], 1)


def test_users_without_an_arm_are_left_out_and_counted():
    assigned = "user|variant\n ann|stay\n bob|go"
    facts = observed(ARMS, users="user\n ann\n bob\n cy", assignments=assigned, events=NOTHING)
    assert (who(facts), facts.left.n_unassigned) == ([("ann", "stay"), ("bob", "go")], 1)


def test_users_without_an_arm_can_be_a_group_of_their_own():
    facts = observed("population: {unassigned: others}", assignments="user|variant|assigned_at\n bob|sent|2024-03-05",
                     events=NOTHING)
    assert (who(facts), facts.left.n_unassigned) == ([("ann", "others"), ("bob", "sent")], 0)


def test_rows_count_from_the_first_assignment_but_not_before_the_period():
    assigned = "user|variant|at\n ann|stay|03-01\n bob|go|03-06 12:00\n bob|go|03-05 12:00\n cy|go|"
    facts = observed(ARMS, assignments=assigned, events=NOTHING)
    hours = {user: (at.day, at.hour) for user, at in rows(facts.population, "user_id", "entered_at")}
    assert hours == {"ann": (4, 0), "bob": (5, 12), "cy": (4, 0)}


def test_who_comes_after_the_period_is_too_late_and_its_last_instant_is_not():
    assigned = "user|variant|at\n ann|stay|03-10 23:59:59\n bob|go|03-11 00:00\n cy|go|03-05"
    users = "user|registered_at\n ann|2024-01-01\n bob|2024-01-01\n cy|2024-03-11"
    facts = observed(ARMS, users=users, assignments=assigned, events=NOTHING)
    assert (who(facts), facts.left.n_too_late) == ([("ann", "stay")], 2)


def test_the_period_ends_at_midnight_of_the_campaigns_zone():
    assigned = "user|variant|at\n ann|stay|03-10 15:59:59Z\n bob|go|03-10 16:00:00Z"
    facts = observed(ARMS + "time_zone: Asia/Shanghai", assignments=assigned, events=NOTHING)
    assert who(facts) == [("ann", "stay")]


def test_each_user_is_counted_at_the_first_reason_that_holds():
    users = "user|agrees|tier\n ann|false|bronze\n bob|true|bronze\n cy|true|gold\n dee|true|gold"
    facts = observed(ARMS + "population: {consent: agrees, where: {tier: gold}}", users=users, events=NOTHING,
                     assignments="user|variant\n ann|go\n ann|stay\n bob|go\n bob|stay\n dee|go\n eve|stay")
    left = facts.left
    assert (left.n_no_consent, left.n_not_in_population, left.n_two_arms, left.n_unassigned) == (1, 1, 0, 1)
    assert left.n_known == 4 and left.n_users == 1


def test_two_rows_of_one_user_are_one_user():
    facts = observed("population: {where: {tier: gold}}", users="user|tier\n ann|gold\n ann|gold", events=NOTHING)
    assert rows(facts.population, "user_id", "tier") == [("ann", "gold")]


def test_rows_of_users_that_nobody_knows_are_counted_and_left_out():
    facts = observed(users="user\n ann", events="user|event|at\n ann|visit|03-05\n ben|visit|03-05\n ben|visit|03-06",
                     orders="user|at|amount\n ben|03-05|1")
    assert facts.left.n_rows_of_unknown == 3
    assert rows(rows_of(facts, "events"), "user_id") == [("ann",)]


def test_groups_stand_control_first_and_then_by_name():
    facts = observed("arms: {control: m, shares: {z: 30%, m: 40%, a: 30%}}", events=NOTHING,
                     assignments="user|variant\n ann|z\n bob|m\n cy|a\n dee|a")
    assert list(facts.groups.items()) == [("m", 1), ("a", 2), ("z", 1)]
