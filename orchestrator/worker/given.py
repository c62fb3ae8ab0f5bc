"""What an order brought along, decoded when it is looked at, and the results of mapped tasks, read page by page."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from orchestrator.authoring.given import Given
from orchestrator.authoring.mapped_sequences import View
from orchestrator.core import values
from orchestrator.core.orders import Order, Stretch
from orchestrator.core.particulars import PayloadRef, XCom
from orchestrator.ports import PayloadStore

Page = Callable[[str, int, int], Sequence[tuple[int, XCom]]]

_PAGE = 1000
_KEPT = 4
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class RawItems(View):
    """The items of a recorded list or dict, each decoded when it is looked at; those of a dict are pairs."""

    def __init__(self, data: bytes | msgspec.Raw, key: str | None = None) -> None:
        raw = data if key is None else _parts(data)[key]
        self._names: list[str] | None = None
        if bytes(raw).startswith(b"["):
            self._items: list[msgspec.Raw] = _list(raw)
            return
        parts = _parts(raw)
        if values.TAG not in parts:
            self._names, self._items = list(parts), list(parts.values())
        else:
            whole = values.decode(raw)
            found = list(whole.items()) if isinstance(whole, Mapping) else list(whole)
            self._items = [msgspec.Raw(values.encode(item)) for item in found]

    def __len__(self) -> int:
        return len(self._items)

    def at(self, index: int) -> Any:
        value = values.decode(self._items[index])
        return value if self._names is None else (self._names[index], value)


class KeptItems:
    """The items of the last few large results that were mapped over: they are read once, and not for each instance."""

    def __init__(self, payloads: PayloadStore) -> None:
        self._payloads = payloads
        self._kept: OrderedDict[tuple[str, str | None], RawItems] = OrderedDict()

    def get(self, ref: PayloadRef, key: str | None) -> RawItems:
        found = self._kept.pop((ref.sha256, key), None)
        if found is None:
            found = RawItems(self._payloads.get(ref), key)
        self._kept[ref.sha256, key] = found
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found


class LazyXComSequence(View):
    """The results of a mapped task, in order, without those that gave none; ``page`` reads those of some activities."""

    def __init__(self, task_id: str, stretch: Stretch, page: Page, fetch: Callable[[PayloadRef], Any]) -> None:
        self._task_id = task_id
        self._stretch = stretch
        self._page = page
        self._fetch = fetch
        self._counts: list[int] | None = None
        self._held: tuple[int, Sequence[XCom]] = (-1, ())

    def __len__(self) -> int:
        return sum(self._lengths())

    def __iter__(self) -> Iterator[Any]:
        for number in range(self._pages):
            for one in self._read(number):
                yield self._value(one)

    def at(self, index: int) -> Any:
        for number, count in enumerate(self._lengths()):
            if index < count:
                return self._value(self._read(number)[index])
            index -= count
        raise IndexError(f"task {self._task_id!r} has no so many results")

    @property
    def _pages(self) -> int:
        return -(-self._stretch.count // _PAGE)

    def _lengths(self) -> list[int]:
        """How many results each page has."""
        if self._counts is None:
            self._counts = [len(self._read(number)) for number in range(self._pages)]
        return self._counts

    def _read(self, number: int) -> Sequence[XCom]:
        if self._held[0] != number:
            first = self._stretch.first + number * _PAGE
            stop = min(first + _PAGE, self._stretch.first + self._stretch.count)
            self._held = number, [one for _, one in self._page(self._task_id, first, stop)]
        return self._held[1]

    def _value(self, one: XCom) -> Any:
        return values.decode(one.value) if one.payload is None else self._fetch(one.payload)


class Sent(Given):
    """The results that an order brought along or names. What is mapped over is not decoded as a whole."""

    def __init__(self, order: Order, payloads: PayloadStore, kept: KeptItems, page: Page) -> None:
        super().__init__({}, order.coordinates)
        self._order = order
        self._payloads = payloads
        self._items = kept
        self._page = page
        self._decoded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._decoded:
            self._decoded[name] = self._decode(name)
        return self._decoded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._order.inputs or name in self._order.payloads or name in self._order.lists

    def __iter__(self) -> Iterator[str]:
        return iter((*self._order.inputs, *self._order.payloads, *self._order.lists))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def items_of(self, task_id: str, key: str | None = None) -> Sequence[Any]:
        ref = self._order.payloads.get(task_id)
        return super().items_of(task_id, key) if ref is None else self._items.get(ref, key)

    def _decode(self, name: str) -> Any:
        if name in self._order.inputs:
            return values.decode(self._order.inputs[name])
        if name in self._order.payloads:
            return self._fetch(self._order.payloads[name])
        return LazyXComSequence(name, self._order.lists[name], self._page, self._fetch)

    def _fetch(self, ref: PayloadRef) -> Any:
        return values.decode(self._payloads.get(ref))
