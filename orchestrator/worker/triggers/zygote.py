"""The zygote of the processes in which triggers run."""

import socket
import sys

from orchestrator.worker.forking import Birth, load_authoring, receive_settings, serve
from orchestrator.worker.triggers.process import TriggersProcess
from orchestrator.worker.triggers.settings import TriggererSettings


def main(file: int) -> None:
    """Be the zygote that is spoken to over that socket and, in every process that is forked from it, run triggers."""
    control = socket.socket(fileno=file)
    sys.argv[:] = ["orchestrator-triggers"]
    settings = receive_settings(control, TriggererSettings)
    load_authoring()
    serve(control, lambda birth: _live(birth, settings))


def _live(birth: Birth, settings: TriggererSettings) -> None:
    (link,) = birth.files
    TriggersProcess(socket.socket(fileno=link), settings).run()
