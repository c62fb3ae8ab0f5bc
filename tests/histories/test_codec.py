"""The codec: an event comes back as it was recorded, whatever release recorded it."""

from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from orchestrator.core.events import (
    EVENT_TYPES,
    ActivityCompleted,
    ActivityStarted,
    AnyEvent,
    Event,
)
from orchestrator.core.particulars import PayloadRef
from orchestrator.exceptions import SchemaVersionError, StorageCorruptError
from orchestrator.storage.codec import CODEC, LIFTERS, VERSIONS, Codec

EXAMPLES: dict[type, Any] = {
    str: "Zürich \U0001f4b3 \x00 'quoted' \u2028",
    int: 7,
    bool: True,
    datetime: datetime(2026, 11, 22, 9, 0, 0, 123456, tzinfo=UTC),
    msgspec.Raw: msgspec.Raw(b'{"a":[1,2.5,null,"\xc3\xa9"]}'),
    PayloadRef: PayloadRef(sha256="ab" * 32, size=70_000),
}


def example(kind: type[AnyEvent]) -> AnyEvent:
    """An event of that kind with every field filled."""
    return kind(**{name: value_for(hint) for name, hint in get_type_hints(kind).items()})


def value_for(hint: Any) -> Any:
    options = [option for option in get_args(hint) if option is not type(None)] or [hint]
    wanted = options[0]
    if getattr(hint, "__origin__", None) is tuple:
        return tuple(value_for(wanted) for _ in range(2))
    if getattr(hint, "__origin__", None) is dict:
        return {value_for(str): value_for(get_args(hint)[1])}
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct) and wanted is not PayloadRef:
        return wanted(**{name: value_for(inner) for name, inner in get_type_hints(wanted).items()})
    return EXAMPLES[wanted] if wanted in EXAMPLES else next(iter(wanted))


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.__name__)
def test_an_event_with_every_field_comes_back_as_it_was(kind: type[AnyEvent]) -> None:
    event = example(kind)
    encoded = CODEC.encode(event)
    assert encoded.type == kind.__name__
    assert CODEC.decode(*encoded) == event


def test_json_that_is_only_passed_on_is_not_changed_by_a_byte() -> None:
    body = b'{"z": 1.10, "a": 1e400, "n": 12345678901234567890123, "\\u00e9": "\xc3\xa9"}'
    event = ActivityCompleted(task_id="t", result=msgspec.Raw(body))
    decoded = CODEC.decode(*CODEC.encode(event))
    assert isinstance(decoded, ActivityCompleted)
    assert bytes(decoded.result) == body


def test_fields_that_say_nothing_take_no_room() -> None:
    assert CODEC.encode(ActivityStarted(task_id="t")).body == '{"task_id":"t"}'


def test_an_event_of_an_unknown_kind_asks_for_a_newer_program() -> None:
    with pytest.raises(SchemaVersionError, match=r"RunTeleported version 1.*upgrade the program"):
        CODEC.decode("RunTeleported", 1, "{}")


def test_an_event_of_a_newer_version_asks_for_a_newer_program() -> None:
    with pytest.raises(SchemaVersionError, match=r"RunEnded version 2.*upgrade the program"):
        CODEC.decode("RunEnded", 2, "{}")


@pytest.mark.parametrize("body", ['{"task_id":', '{"task_id": 7}', "[]", ""])
def test_a_body_that_is_no_such_event_is_damage(body: str) -> None:
    with pytest.raises(StorageCorruptError, match="ActivityStarted"):
        CODEC.decode("ActivityStarted", 1, body)


def test_a_field_that_a_later_release_adds_is_no_hindrance() -> None:
    assert CODEC.decode("ActivityStarted", 1, '{"task_id":"t","mood":"good"}') == ActivityStarted(task_id="t")


class Renamed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An event as a third release has it: `who` was `by` in the first and `by_whom` in the second."""

    who: str
    reason: str = ""


def test_an_old_event_is_lifted_step_by_step_to_what_it_is_today() -> None:
    codec = Codec(
        types=(Renamed,),
        versions={"Renamed": 3},
        lifters={
            ("Renamed", 1): lambda body: {"by_whom": body["by"]},
            ("Renamed", 2): lambda body: {"who": body["by_whom"], "reason": "not asked then"},
        },
    )
    assert codec.decode("Renamed", 1, '{"by":"ada"}') == Renamed(who="ada", reason="not asked then")
    assert codec.decode("Renamed", 2, '{"by_whom":"ada"}') == Renamed(who="ada", reason="not asked then")
    assert codec.encode(Renamed(who="ada")).version == 3


def test_every_version_before_todays_has_a_lifter() -> None:
    expected = {(name, version) for name, today in VERSIONS.items() for version in range(1, today)}
    assert set(LIFTERS) == expected
    assert set(VERSIONS) <= {kind.__name__ for kind in EVENT_TYPES}
