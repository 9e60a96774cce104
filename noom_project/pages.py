"""The page of an error of ours, with the reference under which the log has it."""

import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def server_error(request: HttpRequest) -> HttpResponse:
    """What is shown where a page could not be made."""
    reference = secrets.token_hex(6)
    # noom_project/logs.py looks for it when Django logs the request.
    request.reference = reference  # type: ignore[attr-defined]
    return render(request, "500.html", {"reference": reference}, status=500)
