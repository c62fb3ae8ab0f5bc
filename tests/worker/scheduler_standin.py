"""A process that holds an executor as a scheduler does, until it is killed: KIND FOLDER TASK."""

import sys
from pathlib import Path

from tests.worker.workshop import Bench, Workshop, make_executor

if __name__ == "__main__":
    kind, folder, task_id = sys.argv[1:]
    shop = Workshop(Path(folder))
    bench = Bench(make_executor(kind, shop))
    bench.executor.start()
    bench.submit(shop.order(task_id))
    while True:
        bench.turn(1.0)
