"""Every setting, declared once: section, key, type, default and one sentence.

docs/reference/configuration.md and airflow_like.cfg are written from this module.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NewType

import msgspec
from msgspec import Meta

from orchestrator.names import QuarantineMode, WeightRule

Url = NewType("Url", str)
Zone = NewType("Zone", str)
Secret = NewType("Secret", str)
Patterns = NewType("Patterns", str)
Dotted = NewType("Dotted", str)
ExecutorName = NewType("ExecutorName", str)
Addresses = NewType("Addresses", str)
Words = NewType("Words", str)
Count = Annotated[int, Meta(ge=1)]
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Exposure = Literal["True", "non-sensitive-only", "False"]
VenvMethod = Literal["auto", "uv", "pip"]

PREFIX = "ORCHESTRATOR__"


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One section of airflow_like.cfg; its docstring is the section's documentation."""


class Core(Section, frozen=True, kw_only=True):
    """Where DAGs are, how much runs at once, and what a task gets that does not say otherwise."""

    dags_folder: Annotated[Path, Meta(description="Folder of the DAG files.")] = Path("dags")
    plugins_folder: Annotated[Path, Meta(description="Folder of the plugins.")] = Path("plugins")
    executor: Annotated[
        ExecutorName,
        Meta(
            description="Where activities run. LocalExecutor: in worker processes on this machine; else a name that a "
            "plugin gives, or the dotted path of a class."
        ),
    ] = ExecutorName("LocalExecutor")
    parallelism: Annotated[Count, Meta(description="How many activities run at once, over all DAGs.")] = 32
    max_active_tasks_per_dag: Annotated[
        Count, Meta(description="How many activities of one run of a DAG run at once.")
    ] = 16
    max_active_runs_per_dag: Annotated[Count, Meta(description="How many runs of one DAG are open at once.")] = 16
    max_consecutive_failed_dag_runs_per_dag: Annotated[
        int, Meta(ge=0, description="After how many failed runs in a row a DAG is paused; 0 means never.")
    ] = 0
    dags_are_paused_at_creation: Annotated[
        bool, Meta(description="Whether a DAG that is seen for the first time waits to be unpaused.")
    ] = False
    default_timezone: Annotated[
        Zone, Meta(description="Time zone of cron expressions and of dates that name none: utc or an IANA name.")
    ] = Zone("utc")
    dagbag_import_timeout: Annotated[timedelta, Meta(description="Seconds that parsing one DAG file may take.")] = (
        timedelta(seconds=30)
    )
    quarantine: Annotated[
        QuarantineMode,
        Meta(
            description="What becomes of a side effect of a DAG file as it is parsed, or of a workflow: error refuses, "
            "warn shows, off ignores it; auto: error, but warn where a file imports airflow and not orchestrator."
        ),
    ] = QuarantineMode.AUTO
    max_lost_attempts: Annotated[
        Count, Meta(description="How often an activity's worker may die under it before the activity has failed.")
    ] = 3
    default_task_retries: Annotated[
        int, Meta(ge=0, description="How often a failed task is tried again, where the task does not say.")
    ] = 0
    default_task_retry_delay: Annotated[
        timedelta, Meta(description="Seconds between a failure and the next try, where the task does not say.")
    ] = timedelta(seconds=300)
    max_task_retry_delay: Annotated[
        timedelta, Meta(description="Seconds that a delay between tries grows to at most, where it grows.")
    ] = timedelta(hours=24)
    default_task_weight_rule: Annotated[
        WeightRule, Meta(description="How a task's priority is summed up: downstream, upstream or absolute.")
    ] = WeightRule.DOWNSTREAM
    killed_task_cleanup_time: Annotated[
        timedelta, Meta(description="Seconds that a task has to clean up between SIGTERM and SIGKILL.")
    ] = timedelta(seconds=5)
    fernet_key: Annotated[
        Secret,
        Meta(
            description="Keys that variables and connections are encrypted with, the new one first, with commas "
            "between; where it is empty, a key is made in the home when one is needed."
        ),
    ] = Secret("")
    venv_cache_folder: Annotated[
        Path, Meta(description="Folder of the environments that @task.virtualenv builds, each once for all tasks.")
    ] = Path("venvs")
    venv_install_method: Annotated[
        VenvMethod, Meta(description="What builds them: uv, pip, or auto, which is uv where it is installed.")
    ] = "auto"
    allowed_deserialization_classes: Annotated[
        Patterns,
        Meta(
            description="Classes beside those of the DAGs folder, and those that a DAG file imports at its top, that a "
            "recorded result may be restored to: patterns such as acme.models.*, with spaces between."
        ),
    ] = Patterns("")
    default_pool_task_slot_count: Annotated[
        int, Meta(ge=-1, description="Slots of default_pool in a new database; -1 means no limit.")
    ] = 128


class Database(Section, frozen=True, kw_only=True):
    """Where history lives."""

    sql_alchemy_conn: Annotated[
        Url, Meta(description="SQLAlchemy URL of the database; a relative SQLite path starts at the home.")
    ] = Url("sqlite:///orchestrator.db")
    busy_timeout: Annotated[
        timedelta, Meta(description="Seconds to wait for another process's lock on the database.")
    ] = timedelta(seconds=30)


