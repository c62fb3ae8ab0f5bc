"""The zygote of the workers that run activities."""

import socket
import sys
from pathlib import Path

from orchestrator.storage.keyring import Keyring
from orchestrator.worker.forking import Birth, load_authoring, receive_settings, serve
from orchestrator.worker.process import Endpoints, WorkerProcess
from orchestrator.worker.rawoutput import RawOutput
from orchestrator.worker.settings import WorkerSettings


def main(file: int) -> None:
    """Be the zygote that is spoken to over that socket and, in every process that is forked from it, a worker."""
    control = socket.socket(fileno=file)
    sys.argv[:] = ["orchestrator-worker"]
    settings = receive_settings(control, WorkerSettings)
    load_authoring()
    Keyring(settings.fernet_key, Path(settings.fernet_file)).make_ready()
    serve(control, lambda birth: _live(birth, settings))


def _live(birth: Birth, settings: WorkerSettings) -> None:
    orders, link, writer, reader = birth.files
    ends = Endpoints(socket.socket(fileno=orders), socket.socket(fileno=link), RawOutput(writer, reader))
    WorkerProcess(ends, settings, once=birth.once).run()
