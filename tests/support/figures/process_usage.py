"""The cost of a process.

Memory, processor and files from /proc, and its own metrics.
"""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.support.patience import PATIENCE

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Load:
    """One process."""

    def __init__(self, pid: int) -> None:
        self._proc = Path(f"/proc/{pid}")

    def memory_bytes(self) -> int:
        """Return the resident memory."""
        pages = int((self._proc / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_s(self) -> float:
        """Return the processor time of all its threads until now."""
        # The name in parentheses may contain spaces; user and system time are fields 14 and 15.
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def files(self) -> int:
        """Return the number of open descriptors, with sockets."""
        return len(list((self._proc / "fd").iterdir()))


def tasks(url: str) -> int:
    """Return how many tasks the server's event loop has, according to its metrics."""
    with urlopen(f"{url}/metrics", timeout=10 * PATIENCE) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return next(int(one.samples[0].value) for one in families if one.name == "noom_tasks")


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """Return the growth of the second value by one of the first, by least squares."""
    return statistics.linear_regression(*zip(*samples, strict=True)).slope
