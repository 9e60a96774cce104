"""Error pages: with the reference of the log, or the reason of a refusal."""

import logging
import secrets

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from chat.errors import Unavailable
from noom_project.security.origin import host_fault, refusal
from noom_project.security.refused_requests import Fault, report

RETRY_AFTER_S = "5"

log = logging.getLogger(__name__)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answers 500, with a reference that the log has too."""
    reference = secrets.token_hex(6)
    # noom_project/monitoring/log_formatters.py reads it when Django logs the request.
    request.reference = reference  # type: ignore[attr-defined]
    return render(request, "500.html", {"reference": reference}, status=500)


class Away(MiddlewareMixin):
    """Answers 503 if Redis or the database did not answer in time.

    The answer asks for a later try.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Unavailable):
            return None
        log.warning("%s was answered with 503: %s", request.path, exception)
        answer = render(request, "503.html", status=503)
        answer["Retry-After"] = RETRY_AFTER_S
        return answer


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answers 403 to a form that fails Django's check of origin, cookie and token."""
    fault = _form_fault(request)
    if fault is not None:
        report(fault)
    return render(request, "misdirected.html" if fault else "403_csrf.html", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answers 400 to a suspicious request; a wrong Host is mostly a wrong setting."""
    if not isinstance(exception, DisallowedHost):
        return render(request, "400.html", status=400)
    report(host_fault(getattr(request, "scope", None) or {"headers": []}))
    return render(request, "misdirected.html", status=400)


def _form_fault(request: HttpRequest) -> Fault | None:
    """Returns the fault of proxy or settings; None if the form itself is at fault."""
    scope = getattr(request, "scope", None)
    if scope is None or "HTTP_ORIGIN" not in request.META:
        return None
    fault = refusal(scope)
    if fault is None and settings.CSRF_COOKIE_SECURE and not request.is_secure():
        advice = "Let a proxy bring https, and see X-Forwarded-Proto and TRUSTED_PROXIES."
        return Fault("plain_http", f"scheme {request.scheme!r}", advice)
    return fault
