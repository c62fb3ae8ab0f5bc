"""The zygote of the processes that replay workflows."""

import socket
import sys

from orchestrator.dagbag.quarantine.installing import install
from orchestrator.worker.blue.process import BlueProcess, Ends
from orchestrator.worker.blue.pulse import Pulse
from orchestrator.worker.blue.settings import BlueSettings
from orchestrator.worker.forking import Birth, load_authoring, receive_settings, serve
from orchestrator.worker.rawoutput import RawOutput


def main(file: int) -> None:
    """Be the zygote that is spoken to over that socket and, in every process that is forked from it, a blue one."""
    control = socket.socket(fileno=file)
    sys.argv[:] = ["orchestrator-workflows"]
    settings = receive_settings(control, BlueSettings)
    load_authoring()
    install(workflows=True)
    serve(control, lambda birth: _live(birth, settings))


def _live(birth: Birth, settings: BlueSettings) -> None:
    pulse, link, writer, reader = birth.files
    ends = Ends(socket.socket(fileno=link), Pulse(pulse), RawOutput(writer, reader))
    BlueProcess(ends, settings).run()
