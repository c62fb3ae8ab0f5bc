"""Which secrets backends a home has."""

from orchestrator.assembly.plugins import roll
from orchestrator.config import Config
from orchestrator.dagbag.backends import Backing


def backing_of(config: Config) -> Backing:
    """Names only: none of their code runs for it."""
    plugins = tuple((card.name, card.source) for card in roll(config).bringing("secrets_backends"))
    return Backing(
        dags_folder=str(config.core.dags_folder),
        plugins_folder=str(config.core.plugins_folder),
        backend=config.secrets.backend,
        kwargs=config.secrets.backend_kwargs,
        plugins=plugins,
    )
