"""Rendering a task's template fields in a child process, since that runs an author's code."""

import signal
import subprocess
import sys

import msgspec

from orchestrator.assembly.executor import worker_settings
from orchestrator.config import Config
from orchestrator.core.orders import Order
from orchestrator.core.particulars import Failure
from orchestrator.worker.rendering import Rendered, RenderJob

_CHILD = "import sys; sys.path[:] = sys.argv[1:]; from orchestrator.worker.rendering import main; main()"


def render(config: Config, order: Order) -> Rendered:
    """The template fields of the order's task as a worker would fill them."""
    job = msgspec.json.encode(RenderJob(order, worker_settings(config)))
    done = subprocess.run(
        [sys.executable, "-P", "-c", _CHILD, *sys.path], input=job, stdout=subprocess.PIPE, check=False
    )
    try:
        return msgspec.json.decode(done.stdout, type=Rendered)
    except msgspec.DecodeError:
        end = f"{order.file} ended the process that renders its templates, {_how(done.returncode)}"
        return Rendered(failure=Failure(message=end))


def _how(status: int) -> str:
    return f"with {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"
