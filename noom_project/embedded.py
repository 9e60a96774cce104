"""What Noom makes for itself where nothing is configured: a secret key, and its own names."""

import contextlib
import os
import secrets
import socket
from pathlib import Path

import ifaddr


def kept_secret(path: Path) -> str:
    """The secret in the file `path`, made on first use and readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # O_EXCL: of two processes that start at once, one makes the key and the other reads it.
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text()


def own_addresses() -> list[str]:
    """This machine's IP addresses, without the link-local ones of version 6."""
    found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return [ip if isinstance(ip, str) else ip[0] for ip in found if ip[0][:4] != "fe80"]


def own_hosts() -> list[str]:
    """The hosts under which a browser may reach an embedded Noom: this machine's own, and no name
    that somebody else could point at it (DNS rebinding)."""
    name = socket.gethostname()
    addresses = [f"[{ip}]" if ":" in ip else ip for ip in own_addresses()]
    return ["localhost", ".localhost", name, f"{name}.local", "127.0.0.1", "[::1]", *addresses]
