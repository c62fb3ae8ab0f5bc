"""Assets: names for the data that tasks read and write. Nothing is started by them, and no event of theirs recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from orchestrator.authoring.place import author


class BaseAsset:
    """What ``inlets`` and ``outlets`` name; ``&`` and ``|`` join them."""

    def __and__(self, other: "BaseAsset") -> "AssetAll":
        return AssetAll(self, other)

    def __or__(self, other: "BaseAsset") -> "AssetAny":
        return AssetAny(self, other)


@dataclass
class AssetAccessControl:
    """Which teams may write and read an asset."""

    producer_teams: list[str] = field(default_factory=list)
    consumer_teams: list[str] | None = None
    allow_global: bool = True


class Asset(BaseAsset):
    """Some data, by ``name`` and ``uri``, of which one is enough. ``extra`` is what else there is to say of it.

    DagError, with the author's file and line, where it has no name.
    """

    asset_type: ClassVar[str] = "asset"

    def __init__(
        self,
        name: str | None = None,
        uri: str | None = None,
        *,
        group: str = "asset",
        extra: Mapping[str, Any] | None = None,
        access_control: AssetAccessControl | None = None,
    ) -> None:
        named: dict[str, Any] = {"name": name, "uri": uri}
        for what, given in named.items():
            if given is not None and (not isinstance(given, str) or not given.strip()):
                raise author().refuse(f"an Asset's {what} is a text that says something, not {given!r}")
        if name is None and uri is None:
            raise author().refuse("an Asset needs a name or a uri; give it one")
        self.name, self.uri = name or uri or "", uri or name or ""
        self.group, self.extra, self.access_control = group, dict(extra or {}), access_control

    def __repr__(self) -> str:
        return f"Asset(name={self.name!r}, uri={self.uri!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and (self.name, self.uri) == (other.name, other.uri)

    def __hash__(self) -> int:
        return hash((self.name, self.uri))


class AssetAlias(BaseAsset):
    """A name for assets that are known only when a task has run."""

    def __init__(self, name: str, group: str = "asset") -> None:
        self.name, self.group = name, group

    def __repr__(self) -> str:
        return f"AssetAlias(name={self.name!r})"


@dataclass
class Metadata:
    """What there is to say of an asset that a task has written."""

    asset: BaseAsset
    extra: dict[str, Any] = field(default_factory=dict)
    alias: AssetAlias | None = None


class _Several(BaseAsset):
    def __init__(self, *objects: BaseAsset) -> None:
        for one in objects:
            if not isinstance(one, BaseAsset):
                raise author().refuse(f"{type(self).__name__} takes assets, not {one!r}")
        self.objects = objects

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.objects))})"


class AssetAll(_Several):
    """All of several assets."""


class AssetAny(_Several):
    """Any of several assets."""
