"""What all models have in common, and the types that several of them use."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator


class Sent(BaseModel):
    """A body of a request: what it does not know is an error, and not overlooked."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="after")
    @classmethod
    def _has_no_nul(cls, value: Any) -> Any:
        """Not every database takes one in a text."""
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("this has a NUL character in it; leave it out")
        return value


class Told(BaseModel):
    """A part of an answer, made of the attributes of what it is about."""

    model_config = ConfigDict(from_attributes=True)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this is too near to the ends of time") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""In UTC where it names no zone."""

Id = Annotated[str, Field(min_length=1, max_length=250)]
Note = Annotated[str, Field(max_length=1000)]
JsonObject = dict[str, Any]
