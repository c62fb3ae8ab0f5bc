"""Connections and variables as authors see them, and the masking of what is secret in them."""

from collections.abc import Iterator

import pytest

from orchestrator import BaseHook, Connection, Variable, mask_secret
from orchestrator.authoring.lookups import CONN, VAR
from orchestrator.authoring.masking import is_sensitive, masked, masked_value
from orchestrator.authoring.vault import EnvironmentVault, keep_vault
from orchestrator.exceptions import NotFoundError, UsageError


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """The environment that the vault of this process reads."""
    given: dict[str, str] = {}
    before = keep_vault(EnvironmentVault(given))
    yield given
    keep_vault(before)


@pytest.mark.parametrize(
    "uri",
    [
        "postgres://me:secret@db:5432/sales?sslmode=require",
        "http://https%3A%2F%2Fhost",
        "my-type://me%40here:p%2Fw%3A%40@host/a%2Fb",
        "sqlite:///%2Ftmp%2Fx.db",
        "aws://?region_name=eu-north-1",
        "generic://host:80",
        "generic://me@",
    ],
)
def test_a_uri_comes_back_from_the_connection_that_it_makes(uri: str) -> None:
    made = Connection.from_uri(uri, "c")
    assert Connection.from_uri(made.get_uri(), "c") == made
    assert Connection.from_json(made.as_json(), "c") == made


def test_a_connection_has_airflows_fields() -> None:
    made = Connection(conn_id="c", uri="postgresql://me:secret-word@DB:5432/sales?a=1&b=x")
    assert (made.conn_type, made.host, made.port, made.schema) == ("postgres", "DB", 5432, "sales")
    assert (made.login, made.password, made.extra_dejson) == ("me", "secret-word", {"a": "1", "b": "x"})
    assert "secret-word" not in repr(made)


def test_extras_that_are_no_flat_texts_stay_what_they_are() -> None:
    made = Connection(conn_id="c", conn_type="http", extra={"deep": {"list": [1, None]}})
    assert Connection.from_uri(made.get_uri(), "c").extra_dejson == {"deep": {"list": [1, None]}}


def test_the_environment_holds_uris_and_json(environment: dict[str, str]) -> None:
    environment |= {"AIRFLOW_CONN_A_B": "http://one", "ORCHESTRATOR_CONN_C": '{"conn_type": "http", "port": "80"}'}
    assert Connection.get("a-b").host == "one"
    assert BaseHook.get_connection("c").port == 80
    assert CONN.c.port == 80
    assert CONN.get("none", 5) == 5
    with pytest.raises(NotFoundError, match="no connection 'none'; add it with"):
        Connection.get("none")


def test_variables_have_defaults_and_may_be_json(environment: dict[str, str]) -> None:
    environment |= {"AIRFLOW_VAR_TOWN": "Oslo", "AIRFLOW_VAR_LIMITS": '{"rows": 7}'}
    assert Variable.get("town") == "Oslo"
    assert Variable.get("none", default=None) is None
    assert Variable.get("none", default_var=3) == 3
    assert Variable.get("limits", deserialize_json=True) == {"rows": 7}
    assert (VAR["value"].town, VAR["json"].limits["rows"], VAR["value"].get("none", 1)) == ("Oslo", 7, 1)
    with pytest.raises(NotFoundError, match="no variable 'none'"):
        Variable.get("none")
    with pytest.raises(UsageError, match="'town' is no JSON"):
        Variable.get("town", deserialize_json=True)


def test_nothing_is_set_where_no_home_is_open(environment: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="no home is open"):
        Variable.set("town", "Oslo")


@pytest.mark.parametrize("name", ["PASSWORD", "db_passwd", "my-api_key", "Access_Token", "client_secret"])
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_sensitive(name)
    assert not is_sensitive("town")


def test_a_secret_is_masked_however_it_is_spelled() -> None:
    mask_secret('pass "word"/ä?\nsecond line of the key')
    for spelling in (
        'pass "word"/ä?\nsecond line of the key',
        'pass \\"word\\"/\\u00e4?\\nsecond line of the key',
        "pass%20%22word%22%2F%C3%A4%3F%0Asecond%20line%20of%20the%20key",
        "second line of the key",
    ):
        assert masked(f"<{spelling}>") == "<***>"


def test_of_a_dict_what_is_called_like_a_secret_is_masked_and_short_words_never() -> None:
    mask_secret({"password": "long-enough-word", "town": "a-town-of-mine", "token": "four"})
    assert masked("long-enough-word a-town-of-mine four") == "*** a-town-of-mine four"
    shown = masked_value({"a": ["long-enough-word"], "api_key": "any", "n": 1})
    assert shown == {"a": ["***"], "api_key": "***", "n": 1}
