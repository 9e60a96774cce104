"""The lock at the admin's door: whose wrong passwords count as one person's, one at a time."""

import threading
from ipaddress import IPv6Network, ip_address
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest

from chat.realtime.rate_limits import client_address

OWN_PREFIX = 64  # bits; of IPv6 a household is given a network of this size, and so is a thief

_one_at_a_time = threading.Lock()


class LoginForm(AdminAuthenticationForm):
    """The admin's, with one password looked at at a time: django-axes counts a wrong one only after
    it was tried, so that a hundred sent at once would all be tried."""

    def clean(self) -> dict[str, Any]:
        with _one_at_a_time:
            return super().clean()


def locked_address(request: HttpRequest) -> str | None:
    """The address of whoever sends a password, never a forged one; None if it has none."""
    scope = getattr(request, "scope", None)
    told = client_address(scope) if scope else request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(told)
    except ValueError:
        return None
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), OWN_PREFIX), strict=False).network_address)
