"""Sign-in: names of users, and how long whoever guesses has to wait."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.sign_in import PER_NAME, Limit, address_key, name_key, user_name
from orchestrator.exceptions import UsageError

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 2), (6, 4), (9, 32), (13, 512), (14, 900), (500, 900), (10**9, 900)]
)
def test_each_failure_beyond_the_free_ones_doubles_the_wait(failures: int, seconds: int) -> None:
    assert PER_NAME.free_at(failures, NOW) == NOW + timedelta(seconds=seconds)


@given(st.integers(0, 10**6), st.integers(1, 50))
def test_a_further_failure_never_shortens_the_wait(failures: int, free: int) -> None:
    limit = Limit(free=free)
    assert limit.free_at(failures + 1, NOW) >= limit.free_at(failures, NOW)


def test_a_day_of_guessing_gets_no_further_than_a_hundred_passwords() -> None:
    now, failures = NOW, 0
    while now < NOW + timedelta(days=1):
        now = PER_NAME.free_at(failures, now)
        failures += 1
    assert failures < 120


@pytest.mark.parametrize(
    ("text", "name"), [("ada", "ada"), (" Ada ", "ada"), ("ada.l@x-y.org", "ada.l@x-y.org"), ("7", "7")]
)
def test_a_name_is_kept_in_small_letters(text: str, name: str) -> None:
    assert user_name(text) == name


@pytest.mark.parametrize(
    "text", ["", " ", "a b", "a:b", "-a", "ä", "a\x00", "a\nb", "a/b", "a<b>", "a" * 101, "local", "Anonymous"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no name of a user; write"):
        user_name(text)


def test_what_was_typed_as_a_name_is_not_kept() -> None:
    assert "hunter22" not in name_key("hunter22")
    assert name_key(" Ada ") == name_key("ada") != name_key("bob")
    assert name_key("\udc80\x00") != name_key("")


def test_addresses_of_one_household_count_as_one() -> None:
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff:2") != address_key("2001:db8:0:1::1")
    assert address_key("::ffff:192.0.2.7") == address_key("192.0.2.7") != address_key("192.0.2.8")
    assert address_key("a proxy' that lies\x00") == "address:unknown"
