"""Every benchmark runs: for seconds, with figures that nobody judges, and writes nothing."""

import os
import subprocess
import sys

import pytest

from bench.servers import PEERS
from tests.support.patience import PATIENCE
from tests.support.servers.dev_server import ROOT

LASTS_S = 120
CHAT = ("bench.chat", "--small", "--rounds", "1", "--seconds", "0.5")
JOIN = ("bench.join", "--rounds", "1", "--no-write")
PAGE = ("bench.page", "--small", "--no-write")
HOPS = ("bench.hops",)
MESH = ("bench.mesh", "2", "--seconds", "1", "--no-write")


@pytest.mark.live
@pytest.mark.parametrize(
    ("command", "heading"),
    [
        pytest.param(CHAT, "## Everything", id="chat"),
        pytest.param(HOPS, "a chat text", id="hops"),
        pytest.param(JOIN, "# Into the call", id="join", marks=pytest.mark.browser),
        pytest.param(PAGE, "# The cost of an event", id="page", marks=pytest.mark.browser),
        pytest.param(MESH, "# A mesh of two to eight", id="mesh", marks=pytest.mark.browser),
    ],
)
def test_benchmark_runs_to_its_end(command, heading):
    assert (PEERS / "node_modules").exists(), "`make bench/peers/node_modules/.stamp` installs it"
    pages = {page: page.read_bytes() for page in (ROOT / "bench").glob("*.md")}
    run = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=LASTS_S * PATIENCE,
    )
    assert run.returncode == 0, run.stdout[-4_000:] + run.stderr[-4_000:]
    assert heading in run.stdout
    assert {page: page.read_bytes() for page in pages} == pages, "it wrote its figures"
