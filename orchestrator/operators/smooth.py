"""Plays a song."""

from typing import Any

from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.runtime import Context

__all__ = ["SmoothOperator"]


class SmoothOperator(BaseOperator):
    """Writes the address of a song into its log: something to look at for whoever tries things out."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.yt_link = "https://www.youtube.com/watch?v=4TYv2PhG89A"

    def execute(self, context: Context) -> None:  # noqa: ARG002 - a song for every run
        self.log.info("Enjoy Sade - Smooth Operator: %s", self.yt_link)
