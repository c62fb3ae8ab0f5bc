"""Several changes in one body, as Airflow's: actions one after the other, each on several things."""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field

from orchestrator.api.models.base import Id, Sent, Told

B = TypeVar("B", bound=Sent)

MOST_ENTITIES = 1_000


class BulkCreate(Sent, Generic[B]):
    """Make these. ``fail``: none of them, where one is there already."""

    action: Literal["create"]
    entities: Annotated[list[B], Field(max_length=MOST_ENTITIES)]
    action_on_existence: Literal["fail", "skip", "overwrite"] = "fail"


class BulkUpdate(Sent, Generic[B]):
    """Change these to what they say. ``fail``: none of them, where one is not there."""

    action: Literal["update"]
    entities: Annotated[list[B], Field(max_length=MOST_ENTITIES)]
    action_on_non_existence: Literal["fail", "skip"] = "fail"


class BulkDelete(Sent):
    """Delete those of these names."""

    action: Literal["delete"]
    entities: Annotated[list[Id], Field(max_length=MOST_ENTITIES)]
    action_on_non_existence: Literal["fail", "skip"] = "fail"


class BulkBody(Sent, Generic[B]):
    """What is to be done, in this order."""

    actions: Annotated[
        list[Annotated[BulkCreate[B] | BulkUpdate[B] | BulkDelete, Field(discriminator="action")]],
        Field(max_length=100),
    ]


class BulkError(Told):
    """Why something was not done."""

    error: str
    status_code: int


class BulkActionResponse(Told):
    """The names of what it was done to."""

    success: list[str] = []
    errors: list[BulkError] = []


class BulkResponse(Told):
    """What became of each kind of action; null where there was none."""

    create: BulkActionResponse | None = None
    update: BulkActionResponse | None = None
    delete: BulkActionResponse | None = None
