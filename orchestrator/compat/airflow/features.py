"""What of Airflow is not here, or not yet: a sentence's worth each, for all the names that belong to it."""

from orchestrator.compat.airflow.entries import Absent

_BY_TIME = "schedule the DAG by time, or start its runs with `orchestrator dags trigger`"
_IN_A_TASK = "do it with Python in a @task function"

ASSETS = Absent("assets and datasets", _BY_TIME)
PARTITIONS = Absent("partitioned assets", _BY_TIME)
DEADLINES = Absent("deadlines", "give the DAG a dagrun_timeout")
CONNECTIONS = Absent("what connections are made of", "use Connection and BaseHook of airflow.sdk")
HOOKS = Absent("the standard provider's hooks", "use pathlib or subprocess in a @task function")
VARIABLES = Absent("what variables are made of", "use Variable of airflow.sdk")
EMAIL = Absent("e-mail", "send it with AppriseNotifier of orchestrator.notifiers.apprise")
SECRETS_BACKENDS = Absent(
    "Airflow's own secrets backends",
    "the environment and the database are always asked; derive others from BaseSecretsBackend",
)
LINKS = Absent("links of operators", "remove it, or print the link in the task")
DEFERRAL = Absent("triggers that start runs or tasks by themselves", "call self.defer() in an operator's execute()")
XCOM_BACKENDS = Absent("backends of XCom", "return the value from the task, and take it as an argument")
ENVIRONMENTS = Absent("the making of environments by hand", "use @task.virtualenv")
CONDITIONS = Absent("conditions by hand", "write @task.run_if or @task.skip_if")
TIMETABLES = Absent("what timetables are made of", "derive from Timetable of airflow.timetables.base")
CONTINUOUS = Absent("runs without a pause between them", "give schedule a short timedelta and max_active_runs=1")
TASK_STATE = Absent("the store of task state", "record progress with heartbeat(progress) and read last_progress()")
OBJECT_STORAGE = Absent("file systems by name", "use ObjectStoragePath, or fsspec in a @task")
RETRY_DECISIONS = Absent("decisions of retry policies", "use RetryRule in an ExceptionRetryPolicy")
SETUP = Absent("what setup and teardown are made of", "use setup and teardown of airflow.sdk")
MAPPING = Absent("classes of their own for mapped tasks and groups", "look for BaseOperator and TaskGroup")
CONFIGURATION = Absent("Airflow's own configuration", "read an environment variable")
LINEAGE = Absent("lineage", "remove it")
DAG_RESULTS = Absent("results of DAGs", "return it from a task")
DECORATORS = Absent("what decorators are made of", "use @task and its flavours")
DATABASE = Absent(
    "Airflow's metadata database", "ask `orchestrator dags`, `tasks` and `runs`, with -o json, from outside of the DAG"
)
TIMEOUTS = Absent("time-outs as exceptions", "give the task an execution_timeout")
EXCEPTIONS = Absent("exceptions that nothing here raises", "raise or catch AirflowException")
MORE_MACROS = Absent("macros with words for dates", "write the date with ds_format")
MASKING = Absent("redacting by hand", "use mask_secret: what it is told of is masked everywhere")
SERIALIZATION = Absent("Airflow's serialization", "return JSON values, datetime, Decimal, UUID or bytes")
STATS = Absent("Airflow's metrics", "remove it")
PRIORITY = Absent("priority strategies", "set priority_weight and weight_rule")
LISTENERS = Absent("listeners that register themselves", "put their module into `listeners` of an AirflowPlugin")
POLICIES = Absent("cluster policies", "set it in the DAGs")
COMMON_IO = Absent("results in object storage", "set [payloads] url: large results go there by themselves")
COMMON_SQL = Absent("more of the provider common.sql", "use SqlHook of orchestrator.hooks.sql in a @task function")
SMTP = Absent("more of the provider smtp", "send mail with EmailOperator or SmtpNotifier")
HTTP = Absent("more of the provider http", "use HttpHook in a @task function")
INTERNALS = Absent("the inner workings of Airflow", _IN_A_TASK)

FAMILIES = frozenset(
    {
        "api",
        "api_fastapi",
        "callbacks",
        "cli",
        "config_templates",
        "dag_processing",
        "example_dags",
        "executors",
        "jobs",
    }
)
"""Packages of Airflow that are its program, and nothing that a DAG file is meant to import."""
