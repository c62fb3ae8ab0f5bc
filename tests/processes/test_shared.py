"""What a seed of `standalone` holds: all that its processes need, and nothing that may not be forked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LOAD = """
import json, sys, threading
import psutil
from orchestrator.assembly.standalone import load_shared
from orchestrator.config import load_config
from pathlib import Path

home = Path(sys.argv[1])
before = psutil.Process().num_fds()
load_shared(load_config({"ORCHESTRATOR_HOME": str(home)}, home))
print(json.dumps({
    "threads": psutil.Process().num_threads(),
    "files": psutil.Process().num_fds() - before,
    "modules": [name for name in sys.modules if name.partition(".")[0] in ("cryptography", "orchestrator")],
}))
"""


@pytest.mark.parametrize("has_keys", [False, True])
def test_a_seed_holds_what_is_shared_and_the_library_of_secrets_only_where_there_may_be_some(
    tmp_path: Path, has_keys: bool
) -> None:
    if has_keys:
        (tmp_path / "fernet.key").write_text("a key")
    done = subprocess.run([sys.executable, "-c", LOAD, str(tmp_path)], capture_output=True, text=True, check=True)
    held = json.loads(done.stdout)
    assert (held["threads"], held["files"]) == (1, 0), "neither a thread nor a descriptor may be forked"
    assert {"orchestrator.dagbag.watching", "orchestrator.worker.process"} <= set(held["modules"])
    assert ("cryptography.fernet" in held["modules"]) == has_keys
