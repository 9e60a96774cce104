"""Confirmation page before an irreversible action, without a script."""

from collections.abc import Iterable
from typing import NamedTuple

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

MAX_SHOWN = 20  # objects by name; the page counts further ones
ANSWER = "sure"


class Question(NamedTuple):
    """Texts of the page and of the button that confirms."""

    title: Promise
    sentence: Promise
    yes: Promise


CLOSE = Question(
    _("Close the room?"),
    _("Everyone in it is sent out, and nobody can enter until it is reopened."),
    _("Yes, close"),
)
CLEAR = Question(
    _("Delete all messages?"),
    _("They go from the database and from every open page, and cannot be brought back."),
    _("Yes, delete"),
)
REMOVE = Question(
    _("Remove this person?"),
    _("All pages of their browser leave the room, and cannot come back until they are let in."),
    _("Yes, remove"),
)
END_CALL = Question(
    _("End the call?"),
    _("Everyone in the call is sent out of it. They stay in the room, and may join again."),
    _("Yes, end the call"),
)


def answered(request: HttpRequest) -> bool:
    """Whether the form comes from the button "Yes" of the question."""
    return request.POST.get(ANSWER) == "yes"


def page(request: HttpRequest, question: Question, concerned: Iterable[object]) -> TemplateResponse:
    """Show the question; "Yes" sends the form again, with the answer."""
    came = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in ("csrfmiddlewaretoken", ANSWER)
        for value in values
    ]
    names = [str(one) for one in concerned]
    context = {
        **admin.site.each_context(request),
        **question._asdict(),
        "concerned": names[:MAX_SHOWN],
        "more": max(0, len(names) - MAX_SHOWN),
        "fields": [*came, (ANSWER, "yes")],
        "back": _back(request),
    }
    return TemplateResponse(request, "admin/question.html", context)


def _back(request: HttpRequest) -> str:
    """The page that held the form, if it is a page of this site."""
    came_from = request.META.get("HTTP_REFERER", "")
    ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()})
    return came_from if ours else "../"
