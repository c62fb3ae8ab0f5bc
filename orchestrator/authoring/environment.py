"""Variables and Connections in the environment, under this program's names and Airflow's."""

import re
from collections.abc import Mapping

PROGRAMS = ("ORCHESTRATOR", "AIRFLOW")


def of_environment(environment: Mapping[str, str], kind: str, name: str) -> str | None:
    """What ``ORCHESTRATOR_<kind>_<NAME>``, else ``AIRFLOW_<kind>_<NAME>`` holds; ``kind`` is VAR or CONN.

    The name is in capitals, as it is or with an underscore for whatever is no letter or digit.
    """
    for program in PROGRAMS:
        for spelling in (name.upper(), plain(name)):
            found = environment.get(f"{program}_{kind}_{spelling}")
            if found is not None:
                return found
    return None


def plain(name: str) -> str:
    """The name as every shell takes it."""
    return re.sub(r"\W", "_", name).upper()
