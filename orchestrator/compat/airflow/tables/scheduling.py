"""Timetables, partitions, trigger rules and weights."""

from orchestrator.compat.airflow.entries import Table
from orchestrator.compat.airflow.features import (
    PARTITIONS,
    PRIORITY,
    TIMETABLES,
)

SCHEDULING: Table = {
    "airflow.partition_mappers": {
        "AllowedKeyMapper": "airflow.sdk:AllowedKeyMapper",
        "ChainMapper": "airflow.sdk:ChainMapper",
        "DayWindow": "airflow.sdk:DayWindow",
        "FanOutMapper": "airflow.sdk:FanOutMapper",
        "FixedKeyMapper": "airflow.sdk:FixedKeyMapper",
        "HourWindow": "airflow.sdk:HourWindow",
        "IdentityMapper": "airflow.sdk:IdentityMapper",
        "MinimumCount": "airflow.sdk:MinimumCount",
        "MonthWindow": "airflow.sdk:MonthWindow",
        "PartitionMapper": "airflow.sdk:PartitionMapper",
        "ProductMapper": "airflow.sdk:ProductMapper",
        "QuarterWindow": "airflow.sdk:QuarterWindow",
        "RollupMapper": "airflow.sdk:RollupMapper",
        "SegmentWindow": "airflow.sdk:SegmentWindow",
        "StartOfDayMapper": "airflow.sdk:StartOfDayMapper",
        "StartOfHourMapper": "airflow.sdk:StartOfHourMapper",
        "StartOfMonthMapper": "airflow.sdk:StartOfMonthMapper",
        "StartOfQuarterMapper": "airflow.sdk:StartOfQuarterMapper",
        "StartOfWeekMapper": "airflow.sdk:StartOfWeekMapper",
        "StartOfYearMapper": "airflow.sdk:StartOfYearMapper",
        "WaitForAll": "airflow.sdk:WaitForAll",
        "WeekWindow": "airflow.sdk:WeekWindow",
        "Window": "airflow.sdk:Window",
        "YearWindow": "airflow.sdk:YearWindow",
    },
    "airflow.partition_mappers.allowed_key": {
        "AllowedKeyMapper": "airflow.sdk:AllowedKeyMapper",
    },
    "airflow.partition_mappers.base": {
        "PartitionMapper": "airflow.sdk:PartitionMapper",
        "RollupMapper": "airflow.sdk:RollupMapper",
        "is_rollup": PARTITIONS,
    },
    "airflow.partition_mappers.chain": {
        "ChainMapper": "airflow.sdk:ChainMapper",
    },
    "airflow.partition_mappers.fixed_key": {
        "FixedKeyMapper": "airflow.sdk:FixedKeyMapper",
    },
    "airflow.partition_mappers.identity": {
        "IdentityMapper": "airflow.sdk:IdentityMapper",
    },
    "airflow.partition_mappers.product": {
        "ProductMapper": "airflow.sdk:ProductMapper",
    },
    "airflow.partition_mappers.temporal": {
        "FanOutMapper": "airflow.sdk:FanOutMapper",
        "StartOfDayMapper": "airflow.sdk:StartOfDayMapper",
        "StartOfHourMapper": "airflow.sdk:StartOfHourMapper",
        "StartOfMonthMapper": "airflow.sdk:StartOfMonthMapper",
        "StartOfQuarterMapper": "airflow.sdk:StartOfQuarterMapper",
        "StartOfWeekMapper": "airflow.sdk:StartOfWeekMapper",
        "StartOfYearMapper": "airflow.sdk:StartOfYearMapper",
    },
    "airflow.partition_mappers.wait_policy": {
        "MinimumCount": "airflow.sdk:MinimumCount",
        "PartitionSatisfaction": PARTITIONS,
        "WaitForAll": "airflow.sdk:WaitForAll",
        "WaitPolicy": PARTITIONS,
    },
    "airflow.partition_mappers.window": {
        "DayWindow": "airflow.sdk:DayWindow",
        "HourWindow": "airflow.sdk:HourWindow",
        "MonthWindow": "airflow.sdk:MonthWindow",
        "QuarterWindow": "airflow.sdk:QuarterWindow",
        "SegmentWindow": "airflow.sdk:SegmentWindow",
        "WeekWindow": "airflow.sdk:WeekWindow",
        "Window": "airflow.sdk:Window",
        "YearWindow": "airflow.sdk:YearWindow",
    },
    "airflow.task": {},
    "airflow.task.priority_strategy": {
        "PriorityWeightStrategy": PRIORITY,
        "get_airflow_priority_weight_strategies": PRIORITY,
        "get_weight_rule_from_priority_weight_strategy": PRIORITY,
        "validate_and_load_priority_weight_strategy": PRIORITY,
    },
    "airflow.task.trigger_rule": {
        "TriggerRule": "airflow.sdk:TriggerRule",
    },
    "airflow.task.weight_rule": {
        "WeightRule": "airflow.sdk:WeightRule",
    },
    "airflow.timetables": {},
    "airflow.timetables.assets": {
        "AssetOrTimeSchedule": "airflow.sdk:AssetOrTimeSchedule",
    },
    "airflow.timetables.base": {
        "DagRunInfo": "orchestrator:DagRunInfo",
        "DataInterval": "orchestrator:DataInterval",
        "PartitionMapperInfo": PARTITIONS,
        "TimeRestriction": "orchestrator:TimeRestriction",
        "Timetable": "orchestrator:Timetable",
        "compute_rollup_fingerprint": PARTITIONS,
    },
    "airflow.timetables.datasets": {
        "DatasetOrTimeSchedule": "airflow.sdk:AssetOrTimeSchedule",
    },
    "airflow.timetables.events": {
        "EventsTimetable": "airflow.sdk:EventsTimetable",
    },
    "airflow.timetables.interval": {
        "CronDataIntervalTimetable": "airflow.sdk:CronDataIntervalTimetable",
        "Delta": TIMETABLES,
        "DeltaDataIntervalTimetable": "airflow.sdk:DeltaDataIntervalTimetable",
    },
    "airflow.timetables.simple": {
        "AssetTriggeredTimetable": "airflow.sdk.definitions.timetables.assets:AssetTriggeredTimetable",
        "ContinuousTimetable": "airflow.sdk.definitions.timetables.simple:ContinuousTimetable",
        "DEFAULT_PARTITION_MAPPER": PARTITIONS,
        "NullTimetable": "airflow.sdk.definitions.timetables.simple:NullTimetable",
        "OnceTimetable": "airflow.sdk.definitions.timetables.simple:OnceTimetable",
        "PartitionedAssetTimetable": "airflow.sdk:PartitionedAssetTimetable",
        "PartitionedAtRuntime": "airflow.sdk:PartitionedAtRuntime",
    },
    "airflow.timetables.trigger": {
        "CronPartitionTimetable": "airflow.sdk:CronPartitionTimetable",
        "CronTriggerTimetable": "airflow.sdk:CronTriggerTimetable",
        "DeltaTriggerTimetable": "airflow.sdk:DeltaTriggerTimetable",
        "MultipleCronTriggerTimetable": "airflow.sdk:MultipleCronTriggerTimetable",
    },
}
