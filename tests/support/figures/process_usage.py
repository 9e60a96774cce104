"""What a process costs, read from /proc: memory, processor, files; and what it tells of itself."""

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
        """Resident memory."""
        pages = int((self._proc / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_s(self) -> float:
        """Processor time until now, of all its threads."""
        # The name in parentheses may hold spaces; user and system time are the 14th and 15th field.
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def files(self) -> int:
        """Open descriptors, sockets among them."""
        return len(list((self._proc / "fd").iterdir()))


def tasks(url: str) -> int:
    """How many tasks the event loop of the server there has, by its own word."""
    with urlopen(f"{url}/metrics", timeout=10 * PATIENCE) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return next(int(one.samples[0].value) for one in families if one.name == "noom_tasks")


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """Growth of the second value by one of the first, by least squares."""
    return statistics.linear_regression(*zip(*samples, strict=True)).slope
