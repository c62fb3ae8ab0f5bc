"""The loop: turn, sleep until something is due or arrives, and stop when asked to."""

from collections.abc import Callable
from datetime import datetime, timedelta

from orchestrator.engine.scheduler import Scheduler
from orchestrator.engine.settings import Settings
from orchestrator.ports import Clock, Doorbell


class StopRequest:
    """Counts how often somebody asked the scheduler to stop: once, gracefully; twice, now."""

    def __init__(self) -> None:
        self.times = 0

    def ask(self) -> None:
        self.times += 1


def serve(
    scheduler: Scheduler,
    *,
    doorbell: Doorbell,
    clock: Clock,
    settings: Settings,
    stop: StopRequest,
    on_ready: Callable[[], None] = lambda: None,
    on_turn: Callable[[timedelta], None] = lambda _: None,
) -> None:
    """Run until ``stop`` is asked; whoever asks must also ring the doorbell. ``on_turn`` is told how long each took."""
    try:
        scheduler.start()
        on_ready()
        looked_at = clock.now()
        rung = True
        while not stop.times:
            began = clock.now()
            scheduler.tick(rung=rung)
            on_turn(clock.now() - began)
            rung = doorbell.wait(scheduler.files(), _pause(scheduler, clock, settings.safety_look))
            if rung or not looked_at <= clock.now() < looked_at + settings.safety_look:
                rung, looked_at = True, clock.now()
        _drain(scheduler, doorbell, clock, settings, stop)
    finally:
        scheduler.stop()


def _drain(
    scheduler: Scheduler,
    doorbell: Doorbell,
    clock: Clock,
    settings: Settings,
    stop: StopRequest,
) -> None:
    """Take back what has not begun, and wait a while for what has."""
    scheduler.stop_handing_out()
    since = clock.now()
    until = since + settings.shutdown_grace
    while stop.times < 2 and since <= clock.now() < until:  # also where the clock is set back, it ends
        scheduler.tick(rung=False)
        if not scheduler.open_attempts:
            return
        doorbell.wait(scheduler.files(), _pause(scheduler, clock, until - clock.now()))


def _pause(scheduler: Scheduler, clock: Clock, most: timedelta) -> float:
    due: datetime | None = scheduler.next_due()
    left = most if due is None else min(most, due - clock.now())
    return max(0.0, left.total_seconds())
