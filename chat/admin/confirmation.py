"""The question before what an admin cannot take back: a page of its own, which needs no script."""

from collections.abc import Iterable
from typing import NamedTuple

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

MAX_SHOWN = 20  # of the things that it concerns; of the rest the page says how many
ANSWER = "sure"


class Question(NamedTuple):
    """What stands on the page, and on the button that does it."""

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
    """Whether the form comes from the question, by its "Yes"."""
    return request.POST.get(ANSWER) == "yes"


def page(request: HttpRequest, question: Question, concerned: Iterable[object]) -> TemplateResponse:
    """Asks; "Yes" sends the form once more as it came, and with the answer."""
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
    """The page that the form was on; it may lead to our own pages alone."""
    came_from = request.META.get("HTTP_REFERER", "")
    ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()})
    return came_from if ours else "../"
