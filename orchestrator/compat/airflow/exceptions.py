"""Airflow's exceptions that nothing here raises: names to raise, and to catch in files that run elsewhere too."""

from collections.abc import Sequence
from typing import Any

from orchestrator.exceptions import AirflowException, AirflowExternalTaskSensorException, NotFoundError

# The names are Airflow's own, so none ends as this program's errors do.
# ruff: noqa: N818


class AirflowTaskTimeout(BaseException):
    """A body has run for too long."""


class AirflowTaskTerminated(BaseException):
    """A body is to end."""


class AirflowInternalRuntimeError(BaseException):
    """Airflow itself is broken."""


class AirflowOptionalProviderFeatureException(AirflowException):
    """A provider's library is not installed."""


class AirflowSecretsBackendAccessDenied(PermissionError):
    """A secrets backend refuses an answer."""


class AirflowInactiveAssetInInletOrOutletException(AirflowException):
    """An asset is not active."""


class AirflowBadRequest(AirflowException):
    """A request makes no sense."""


class InvalidStatsNameException(AirflowException):
    """A metric has an impossible name."""


class AirflowDagDuplicatedIdException(AirflowException):
    """Two files define a DAG of one id."""

    def __init__(self, dag_id: str, incoming: str, existing: str) -> None:
        super().__init__(f"DAG {dag_id!r} stands in {incoming} and in {existing}; rename one of them")
        self.dag_id, self.incoming, self.existing = dag_id, incoming, existing


class AirflowClusterPolicyViolation(AirflowException):
    """A DAG breaks a rule of its cluster."""


class AirflowClusterPolicySkipDag(AirflowException):
    """A DAG is passed over by a rule of its cluster."""


class AirflowClusterPolicyError(AirflowException):
    """A rule of a cluster cannot be applied."""


class AirflowFileParseException(AirflowException):
    """A file of variables or connections cannot be read."""

    def __init__(self, msg: str, file_path: str, parse_errors: Sequence[Any] = ()) -> None:
        super().__init__(f"{msg}: {file_path}")
        self.file_path, self.parse_errors = file_path, list(parse_errors)


class AirflowUnsupportedFileTypeException(AirflowException):
    """A file is of no known type."""


class AirflowClearRunningTaskException(AirflowException):
    """A task that runs was to be cleared."""


class DagNotFound(NotFoundError):
    """There is no such DAG."""


class DagCodeNotFound(NotFoundError):
    """The code of a DAG is not there."""


class DagRunNotFound(NotFoundError):
    """There is no such run."""


class TaskInstanceNotFound(NotFoundError):
    """There is no such task instance."""


class PoolNotFound(NotFoundError):
    """There is no such pool."""


class DagRunAlreadyExists(AirflowBadRequest):
    """There is such a run already."""

    def __init__(self, dag_run: Any) -> None:
        super().__init__(f"DAG {dag_run.dag_id!r} has a run {dag_run.run_id!r} already")
        self.dag_run = dag_run


class DagRunTypeNotAllowed(AirflowException):
    """The DAG has no runs of that type."""


class DagNotPartitionedError(ValueError):
    """The DAG has no partitions."""


class InvalidPartitionKeyError(ValueError):
    """There is no such partition."""


class DagIsPaused(AirflowException):
    """The DAG whose run was to be started is paused."""

    def __init__(self, dag_id: str) -> None:
        super().__init__(f"DAG {dag_id!r} is paused")
        self.dag_id = dag_id


class DuplicateStateError(AirflowExternalTaskSensorException):
    """A state was named twice."""


class ExternalDagDeletedError(AirflowExternalTaskSensorException):
    """The DAG that was waited for has been deleted."""


class FailFastDagInvalidTriggerRule(AirflowException):
    """A DAG that fails fast has a trigger rule that does not fit."""


class TaskNotFound(AirflowException):
    """There is no such task."""


class NodeNotFound(TaskNotFound, KeyError):
    """There is no such task or group."""


class TaskAlreadyInTaskGroup(AirflowException):
    """A task is in a group already."""

    def __init__(self, task_id: str, existing_group_id: str | None, new_group_id: str) -> None:
        super().__init__(
            f"task {task_id!r} is in group {existing_group_id!r} already, and was to be in {new_group_id!r}"
        )
        self.task_id, self.existing_group_id, self.new_group_id = task_id, existing_group_id, new_group_id


class TaskAlreadyRunningError(AirflowException):
    """A task runs already."""


class NotMapped(Exception):
    """A task is not mapped."""


class UnmappableXComTypePushed(TypeError):
    """A value that cannot be mapped over."""

    def __init__(self, value: Any, *values: Any) -> None:
        super().__init__(value, *values)


class UnmappableXComLengthPushed(AirflowException):
    """A value that is too long to be mapped over."""

    def __init__(self, value: Any, max_length: int) -> None:
        super().__init__(f"{len(value)} items are more than {max_length}")
        self.value, self.max_length = value, max_length


class XComForMappingNotPushed(TypeError):
    """A task was to return what is mapped over."""


class XComNotFound(AirflowException):
    """There is no such XCom."""

    def __init__(self, dag_id: str, task_id: str, key: str) -> None:
        super().__init__(f"task {task_id!r} of DAG {dag_id!r} has no XCom {key!r}")
        self.dag_id, self.task_id, self.key = dag_id, task_id, key


class ConnectionNotUnique(AirflowException):
    """Two connections have one id."""


class VariableNotUnique(AirflowException):
    """Two variables have one key."""


class SerializationError(AirflowException):
    """A DAG cannot be serialized."""


class DeserializationError(Exception):
    """A DAG cannot be deserialized."""


class DeserializingResultError(ValueError):
    """The result of another Python cannot be read."""


class UnknownExecutorException(ValueError):
    """There is no such executor."""


class HttpMethodException(AirflowException):
    """A method that HTTP does not have."""
