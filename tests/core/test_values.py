import math
from collections import Counter, OrderedDict, namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.values import decode, encode
from orchestrator.exceptions import ValueDecodingError, ValueEncodingError

BRUSSELS = ZoneInfo("Europe/Brussels")
Pair = namedtuple("Pair", "x y")


class Colour(Enum):
    RED = 1


class Level(IntEnum):
    HIGH = 3


class Word(StrEnum):
    HELLO = "hello"


class OldWord(str, Enum):  # noqa: UP042 - the way of Python 3.10, still in use
    HELLO = "hello"


@dataclass
class Order:
    number: int


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


# ── there and back ───────────────────────────────────────────────────────────────────────────────────────

keys = st.text(max_size=8) | st.just("__type__") | st.just("value")
moments = st.datetimes() | st.datetimes(timezones=st.timezones(), allow_imaginary=False) | st.datetimes(
    timezones=st.just(timezone(timedelta(hours=5, minutes=45, seconds=3)))
)  # fmt: skip
hashables = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**300), 2**300)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | moments
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.uuids()
)
values = st.recursive(
    hashables | st.sets(hashables, max_size=4) | st.frozensets(hashables, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_a_recorded_value_comes_back_equal_and_of_the_same_type(value: Any) -> None:
    back = decode(encode(value))
    assert back == value
    assert type(back) is type(value)


@given(values)
def test_what_is_recorded_is_json(value: Any) -> None:
    assert msgspec.json.encode(msgspec.json.decode(encode(value))) == encode(value)


@given(st.dictionaries(st.text(max_size=3) | st.just("__type__"), st.sampled_from(["date", 1, None, [], {}])))
def test_a_dict_that_looks_like_a_tag_comes_back_unharmed(value: dict[str, Any]) -> None:
    assert decode(encode([{"a": value}])) == [{"a": value}]


@pytest.mark.parametrize(
    ("value", "json"),
    [
        ({"ok": True, "amount": 42.5, "lines": ["a", None]}, b'{"ok":true,"amount":42.5,"lines":["a",null]}'),
        (date(2026, 1, 31), b'{"__type__":"date","value":"2026-01-31"}'),
        (datetime(2026, 1, 31, 8, tzinfo=UTC), b'{"__type__":"datetime","value":"2026-01-31T08:00:00+00:00"}'),
        (timedelta(hours=-2), b'{"__type__":"timedelta","value":"-PT7200S"}'),
        (Decimal("1.10"), b'{"__type__":"decimal","value":"1.10"}'),
        (b"\x00\xff", b'{"__type__":"bytes","value":"AP8="}'),
        ((1, "a"), b'{"__type__":"tuple","value":[1,"a"]}'),
        ({"b", "a"}, b'{"__type__":"set","value":["a","b"]}'),
        (math.inf, b'{"__type__":"float","value":"inf"}'),
        ({"__type__": "x"}, b'{"__type__":"dict","value":[["__type__","x"]]}'),
    ],
)
def test_the_recorded_form_of_each_type_is_for_ever(value: Any, json: bytes) -> None:
    assert encode(value) == json
    assert decode(json) == value


def test_the_order_of_keys_is_kept() -> None:
    assert list(decode(encode({"z": 1, "a": 2, "m": date(2026, 1, 1)}))) == ["z", "a", "m"]


def test_equal_sets_are_recorded_alike() -> None:
    assert encode({"x", "y", b"z", 10, 9}) == encode({9, 10, b"z", "y", "x"})


def test_nan_is_recorded_as_nan() -> None:
    back = decode(encode({"mean": math.nan, "rows": [1.0, -math.inf]}))
    assert math.isnan(back["mean"])
    assert back["rows"] == [1.0, -math.inf]


def test_a_moment_keeps_its_zone_and_which_of_two_equal_hours_it_was() -> None:
    for fold in (0, 1):
        moment = datetime(2026, 10, 25, 2, 30, tzinfo=BRUSSELS, fold=fold)
        back = decode(encode(moment))
        assert (back.tzinfo, back.fold, back.utcoffset()) == (BRUSSELS, fold, moment.utcoffset())


def test_a_wall_clock_time_that_never_was_comes_back_as_the_same_instant() -> None:
    imaginary = datetime(2026, 3, 29, 2, 30, tzinfo=BRUSSELS)
    assert decode(encode(imaginary)) == imaginary.astimezone(UTC)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Level.HIGH, 3),
        (Word.HELLO, "hello"),
        (OldWord.HELLO, "hello"),
        (OrderedDict(a=1), {"a": 1}),
        (Counter("aab"), {"a": 2, "b": 1}),
        (bytearray(b"xy"), b"xy"),
        (np.int64(7), 7),
        (np.uint8(7), 7),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array(4.0), 4.0),
        (pd.Timestamp("2026-01-31 08:00", tz="UTC"), datetime(2026, 1, 31, 8, tzinfo=UTC)),
        (pd.Timedelta("90s"), timedelta(seconds=90)),
    ],
)
def test_kin_of_known_types_are_recorded_as_what_they_derive_from(value: Any, plain: Any) -> None:
    back = decode(encode({"value": [value]}))["value"][0]
    assert back == plain
    assert type(back) is type(plain)


