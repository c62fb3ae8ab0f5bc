"""Limits: how long attempts may run, and how long they may be silent."""

from collections.abc import Mapping

from orchestrator.executors.deadlines import Deadlines
from orchestrator.executors.flight import Flight
from orchestrator.names import AttemptKey
from orchestrator.worker.heartbeats import Heartbeats
from orchestrator.worker.wire import Cancel, gone_silent, patience, time_is_up


class Limits:
    """Watches over those of the ``flights`` whose bodies run; moments are seconds of the monotonic clock."""

    def __init__(self, flights: Mapping[AttemptKey, Flight], heartbeats: Heartbeats) -> None:
        self._flights = flights
        self._heartbeats = heartbeats
        self._ends: Deadlines[Flight] = Deadlines(lambda flight: flights.get(flight.key) is flight)
        self._silences: Deadlines[AttemptKey] = Deadlines(flights.__contains__)

    def watch(self, flight: Flight, now: float) -> None:
        """Its body begins."""
        limit, silence = flight.order.execution_timeout, flight.order.heartbeat_timeout
        if limit is not None:
            self._ends.add(now + limit, flight)
        if silence is not None:
            flight.alive_at = now
            self._silences.add(now + patience(silence), flight.key)

    def next(self) -> float | None:
        """When to ask for what is ``due``."""
        moments = [moment for moment in (self._ends.next(), self._silences.next()) if moment is not None]
        return min(moments, default=None)

    def due(self, now: float) -> list[Cancel]:
        """What to tell those that have run, or been silent, for too long."""
        silent = [cancel for key in self._silences.due(now) if (cancel := self._judge(self._flights[key], now))]
        late = [flight for flight in self._ends.due(now) if flight.is_running]
        return [time_is_up(flight.key, flight.order.execution_timeout or 0.0) for flight in late] + silent

    def _judge(self, flight: Flight, now: float) -> Cancel | None:
        """What to tell it, unless it has been heard of since its deadline was set."""
        limit = flight.order.heartbeat_timeout
        if limit is None or not flight.is_running or flight.ending is not None:
            return None
        if (due := flight.alive_at + patience(limit)) > now:
            self._silences.add(due, flight.key)
            return None
        beat = self._heartbeats.last(flight.order.progress)
        return gone_silent(flight.key, limit, "" if beat is None else beat.in_short)
