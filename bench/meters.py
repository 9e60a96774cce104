"""Meters of the servers from outside: CPU time, memory, and Redis commands."""

import os
import re
import socket
from pathlib import Path

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pids: list[int]) -> float:
    """Return the CPU time of processes, user and system, all threads."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / CLOCK_TICKS


def memory_kb(pids: list[int]) -> int:
    """Return the resident memory in KiB."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def published(redis: int) -> int:
    """Return how many PUBLISH commands the Redis at this port has received."""
    if not redis:
        return 0
    with socket.create_connection(("127.0.0.1", redis), 1) as connection:
        connection.sendall(b"INFO commandstats\r\n")
        told = connection.recv(65_536)
    found = re.search(rb"cmdstat_publish:calls=(\d+)", told)
    return int(found[1]) if found else 0
