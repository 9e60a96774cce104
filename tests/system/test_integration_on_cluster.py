"""The suite of rooms, calls and doors once more, on what a cluster runs on."""

import os
import subprocess
import sys

import pytest

from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import ROOT
from tests.support.servers.postgres import Postgres

# The tests of the services; the rest of tests/integration needs one process. In parts of
# about the same length, which workers share.
PARTS = [
    ("chat", "convergence", "bans"),
    ("admin", "call", "room_directory"),
    ("protocol_errors", "pages"),
]


@pytest.mark.live
@pytest.mark.parametrize("names", PARTS, ids="-".join)
def test_service_suite_passes_on_postgresql_and_redis(
    postgres: Postgres, redis_url: str, names: tuple[str, ...]
):
    suite = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not live"),
            "--reuse-db",  # it goes with its server; threads that live on would not let go of it
            *(f"tests/integration/test_{name}.py" for name in names),
        ],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": postgres.url, "REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        timeout=600 * PATIENCE,
    )
    assert suite.returncode == 0, suite.stdout[-8_000:] + suite.stderr[-2_000:]
    assert " passed" in suite.stdout
