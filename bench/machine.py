"""The machine and the versions of a measurement."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path


def machine() -> str:
    """Describe the machine in one line.

    The line names processor, cores, system, other load, Python and Noom's main packages.
    """
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    packages = ", ".join(f"{name} {version(name)}" for name in ("django", "channels", "daphne"))
    load, _, _ = os.getloadavg()
    return (
        f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores;"
        f" {platform.system()} {platform.release()}, load average {load:.1f};"
        f" Python {platform.python_version()}, {packages}"
    )
