"""Pools, variables, connections, settings and plugins."""

from typing import Annotated

from pydantic import Field

from orchestrator.api.models.base import Id, Sent, Told
from orchestrator.storage.views import PoolRow

Slots = Annotated[int, Field(ge=-1, le=2**31 - 1)]
Text = Annotated[str, Field(max_length=5000)]


class Pool(Told):
    """A pool; ``slots`` -1 means no limit, and then ``open_slots`` is null."""

    name: str
    slots: int
    description: str
    occupied_slots: int
    running_slots: int
    queued_slots: int
    open_slots: int | None


class PoolCollection(Told):
    """A page of pools."""

    pools: list[Pool]
    total_entries: int


class PoolBody(Sent):
    """A pool that is to be."""

    name: Id
    slots: Slots
    description: Text = ""


class PoolPatch(Sent):
    """What is to be changed of a pool."""

    slots: Slots | None = None
    description: Text | None = None


class Variable(Told):
    """A variable; where its name says that it is secret, its value is stars."""

    key: str
    value: str
    description: str | None
    is_encrypted: bool = True


class VariableCollection(Told):
    """A page of variables."""

    variables: list[Variable]
    total_entries: int


class VariableBody(Sent):
    """A variable that is to be."""

    key: Id
    value: Annotated[str, Field(max_length=1_000_000)]
    description: Text | None = None


class VariablePatch(Sent):
    """What is to be changed of a variable."""

    value: Annotated[str, Field(max_length=1_000_000)] | None = None
    description: Text | None = None


class Connection(Told):
    """A connection, without its secrets: those are told to nobody."""

    connection_id: str
    conn_type: str | None
    description: str | None
    host: str | None
    login: str | None
    schema_: str | None = Field(serialization_alias="schema")
    port: int | None
    has_password: bool
    has_extra: bool


class ConnectionCollection(Told):
    """A page of connections."""

    connections: list[Connection]
    total_entries: int


class ConnectionPatch(Sent):
    """What is to be changed of a connection; what is not sent stays. ``extra`` is a JSON object as text."""

    conn_type: Text | None = None
    description: Text | None = None
    host: Text | None = None
    login: Text | None = None
    schema_: Text | None = Field(default=None, alias="schema")
    port: Annotated[int, Field(ge=0, le=65535)] | None = None
    password: Text | None = None
    extra: Annotated[str, Field(max_length=1_000_000)] | None = None


class ConnectionBody(ConnectionPatch):
    """A connection that is to be."""

    connection_id: Annotated[str, Field(min_length=1, max_length=200)]


class ConfigOption(Told):
    """A setting: its value and where that comes from. A secret is stars."""

    key: str
    value: str
    default: str
    source: str


class ConfigSection(Told):
    """A section of the settings."""

    name: str
    options: list[ConfigOption]


class Config(Told):
    """All settings."""

    sections: list[ConfigSection]


class Plugin(Told):
    """A plugin: what it brings by kind, and why it is not used, if so."""

    name: str
    source: str
    is_installed: bool
    brings: dict[str, list[str]]
    commands: dict[str, str]
    trouble: str | None


class Provider(Told):
    """An optional package that is installed."""

    package_name: str
    version: str
    description: str


class ProviderCollection(Told):
    """A page of providers."""

    providers: list[Provider]
    total_entries: int


class PluginCollection(Told):
    """A page of plugins."""

    plugins: list[Plugin]
    total_entries: int


class PluginImportError(Told):
    """A plugin that does not work."""

    source: str
    error: str


class PluginImportErrorCollection(Told):
    """All of them."""

    import_errors: list[PluginImportError]
    total_entries: int


def pool_of(row: PoolRow) -> Pool:
    return Pool(
        name=row.name,
        slots=row.slots,
        description=row.description,
        occupied_slots=row.running + row.queued,
        running_slots=row.running,
        queued_slots=row.queued,
        open_slots=row.open,
    )
