"""The login lock of the admin: attempts by address, one at a time."""

import threading
from ipaddress import ip_address
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest

from chat.realtime.rate_limits import client_address, network

_one_at_a_time = threading.Lock()


class LoginForm(AdminAuthenticationForm):
    """The admin's login form, which checks one password at a time.

    django-axes counts a wrong password after its check. Without the lock a hundred passwords sent
    at once would all be checked.
    """

    def clean(self) -> dict[str, Any]:
        with _one_at_a_time:
            return super().clean()


def locked_address(request: HttpRequest) -> str | None:
    """Returns the address that sends a password, never a forged one; None if unknown."""
    scope = getattr(request, "scope", None)
    address = client_address(scope) if scope else request.META.get("REMOTE_ADDR", "")
    try:
        ip_address(address)
    except ValueError:
        return None
    return network(address).partition("/")[0]  # django-axes stores an address and no network
