"""What a process needs to replay workflows, made from its settings."""

from collections.abc import Callable

from orchestrator.authoring.blue import Fenced
from orchestrator.authoring.typed.types import AuthorTypes
from orchestrator.authoring.vault import keep_vault
from orchestrator.core.typed import keep_types
from orchestrator.dagbag import importing
from orchestrator.dagbag.classes import VersionClasses
from orchestrator.storage.payloads import FsspecPayloadStore
from orchestrator.worker import bodies
from orchestrator.worker.blue.codes import Codes
from orchestrator.worker.blue.lifting import lifted
from orchestrator.worker.blue.loading import Loader
from orchestrator.worker.blue.payloads import BluePayloads
from orchestrator.worker.blue.replays import Replays
from orchestrator.worker.blue.settings import BlueSettings
from orchestrator.worker.blue.theatre import Onlooker, Recorder, Theatre
from orchestrator.worker.vault import vault_of


def make_replays(
    settings: BlueSettings,
    onlooker: Onlooker,
    recorder: Recorder,
    remark: Callable[[str], None],
    load: bodies.Loader = importing.load,
) -> Replays:
    """Replays that load files, keep payloads and stand behind a fence as the settings say."""
    Fenced.lifted = lifted
    keep_types(AuthorTypes(VersionClasses(settings.allowed_classes)))
    keep_vault(vault_of(settings.database, settings.fernet_key, settings.fernet_file, settings.backing))
    theatre = Theatre(settings.deadlock_timeout, onlooker, recorder)
    codes = Codes(settings.kept_versions, settings.quarantine, load)
    return Replays(
        codes,
        Loader(codes, theatre, settings.import_timeout),
        theatre,
        BluePayloads(FsspecPayloadStore(settings.payloads)),
        kept=settings.kept_runs,
        remark=remark,
    )
