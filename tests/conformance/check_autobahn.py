"""The Autobahn cases against Noom's server: framing, pings, fragments, UTF-8, closing.

Sections 9 (large messages) and 12, 13 (compression) ask for what Noom refuses: a frame is bounded,
and nothing is compressed.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.servers.dev_server import ROOT, free_port, listens
from tests.support.waiting import until

SECTIONS = ("1", "2", "3", "4", "5", "6", "7", "10")
RUNNER = ROOT / "var" / "judges" / "bin" / "kosoku"
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}  # of a message, and of a close
EMPTY = {"1.1.1", "1.2.1", "6.1.1", "6.1.2"}  # the cases of empty messages
RUN_S = 240


@pytest.fixture
def failed(tmp_path: Path) -> Iterator[Callable[..., set[str]]]:
    """`failed(*options)`: the cases in which a server of tests/conformance/echo_server.py fails."""
    with ExitStack() as stops:

        def failed(*options: str) -> set[str]:
            port = free_port()
            server = [sys.executable, "-m", "tests.conformance.echo_server", str(port), *options]
            process = subprocess.Popen(server, cwd=ROOT, stderr=subprocess.DEVNULL)
            stops.callback(process.wait, 15)
            stops.callback(process.kill)
            until(lambda: listens(port), "the server", seconds=30)
            cases = [word for section in SECTIONS for word in ("-i", f"{section}.*")]
            run = [str(RUNNER), *cases, "-o", str(tmp_path), f"127.0.0.1:{port}"]
            subprocess.run(run, timeout=RUN_S, stdout=subprocess.DEVNULL)
            (results,) = json.loads((tmp_path / "index.json").read_text()).values()
            assert len(results) == 247
            return {
                case
                for case, result in results.items()
                if {result["behavior"], result["behaviorClose"]} - GOOD
            }

        yield failed


def test_noom_passes_every_case(failed):
    assert failed() == set()


def test_autobahn_fails_stock_daphne_for_empty_messages(failed):
    assert failed("--stock") == EMPTY
