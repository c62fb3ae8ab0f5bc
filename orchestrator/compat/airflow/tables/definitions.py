"""``airflow.sdk.definitions``: where the names of ``airflow.sdk`` are defined, and some imported from."""

from orchestrator.compat.airflow.entries import Table
from orchestrator.compat.airflow.features import (
    ASSETS,
    CONDITIONS,
    CONTINUOUS,
    DEADLINES,
    DECORATORS,
    INTERNALS,
    MAPPING,
)

DEFINITIONS: Table = {
    "airflow.sdk.definitions": {},
    "airflow.sdk.definitions.asset": {
        "Asset": "airflow.sdk:Asset",
        "AssetAlias": "airflow.sdk:AssetAlias",
        "AssetAll": "airflow.sdk:AssetAll",
        "AssetAny": "airflow.sdk:AssetAny",
        "AssetNameRef": ASSETS,
        "AssetRef": ASSETS,
        "AssetUriRef": ASSETS,
        "AssetWatcher": "airflow.sdk:AssetWatcher",
        "BaseAsset": "orchestrator.authoring.assets:BaseAsset",
        "Dataset": "airflow.sdk:Asset",
        "Model": "airflow.sdk:Asset",
    },
    "airflow.sdk.definitions.asset.access_control": {
        "AssetAccessControl": "airflow.sdk:AssetAccessControl",
    },
    "airflow.sdk.definitions.asset.decorators": {
        "AssetDefinition": ASSETS,
        "MultiAssetDefinition": ASSETS,
        "asset": "airflow.sdk:asset",
    },
    "airflow.sdk.definitions.asset.metadata": {
        "Metadata": "airflow.sdk:Metadata",
    },
    "airflow.sdk.definitions.baseoperator": {
        "BaseOperator": "airflow.sdk:BaseOperator",
        "chain": "airflow.sdk:chain",
        "chain_linear": "airflow.sdk:chain_linear",
        "cross_downstream": "airflow.sdk:cross_downstream",
    },
    "airflow.sdk.definitions.baseoperatorlink": {
        "BaseOperatorLink": "airflow.sdk:BaseOperatorLink",
    },
    "airflow.sdk.definitions.callback": {
        "AsyncCallback": "airflow.sdk:AsyncCallback",
        "Callback": DEADLINES,
        "SyncCallback": "airflow.sdk:SyncCallback",
    },
    "airflow.sdk.definitions.connection": {
        "Connection": "airflow.sdk:Connection",
    },
    "airflow.sdk.definitions.context": {
        "AirflowParsingContext": "orchestrator.compat.airflow.parsing_context:AirflowParsingContext",
        "Context": "airflow.sdk:Context",
        "KNOWN_CONTEXT_KEYS": "orchestrator.authoring.context:CONTEXT_KEYS",
        "context_merge": "orchestrator.compat.airflow.conveniences:context_merge",
        "get_current_context": "airflow.sdk:get_current_context",
        "get_parsing_context": "airflow.sdk:get_parsing_context",
        "render_template": INTERNALS,
        "render_template_as_native": INTERNALS,
        "render_template_to_string": INTERNALS,
    },
    "airflow.sdk.definitions.dag": {
        "DAG": "airflow.sdk:DAG",
        "DagStateChangeCallback": "typing:Any",
        "ScheduleArg": "typing:Any",
        "ScheduleInterval": "typing:Any",
        "dag": "airflow.sdk:dag",
    },
    "airflow.sdk.definitions.deadline": {
        "AsyncCallback": "airflow.sdk:AsyncCallback",
        "BaseDeadlineReference": "airflow.sdk:BaseDeadlineReference",
        "DeadlineAlert": "airflow.sdk:DeadlineAlert",
        "DeadlineReference": "airflow.sdk:DeadlineReference",
        "SyncCallback": "airflow.sdk:SyncCallback",
        "VariableInterval": DEADLINES,
        "deadline_reference": "airflow.sdk:deadline_reference",
    },
    "airflow.sdk.definitions.decorators": {
        "TaskDecoratorCollection": DECORATORS,
        "dag": "airflow.sdk:dag",
        "result": "airflow.sdk:result",
        "setup": "airflow.sdk:setup",
        "task": "airflow.sdk:task",
        "task_group": "airflow.sdk:task_group",
        "teardown": "airflow.sdk:teardown",
    },
    "airflow.sdk.definitions.decorators.condition": {
        "run_if": CONDITIONS,
        "skip_if": CONDITIONS,
    },
    "airflow.sdk.definitions.decorators.task_group": {
        "task_group": "airflow.sdk:task_group",
    },
    "airflow.sdk.definitions.edges": {
        "EdgeModifier": "airflow.sdk:EdgeModifier",
        "Label": "airflow.sdk:Label",
    },
    "airflow.sdk.definitions.mappedoperator": {
        "MappedOperator": MAPPING,
        "OperatorPartial": "orchestrator.authoring.mapped:OperatorPartial",
    },
    "airflow.sdk.definitions.param": {
        "DagParam": "orchestrator.authoring.references:DagParam",
        "Param": "airflow.sdk:Param",
        "ParamsDict": "airflow.sdk:ParamsDict",
    },
    "airflow.sdk.definitions.partition_mappers": {},
    "airflow.sdk.definitions.partition_mappers.allowed_key": {
        "AllowedKeyMapper": "airflow.sdk:AllowedKeyMapper",
    },
    "airflow.sdk.definitions.partition_mappers.base": {
        "PartitionMapper": "airflow.sdk:PartitionMapper",
        "RollupMapper": "airflow.sdk:RollupMapper",
    },
    "airflow.sdk.definitions.partition_mappers.chain": {
        "ChainMapper": "airflow.sdk:ChainMapper",
    },
    "airflow.sdk.definitions.partition_mappers.fixed_key": {
        "FixedKeyMapper": "airflow.sdk:FixedKeyMapper",
    },
    "airflow.sdk.definitions.partition_mappers.identity": {
        "IdentityMapper": "airflow.sdk:IdentityMapper",
    },
    "airflow.sdk.definitions.partition_mappers.product": {
        "ProductMapper": "airflow.sdk:ProductMapper",
    },
    "airflow.sdk.definitions.partition_mappers.temporal": {
        "FanOutMapper": "airflow.sdk:FanOutMapper",
        "StartOfDayMapper": "airflow.sdk:StartOfDayMapper",
        "StartOfHourMapper": "airflow.sdk:StartOfHourMapper",
        "StartOfMonthMapper": "airflow.sdk:StartOfMonthMapper",
        "StartOfQuarterMapper": "airflow.sdk:StartOfQuarterMapper",
        "StartOfWeekMapper": "airflow.sdk:StartOfWeekMapper",
        "StartOfYearMapper": "airflow.sdk:StartOfYearMapper",
    },
    "airflow.sdk.definitions.partition_mappers.wait_policy": {
        "MinimumCount": "airflow.sdk:MinimumCount",
        "WaitForAll": "airflow.sdk:WaitForAll",
    },
    "airflow.sdk.definitions.partition_mappers.window": {
        "DayWindow": "airflow.sdk:DayWindow",
        "HourWindow": "airflow.sdk:HourWindow",
        "MonthWindow": "airflow.sdk:MonthWindow",
        "QuarterWindow": "airflow.sdk:QuarterWindow",
        "SegmentWindow": "airflow.sdk:SegmentWindow",
        "WeekWindow": "airflow.sdk:WeekWindow",
        "Window": "airflow.sdk:Window",
        "YearWindow": "airflow.sdk:YearWindow",
    },
    "airflow.sdk.definitions.retry_policy": {
        "ExceptionRetryPolicy": "airflow.sdk:ExceptionRetryPolicy",
        "RetryAction": "airflow.sdk:RetryAction",
        "RetryDecision": "airflow.sdk:RetryDecision",
        "RetryPolicy": "airflow.sdk:RetryPolicy",
        "RetryRule": "airflow.sdk:RetryRule",
    },
    "airflow.sdk.definitions.taskgroup": {
        "MappedTaskGroup": MAPPING,
        "TaskGroup": "airflow.sdk:TaskGroup",
    },
    "airflow.sdk.definitions.template": {
        "literal": "airflow.sdk:literal",
    },
    "airflow.sdk.definitions.timetables": {},
    "airflow.sdk.definitions.timetables.assets": {
        "AssetOrTimeSchedule": "airflow.sdk:AssetOrTimeSchedule",
        "AssetTriggeredTimetable": ASSETS,
        "PartitionedAssetTimetable": "airflow.sdk:PartitionedAssetTimetable",
        "PartitionedAtRuntime": "airflow.sdk:PartitionedAtRuntime",
    },
    "airflow.sdk.definitions.timetables.events": {
        "EventsTimetable": "airflow.sdk:EventsTimetable",
    },
    "airflow.sdk.definitions.timetables.interval": {
        "CronDataIntervalTimetable": "airflow.sdk:CronDataIntervalTimetable",
        "DeltaDataIntervalTimetable": "airflow.sdk:DeltaDataIntervalTimetable",
    },
    "airflow.sdk.definitions.timetables.simple": {
        "ContinuousTimetable": CONTINUOUS,
        "NullTimetable": "orchestrator.authoring.timetables:NullTimetable",
        "OnceTimetable": "orchestrator.authoring.timetables:OnceTimetable",
    },
    "airflow.sdk.definitions.timetables.trigger": {
        "CronPartitionTimetable": "airflow.sdk:CronPartitionTimetable",
        "CronTriggerTimetable": "airflow.sdk:CronTriggerTimetable",
        "DeltaTriggerTimetable": "airflow.sdk:DeltaTriggerTimetable",
        "MultipleCronTriggerTimetable": "airflow.sdk:MultipleCronTriggerTimetable",
    },
    "airflow.sdk.definitions.variable": {
        "Variable": "airflow.sdk:Variable",
    },
    "airflow.sdk.definitions.xcom_arg": {
        "ConcatXComArg": "orchestrator.authoring.references:ConcatXComArg",
        "MapXComArg": "orchestrator.authoring.references:MapXComArg",
        "PlainXComArg": "airflow.sdk:XComArg",
        "XComArg": "airflow.sdk:XComArg",
        "ZipXComArg": "orchestrator.authoring.references:ZipXComArg",
    },
}