def test_a_missing_number_of_an_array_library_is_nan() -> None:
    assert all(math.isnan(decode(encode(value))) for value in (np.float64("nan"), np.float32("nan")))


# ── what cannot be recorded ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "path", "type_name"),
    [
        (object(), "result", "object"),
        ({"rows": [1, 2, 3, object()]}, "result['rows'][3]", "object"),
        ({"a": (1, {"b": [range(3)]})}, "result['a'][1]['b'][0]", "range"),
        ([{frozenset({Colour.RED})}], "result[0]{…}{…}", "Colour"),
        ({"__type__": {"at": Order(1)}}, "result['__type__']['at']", "Order"),
        ([Pair(1, 2)], "result[0]", "Pair"),
        ({"df": pd.DataFrame({"a": [1]})}, "result['df']", "DataFrame"),
        ([np.zeros(1)], "result[0]", "ndarray"),
        (np.datetime64("2026-01-01", "ns"), "result", "datetime64"),
        (pd.Timestamp("2026-01-01T00:00:00.000000001"), "result", "Timestamp"),
        (pd.NaT, "result", "NaTType"),
        ({"n": 10**5000}, "result['n']", "int of more than 10000 bits"),
        ({"n": -(10**5000)}, "result['n']", "int of more than 10000 bits"),
        (["ok", "\ud800"], "result[1]", "str with half a surrogate pair in it"),
        ({"a": {1: "x", "1": "y"}}, "result['a']", "dict with two keys that are recorded as '1'"),
        ({"a": {b"b": "x"}}, "result['a']", "dict with the key b'b' (no string)"),
        ({"a": {(1, 2): "x"}}, "result['a']", "dict with the key (1, 2) (no string)"),
    ],
)
def test_a_value_that_cannot_be_recorded_is_named_by_its_path(value: Any, path: str, type_name: str) -> None:
    with pytest.raises(ValueEncodingError) as caught:
        encode(value)
    assert (caught.value.path, caught.value.type_name) == (path, type_name)


def test_keys_that_are_numbers_come_back_as_text_as_in_airflow() -> None:
    assert decode(encode({1: {2.5: "x"}, None: [{True: date(2026, 1, 31)}]})) == {
        "1": {"2.5": "x"},
        "None": [{"True": date(2026, 1, 31)}],
    }


def test_the_path_starts_where_the_caller_says() -> None:
    with pytest.raises(ValueEncodingError, match=r"^conf\['x'\] is an object, which cannot be recorded; return"):
        encode({"x": object()}, path="conf")


def test_a_hundred_levels_can_be_recorded_and_no_more() -> None:
    assert decode(encode(nested(100))) == nested(100)
    assert decode(encode([*nested(99), {1}])) == [*nested(99), {1}]
    for too_deep in (nested(101), [*nested(101), {1}], nested(100_000)):
        with pytest.raises(ValueEncodingError, match=r"result\[0\].*…(\[0\]){3} is a list nested more than 100 levels"):
            encode(too_deep)


def test_a_value_that_contains_itself_is_refused() -> None:
    circle: dict[str, Any] = {"rows": []}
    circle["rows"].append(circle)
    with pytest.raises(ValueEncodingError, match="in a circle"):
        encode(circle)


def test_brackets_in_text_are_not_mistaken_for_depth() -> None:
    value = ["[" * 5000, "}{" * 300]
    assert decode(encode(value)) == value


def test_an_object_whose_comparison_fails_is_refused_by_name() -> None:
    @dataclass
    class Moody:
        x: int = 1

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("not today")

    with pytest.raises(ValueEncodingError, match=r"^result\[0\] is a Moody"):
        encode([Moody()])


# ── what cannot be read ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("data", ["[1]", b"[1]", msgspec.Raw(b"[1]")])
def test_recorded_bytes_are_read_from_whatever_holds_them(data: Any) -> None:
    assert decode(data) == [1]


def test_a_type_of_a_newer_version_is_not_taken_for_something_else() -> None:
    with pytest.raises(ValueDecodingError, match="'polygon'; a newer version"):
        decode(b'{"__type__":"polygon","value":[]}')


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[1",
        b'"\xff"',
        b'{"__type__":"date"}',
        b'{"__type__":"date","value":"soon"}',
        b'{"__type__":[],"value":1}',
        b'{"__type__":"uuid","value":{"__type__":"date"}}',
        b'{"__type__":"decimal","value":"x"}',
        b'{"__type__":"datetime","value":"2026-01-01T00:00[Not/AZone]"}',
        b'[{"__type__":"set","value":[[1]]}]',
        b'{"__type__":' * 50_000,
    ],
)
def test_damaged_bytes_give_a_clear_error(data: bytes) -> None:
    with pytest.raises(ValueDecodingError, match="cannot be read"):
        decode(data)