class Scheduler(Section, frozen=True, kw_only=True):
    """When runs are made, and how the scheduler ends."""

    catchup_by_default: Annotated[
        bool, Meta(description="Whether a DAG that does not say so gets a run for every past date since start_date.")
    ] = False
    create_cron_data_intervals: Annotated[
        bool, Meta(description="Whether a bare cron expression gives each run the interval since the fire time before.")
    ] = False
    task_queued_timeout: Annotated[
        timedelta, Meta(description="Seconds that an activity waits for a worker before that attempt has failed.")
    ] = timedelta(seconds=600)
    shutdown_grace: Annotated[
        timedelta, Meta(description="Seconds that running activities have to end after SIGTERM to the scheduler.")
    ] = timedelta(seconds=10)


class DagProcessor(Section, frozen=True, kw_only=True):
    """How DAG files are read."""

    parsing_processes: Annotated[Count, Meta(description="How many DAG files are parsed at once.")] = 2
    refresh_interval: Annotated[
        timedelta, Meta(description="Seconds between full looks at the folder, in case a change went unseen.")
    ] = timedelta(seconds=300)
    max_file_bytes: Annotated[Count, Meta(description="Largest DAG file that is read, in bytes.")] = 1024**2


class Workers(Section, frozen=True, kw_only=True):
    """The worker processes of the LocalExecutor."""

    window: Annotated[Count, Meta(description="How many activities are handed to one worker ahead of time.")] = 16
    max_activities_per_worker: Annotated[
        Count, Meta(description="After how many activities a worker process is replaced.")
    ] = 100_000
    memory_limit_mb: Annotated[
        int, Meta(ge=0, description="Resident memory in MiB at which a worker process is replaced; 0 means never.")
    ] = 1024
    idle_seconds: Annotated[timedelta, Meta(description="Seconds without work after which a worker process ends.")] = (
        timedelta(seconds=60)
    )
    max_result_bytes: Annotated[Count, Meta(description="Largest result of a task, in bytes of JSON.")] = 64 * 1024**2


class Workflows(Section, frozen=True, kw_only=True):
    """The processes in which the code of workflows runs; there are none while no workflow is open."""

    processes: Annotated[Count, Meta(description="How many processes replay workflows at most.")] = 4
    deadlock_timeout: Annotated[
        timedelta, Meta(description="Seconds that a workflow's code may compute without waiting; 0 means for ever.")
    ] = timedelta(seconds=2)
    kept_runs: Annotated[
        Count, Meta(description="How many workflows one process keeps at hand; others are replayed when there is news.")
    ] = 2_000
    memory_limit_mb: Annotated[
        int, Meta(ge=0, description="Resident memory in MiB at which such a process is replaced; 0 means never.")
    ] = 1024
    idle_seconds: Annotated[timedelta, Meta(description="Seconds without work after which such a process ends.")] = (
        timedelta(seconds=60)
    )


class Triggerer(Section, frozen=True, kw_only=True):
    """The processes in which triggers run; there are none while nothing is deferred to one."""

    capacity: Annotated[
        Count, Meta(description="How many triggers one process runs; where there are more, there is another process.")
    ] = 10_000
    idle_seconds: Annotated[
        timedelta, Meta(description="Seconds without a trigger after which such a process ends.")
    ] = timedelta(seconds=60)


class Operators(Section, frozen=True, kw_only=True):
    """What operators do that do not say otherwise."""

    default_deferrable: Annotated[
        bool, Meta(description="Whether operators that can wait by a trigger, and hold no worker, do so.")
    ] = False


class Callbacks(Section, frozen=True, kw_only=True):
    """The callbacks of tasks and DAGs; a worker calls them."""

    timeout: Annotated[
        timedelta, Meta(description="Seconds that the callbacks of one outcome may take before they are ended.")
    ] = timedelta(seconds=300)


class Logging(Section, frozen=True, kw_only=True):
    """What is written down beside the history."""

    base_log_folder: Annotated[Path, Meta(description="Folder of the logs, one file for each attempt.")] = Path("logs")
    base_heartbeat_folder: Annotated[
        Path,
        Meta(description="Folder of what running activities said last: a small file for each that gives heartbeats."),
    ] = Path("heartbeats")
    logging_level: Annotated[Level, Meta(description="Least level that the services log.")] = "INFO"
    max_log_bytes: Annotated[Count, Meta(description="How much of what one attempt prints is kept, in bytes.")] = (
        64 * 1024**2
    )


class Payloads(Section, frozen=True, kw_only=True):
    """Where results lie that are too large for the history."""

    url: Annotated[Url, Meta(description="Folder or fsspec URL; a relative folder starts at the home.")] = Url(
        "payloads"
    )
    threshold: Annotated[Count, Meta(description="Size in bytes of JSON above which a result is kept there.")] = 65_536


