"""What the scheduler is told at its start."""

from datetime import timedelta

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """``start_lag`` is how long the start of an attempt may wait for company in a commit; an attempt that promises
    at most one execution never waits. ``safety_look`` is how often requests are looked for although nobody rang.
    """

    owner: str
    parallelism: int = 32
    max_lost_attempts: int = 3
    queued_timeout: timedelta = timedelta(seconds=600)
    shutdown_grace: timedelta = timedelta(seconds=10)
    start_lag: timedelta = timedelta(milliseconds=50)
    callback_timeout: timedelta = timedelta(seconds=300)
    safety_look: timedelta = timedelta(seconds=10)
    claim_renewal: timedelta = timedelta(seconds=3)
    retry_storage_after: timedelta = timedelta(seconds=1)
