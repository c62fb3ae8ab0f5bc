"""Where a shielded stretch of code begins and ends."""

from typing import Any

from orchestrator.authoring.blue import Blue
from orchestrator.authoring.shield import shield
from orchestrator.core.activations import Call
from tests.replay.engine import Engine, call


def shielded_calls(engine: Engine) -> list[str]:
    engine.run_all()
    assert engine.ended is not None
    return [command.task_id for command in engine.commands if isinstance(command, Call) and command.shielded]


def test_the_end_of_an_inner_shield_leaves_the_outer_one_standing() -> None:
    def flow(blue: Blue) -> Any:
        with shield():
            with shield():
                call(blue, "a")
            call(blue, "b")
        return call(blue, "c")

    assert shielded_calls(Engine(flow)) == ["a", "b"]


def test_a_shield_that_is_left_by_an_error_is_over() -> None:
    def flow(blue: Blue) -> Any:
        try:
            with shield():
                call(blue, "a")
                raise ValueError
        except ValueError:
            return call(blue, "b")

    assert shielded_calls(Engine(flow)) == ["a"]
