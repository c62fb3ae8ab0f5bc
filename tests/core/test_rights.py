"""Rights: who may do what to which DAG."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.rights import LOCAL, NOBODY, Grant, Principal, Reach, Right, Role, checked_pattern, grant_of
from orchestrator.exceptions import UsageError

VIEW, TRIGGER, EDIT, ADMIN = Right.VIEW, Right.TRIGGER, Right.EDIT, Right.ADMIN

patterns = st.text("ab_*?", min_size=1, max_size=4)
dag_ids = st.text("ab_", min_size=1, max_size=5)
grants = st.lists(st.builds(Grant, st.sampled_from(Role), st.none() | patterns), max_size=4).map(tuple)
principals = st.builds(
    lambda held, scopes: Principal(name="ada", grants=held, scopes=scopes), grants, st.none() | grants
)


@pytest.mark.parametrize(("role", "right"), [("viewer", VIEW), ("user", TRIGGER), ("operator", EDIT), ("admin", ADMIN)])
def test_a_role_may_do_its_own_and_everything_below_it_and_nothing_above(role: str, right: Right) -> None:
    somebody = Principal(name="ada", grants=(Grant(Role(role)),))
    assert [one for one in Right if somebody.may(one)] == [one for one in Right if one <= right]
    assert [one for one in Right if somebody.may(one, "etl")] == [one for one in Right if one <= right]
    assert somebody.highest("etl") == right


@pytest.mark.parametrize(
    ("held", "asked", "dag_id", "verdict"),
    [
        ("viewer", VIEW, "etl_daily", True),
        ("viewer:etl_*", VIEW, "etl_daily", True),
        ("viewer:etl_*", VIEW, "shop", False),
        ("viewer:etl_*", VIEW, "ETL_daily", False),
        ("viewer:etl", VIEW, "etl_daily", False),
        ("viewer:etl_?", VIEW, "etl_1", True),
        ("viewer:etl_?", VIEW, "etl_12", False),
        ("viewer:etl.daily", VIEW, "etl_daily", False),
        ("admin:etl_*", ADMIN, "etl_daily", True),
        ("admin:*", ADMIN, None, False),  # pools, users and configuration belong to no DAG
        ("admin:*", VIEW, None, False),
        ("user:etl_*", EDIT, "etl_daily", False),
    ],
)
def test_a_grant_on_a_pattern_reaches_the_dags_that_fit_it_alone(held, asked, dag_id, verdict) -> None:
    assert Principal(name="ada", grants=(grant_of(held),)).may(asked, dag_id) is verdict


@pytest.mark.parametrize(
    ("held", "scopes", "asked", "dag_id", "verdict"),
    [
        ("admin", ["viewer"], VIEW, "etl", True),
        ("admin", ["viewer"], TRIGGER, "etl", False),
        ("viewer", ["admin"], VIEW, "etl", True),
        ("viewer", ["admin"], TRIGGER, "etl", False),
        ("operator", ["user:etl_*"], TRIGGER, "etl_1", True),
        ("operator", ["user:etl_*"], TRIGGER, "shop", False),
        ("operator", ["user:etl_*"], VIEW, None, False),
        ("operator:etl_*", ["user"], TRIGGER, "etl_1", True),
        ("operator:etl_*", ["user"], VIEW, "shop", False),
        ("admin", [], VIEW, "etl", False),
    ],
)
def test_the_scopes_of_a_token_narrow_what_its_owner_may(held, scopes, asked, dag_id, verdict) -> None:
    token = Principal(name="ada", grants=(grant_of(held),), scopes=tuple(map(grant_of, scopes)), via="token:1")
    assert token.may(asked, dag_id) is verdict


def test_whoever_holds_the_files_may_do_everything_and_nobody_may_do_nothing() -> None:
    assert (LOCAL.highest(), LOCAL.highest("etl"), LOCAL.dags(ADMIN).everything) == (ADMIN, ADMIN, True)
    assert (NOBODY.highest(), NOBODY.highest("etl"), NOBODY.dags().nothing) == (None, None, True)


@given(principals, st.sampled_from(Right), dag_ids)
def test_the_dags_that_somebody_reaches_are_those_that_they_may_do_it_to(who: Principal, right: Right, dag_id) -> None:
    reach = who.dags(right)
    assert (dag_id in reach) == who.may(right, dag_id)
    assert not (reach.everything and not who.may(right, dag_id))
    assert not (reach.nothing and who.may(right, dag_id))


@given(principals, st.sampled_from(Right), st.none() | dag_ids)
def test_a_right_brings_all_lower_ones_with_it(who: Principal, right: Right, dag_id) -> None:
    assert not who.may(right, dag_id) or all(who.may(lower, dag_id) for lower in Right if lower < right)


@given(grants, grants, st.sampled_from(Right), st.none() | dag_ids)
def test_no_scope_gives_what_its_owner_has_not(held, scopes, right: Right, dag_id) -> None:
    owner = Principal(name="ada", grants=held)
    assert not Principal(name="ada", grants=held, scopes=scopes).may(right, dag_id) or owner.may(right, dag_id)


@given(principals, st.builds(Grant, st.sampled_from(Role), st.none() | patterns), st.sampled_from(Right), dag_ids)
def test_a_further_grant_takes_nothing_away(who: Principal, more: Grant, right: Right, dag_id) -> None:
    richer = Principal(name=who.name, grants=(*who.grants, more), scopes=who.scopes)
    assert not who.may(right, dag_id) or richer.may(right, dag_id)


@given(st.builds(Grant, st.sampled_from(Role), st.none() | patterns))
def test_a_grant_is_read_back_from_its_text(grant: Grant) -> None:
    assert grant_of(str(grant)) == grant


@pytest.mark.parametrize(
    "text", ["", "root", "viewer:", "viewer:[ab]", "viewer:a b", "viewer:é", "user:a:b", "user:%", "user:" + "a" * 251]
)
def test_what_is_no_grant_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no (role|pattern of DAG ids); write"):
        grant_of(text)


def test_a_pattern_holds_nothing_that_databases_read_otherwise() -> None:
    for character in "[]^%\\'\"\n\x00/":
        with pytest.raises(UsageError):
            checked_pattern(f"a{character}b")


def test_a_reach_knows_nothing_but_ids() -> None:
    assert (None in Reach(), 1 in Reach(), "a" in Reach()) == (False, False, True)
