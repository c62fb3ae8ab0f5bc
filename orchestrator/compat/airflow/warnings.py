"""Airflow's categories of warnings, for files that filter them; nothing here gives one."""


class RemovedInAirflow4Warning(DeprecationWarning):
    """What Airflow 4 will not have any more."""


class AirflowProviderDeprecationWarning(DeprecationWarning):
    """What a provider will not have any more."""