class Secrets(Section, frozen=True, kw_only=True):
    """Where variables and connections are looked up before the environment and the database."""

    backend: Annotated[
        Dotted,
        Meta(description="Dotted path of a secrets backend's class, which is asked first; plugins bring others."),
    ] = Dotted("")
    backend_kwargs: Annotated[Secret, Meta(description="What that class is made with, as a JSON object.")] = Secret("")


class Auth(Section, frozen=True, kw_only=True):
    """How people sign in to the pages, and programs to the REST API."""

    session_idle: Annotated[timedelta, Meta(description="Seconds after which a session ends that nobody has used.")] = (
        timedelta(hours=12)
    )
    session_lifetime: Annotated[timedelta, Meta(description="Seconds after which a session ends, used or not.")] = (
        timedelta(days=7)
    )
    token_lifetime: Annotated[
        timedelta, Meta(description="Seconds for which a token lets in whose maker does not say.")
    ] = timedelta(days=90)
    password_min_length: Annotated[int, Meta(ge=8, description="Fewest characters of a password.")] = 12


class Api(Section, frozen=True, kw_only=True):
    """The pages and the REST API."""

    host: Annotated[Addresses, Meta(description="Address that is listened on; 0.0.0.0 lets other machines in.")] = (
        Addresses("127.0.0.1")
    )
    port: Annotated[int, Meta(ge=0, le=65535, description="Port that is listened on; 0 takes any that is free.")] = 8080
    base_url: Annotated[
        Words,
        Meta(
            description="Where people reach the pages, such as https://runs.example.com, for links that tasks send. "
            "Where it is empty, it is http:// with the host and the port. Where it is set, requests for other names "
            "are refused."
        ),
    ] = Words("")
    access_log: Annotated[bool, Meta(description="Whether every request is logged.")] = False
    trusted_proxies: Annotated[
        Addresses,
        Meta(
            description="Addresses of proxies, with commas between, whose word is taken for who asks and whether that "
            "was by HTTPS (X-Forwarded-For, X-Forwarded-Proto)."
        ),
    ] = Addresses("")
    expose_config: Annotated[
        Exposure,
        Meta(
            description="Whether administrators are shown the settings by the pages and the REST API; secrets are "
            "shown to nobody, whatever is set."
        ),
    ] = "non-sensitive-only"
    idle_seconds: Annotated[
        timedelta,
        Meta(
            description="Seconds without a request after which standalone ends the process that serves; the next "
            "request starts it again. 0 means never."
        ),
    ] = timedelta(seconds=600)

    @property
    def url(self) -> str:
        """Where people reach the pages; empty where that cannot be told."""
        if self.base_url or not self.port:
            return self.base_url
        host = "localhost" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared with, not bound to
        return f"http://{host}:{self.port}"


class Oidc(Section, frozen=True, kw_only=True):
    """A provider of identities by OpenID Connect, by which people sign in beside or instead of passwords."""

    issuer: Annotated[Words, Meta(description="Its URL, as it gives it itself; where it is empty, there is none.")] = (
        Words("")
    )
    name: Annotated[Words, Meta(description="What the sign-in page calls it; its host where this is empty.")] = Words(
        ""
    )
    client_id: Annotated[Words, Meta(description="What it calls this program.")] = Words("")
    client_secret: Annotated[Secret, Meta(description="What this program shows it; empty for a public client.")] = (
        Secret("")
    )
    scopes: Annotated[Words, Meta(description="What it is asked for, with spaces between.")] = Words(
        "openid profile email"
    )
    name_claim: Annotated[
        Words, Meta(description="The claim that becomes a user's name; email counts only if it is verified.")
    ] = Words("preferred_username")
    groups_claim: Annotated[
        Words, Meta(description="The claim that lists a user's groups; a dot leads into an object.")
    ] = Words("groups")
    role_mapping: Annotated[
        Words,
        Meta(
            description='Roles by group, as a JSON object such as {"etl-team": "operator:etl_*", "*": "viewer"}; the '
            "group * is everybody."
        ),
    ] = Words("{}")


SECTIONS: dict[str, type[Section]] = {
    "core": Core,
    "database": Database,
    "scheduler": Scheduler,
    "dag_processor": DagProcessor,
    "workers": Workers,
    "workflows": Workflows,
    "triggerer": Triggerer,
    "operators": Operators,
    "callbacks": Callbacks,
    "logging": Logging,
    "payloads": Payloads,
    "secrets": Secrets,
    "api": Api,
    "auth": Auth,
    "oidc": Oidc,
}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One declared setting. ``type`` is its annotation, constraints included."""

    section: str
    key: str
    type: Any
    default: Any
    doc: str

    @property
    def name(self) -> str:
        return f"[{self.section}] {self.key}"

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return f"{PREFIX}{self.section}__{self.key}".upper()


def settings() -> Iterator[Setting]:
    """Every setting there is, in the order of airflow_like.cfg."""
    for section, struct in SECTIONS.items():
        for field in msgspec.structs.fields(struct):
            yield Setting(section=section, key=field.name, type=field.type, default=field.default, doc=_doc(field.type))


def _doc(annotation: Any) -> str:
    return next(str(meta.description) for meta in annotation.__metadata__ if meta.description)
