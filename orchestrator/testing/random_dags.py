"""Random DAGs with schedules, pools, limits, mapped tasks and every mode of delivery, drawn from a seed."""

import random
from datetime import timedelta

import msgspec

from orchestrator.core.spec import Cron, DagSpec, Every, RetrySpec, Schedule, TaskSpec, mapping_over
from orchestrator.names import CallbackKind, Delivery, TriggerRule
from orchestrator.testing.clock import EPOCH

_OF_RUNS = [CallbackKind.SUCCESS, CallbackKind.FAILURE]
POOLS = {"default_pool": 128, "narrow": 1, "wide": 4}
DAYS_END = EPOCH + timedelta(seconds=120)  # no schedule has a slot after this


def random_dags(seed: int, dags: int, tasks: int) -> list[DagSpec]:
    """``d0``, ``d1`` …, each of up to that many tasks."""
    return [_random_dag(random.Random(f"dags/{seed}/{number}"), f"d{number}", tasks) for number in range(dags)]


def next_version(spec: DagSpec, dice: random.Random) -> DagSpec:
    """The DAG as an author may have edited it: a task more, or a leaf less."""
    leaves = _leaves(spec)
    tasks = list(spec.tasks)
    if len(tasks) > 1 and dice.random() < 0.4:
        gone = dice.choice(leaves)
        tasks = [task for task in tasks if task.task_id != gone]
    else:
        tasks.append(_random_task(dice, f"t{len(tasks)}_{dice.randrange(10**6)}", [task.task_id for task in tasks]))
    return msgspec.structs.replace(spec, tasks=tuple(tasks))


def _leaves(spec: DagSpec) -> list[str]:
    taken = {name for task in spec.tasks for name in task.upstream}
    return [task.task_id for task in spec.tasks if task.task_id not in taken]


def _random_dag(dice: random.Random, dag_id: str, most: int) -> DagSpec:
    names = [f"t{number}" for number in range(dice.randint(1, most))]
    return DagSpec(
        dag_id=dag_id,
        file=f"{dag_id}.py",
        schedule=_random_schedule(dice),
        start_date=EPOCH - timedelta(seconds=dice.choice((0, 30))),
        end_date=DAYS_END - timedelta(seconds=10),
        catchup=dice.random() < 0.5,
        max_active_runs=dice.choice((1, 2, 16)),
        max_active_tasks=dice.choice((1, 3, 16)),
        fail_fast=dice.random() < 0.1,
        dagrun_timeout=timedelta(seconds=40) if dice.random() < 0.1 else None,
        tasks=tuple(_random_task(dice, name, names[:number]) for number, name in enumerate(names)),
        callbacks=_random_callbacks(random.Random(f"calls/{dag_id}/{most}"), _OF_RUNS),
    )


def _random_schedule(dice: random.Random) -> Schedule | None:
    return dice.choice(
        (None, Every(period=timedelta(seconds=15)), Cron(expression="* * * * * */20", interval=dice.random() < 0.5))
    )


def _random_task(dice: random.Random, name: str, before: list[str]) -> TaskSpec:
    upstream = tuple(sorted(dice.sample(before, k=min(len(before), dice.choice((0, 1, 1, 2, 3))))))
    delivery = dice.choice(list(Delivery))
    pool = dice.choice(("default_pool", "default_pool", "narrow", "wide"))
    task = TaskSpec(
        task_id=name,
        upstream=upstream,
        inputs=upstream[:1],
        trigger_rule=dice.choice(list(TriggerRule)) if dice.random() < 0.4 else TriggerRule.ALL_SUCCESS,
        retry=RetrySpec(
            retries=0 if delivery is Delivery.AT_MOST_ONCE else dice.choice((0, 0, 1, 3)),
            delay=timedelta(seconds=dice.choice((0, 5))),
        ),
        weight=dice.randrange(1, 9),
        pool=pool,
        pool_slots=dice.choice((1, 1, 2, 3)) if pool == "wide" else 1,
        max_active_tis_per_dag=dice.choice((None, None, 1)),
        max_active_tis_per_dagrun=dice.choice((None, None, 1)),
        delivery=delivery,
        connection="there" if delivery is Delivery.TRANSACTIONAL else None,
        mapping=mapping_over(*dice.choice(((0,), (3,), (2, 3)))) if dice.random() < 0.25 else None,
        does_nothing=dice.random() < 0.1,
    )
    called = _random_callbacks(random.Random(f"calls/{name}/{upstream}"), list(CallbackKind))
    return _in_role(random.Random(f"role/{name}/{upstream}"), msgspec.structs.replace(task, callbacks=called))


def _random_callbacks(dice: random.Random, kinds: list[CallbackKind]) -> tuple[CallbackKind, ...]:
    """Drawn apart, so that a seed means the same DAG but for that."""
    return tuple(kind for kind in kinds if dice.random() < 0.6) if dice.random() < 0.5 else ()


def _in_role(dice: random.Random, task: TaskSpec) -> TaskSpec:
    """Some are setups, some teardowns; drawn apart, so that a seed means the same DAG but for that."""
    role = dice.random()
    if role < 0.1 and task.upstream:
        return msgspec.structs.replace(
            task,
            is_teardown=True,
            on_failure_fail_dagrun=role < 0.03,
            trigger_rule=TriggerRule.ALL_DONE_SETUP_SUCCESS,
        )
    return msgspec.structs.replace(task, is_setup=role > 0.85)
