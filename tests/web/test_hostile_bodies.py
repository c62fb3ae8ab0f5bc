"""What nobody sends who means well, to every route that takes something: never an error of the server."""

import gzip
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.cli.homes import FilledHome
from tests.web.test_rights_of_routes import KNOWN, STREAMS, table

Browser = Callable[..., TestClient]
pytestmark = pytest.mark.slow
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
DEEP = b"[" * 100_000
NESTED = b'{"conf":' * 20_000 + b"1" + b"}" * 20_000
BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "10 MB": (b'{"conf": "' + b"x" * 10_000_000 + b'"}', JSON),
    "10 MB of a form": (b"name=" + b"x" * 10_000_000, FORM),
    "100,000 deep": (DEEP, JSON),
    "objects in objects": (NESTED, JSON),
    "NUL": (b'{"name": "\\u0000", "key": "\\u0000", "note": "\x00"}', JSON),
    "half a surrogate": (b'{"name": "\\ud800", "key": "\\udc00", "dag_run_id": "\\ud800", "state": "\\ud800"}', JSON),
    "no numbers": (b'{"conf": NaN, "slots": Infinity, "seq": -Infinity}', JSON),
    "too large for a number": (b'{"slots": 1e999, "seq": 1e999, "map_index": 1e999}', JSON),
    "a large integer": (b'{"slots": ' + b"9" * 5_000 + b', "seq": ' + b"9" * 5_000 + b"}", JSON),
    "the same twice": (b'{"name": "a", "name": "b", "state": "failed", "state": 1}', JSON),
    "cut off": (b'{"name": "a', JSON),
    "no UTF-8": (b'{"name": "\xff\xfe"}', JSON),
    "a list": (b"[1, 2, 3]", JSON),
    "nothing": (b"", JSON),
    "null": (b"null", JSON),
    "a form for JSON": (b"name=a&state=failed", FORM),
    "JSON for a form": (b'{"name": "a"}', {"content-type": "text/plain"}),
    "a bomb": (gzip.compress(b" " * 20_000_000), JSON | {"content-encoding": "gzip"}),
    "percents": (b"name=%&key=%zz&run_id=%00&note=%ff%fe", FORM),
    "a thousand fields": (b"&".join(b"f%d=1" % number for number in range(5_000)), FORM),
    "no boundary": (b"--x\r\n", {"content-type": "multipart/form-data"}),
    "multipart": (
        b'--x\r\ncontent-disposition: form-data; name="name"; filename="../../etc/passwd"\r\n\r\na\r\n--x--\r\n',
        {"content-type": "multipart/form-data; boundary=x"},
    ),
}


def writing() -> Iterator[tuple[str, str]]:
    for entry in table():
        if entry.method in ("POST", "PATCH", "PUT", "DELETE") and not entry.path.endswith(STREAMS):
            yield entry.method, re.sub(r"\{(\w+)\}", lambda found: KNOWN.get(found[1], "x"), entry.path)


def asked(client: TestClient, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    return client.request(method, path, content=body, headers=headers)


@pytest.mark.parametrize("what", BODIES)
def test_what_nobody_means_is_answered_and_breaks_nothing(browser: Browser, filled: FilledHome, what: str) -> None:
    filled.begin("order_1001", "first")
    client = browser()
    body, headers = BODIES[what]
    odd = {}
    for method, path in writing():
        answer = client.request(method, path, content=body, headers=headers)
        if answer.status_code >= 500 or len(answer.content) > 200_000:
            odd[f"{method} {path}"] = (answer.status_code, answer.text[:300])
    assert odd == {}
