"""What Noom makes for itself where nothing is configured: a secret key, and its own names."""

import fcntl
import os
import secrets
import socket
from pathlib import Path

import ifaddr

from noom_project.local import private_files

MIN_SECRET_CHARS = 32


def kept_secret(path: Path) -> str:
    """The secret in the file `path`, made on first use and readable by its owner alone.

    A file that is empty or cut short, as a full disk once left it, is made anew. Ends the program
    where no secret can be kept.
    """
    try:
        path.parent.mkdir(mode=private_files.FOLDER_MODE, parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            # Of two processes that start at once, one makes the secret and the other reads it.
            fcntl.flock(folder, fcntl.LOCK_EX)
            if len(_read(path)) < MIN_SECRET_CHARS:
                private_files.write(path, secrets.token_urlsafe(50).encode())
            return _read(path)
        finally:
            os.close(folder)
    except OSError as error:
        raise SystemExit(
            f"Noom cannot start: it cannot keep its secret key in {path} ({error.strerror});"
            " make room or let it write there, or set SECRET_KEY."
        ) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except FileNotFoundError:
        return ""


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
