"""Views of the welcome page, of rooms, and of unknown addresses."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import set_language

from chat import tokens
from chat.errors import Unavailable
from chat.forms import WelcomeForm
from chat.names import cleaning, keys
from chat.realtime.rate_limits import TokenBuckets, client_address, network
from chat.services import qr_code as qr
from chat.services import room_directory, rooms
from chat.storage import bans, database

BROWSER_COOKIE = "noom_browser"
BROWSER_COOKIE_AGE_S = 365 * 24 * 3600
# Not robots.txt, which would also keep messengers from the title of a pasted link.
NOT_INDEXED = "noindex, nofollow"
# Requests of one address for the number of people in a room. More get the status 429.
LOOKS_PER_S, LOOKS_BURST_S = 5.0, 10.0
NON_PAGE_PREFIXES = ("static", "api", "ws", "media", ".well-known")


looks = TokenBuckets(lambda: LOOKS_PER_S, burst_s=LOOKS_BURST_S)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
async def home(request: HttpRequest) -> HttpResponse:
    """Render the welcome page, whose form leads into a room.

    The form changes nothing on the server. A browser without cookies has no CSRF token, and sends
    the form by GET.
    """
    sent = request.POST if request.method == "POST" else request.GET
    form = WelcomeForm(sent if "room" in sent else None, initial={"listed": settings.LIST_ROOMS})
    if form.is_valid():
        name, query = form.cleaned_data["room"], QueryDict(mutable=True)
        query["nickname"] = form.cleaned_data["nickname"]
        if not form.cleaned_data["listed"]:
            return _to_room(keys.unlisted_key(name), name, query)
        return _to_room(await rooms.key_of_name(name), name, query)
    status = 400 if form.errors else 200
    context = {"form": form} | await _open_rooms(request)
    return render(request, "home.html", context, status=status)


@never_cache
@require_safe
async def room(request: HttpRequest, key: str) -> HttpResponse:
    """Render the page of a room; the first person who enters makes the room.

    The page does not show whether the room exists or is closed. Only entering tells.
    """
    if not keys.is_key(key):
        return await address(request, key)
    known = request.get_signed_cookie(BROWSER_COOKIE, default="") or ""
    if known and await _is_banned(key, known):
        return render(request, "removed.html", status=403)
    name, browser = _proposed_name(request, key), known or tokens.new_browser_id()
    context = {
        "room": {"key": key, "name": name, "listed": not keys.is_unlisted(key)},
        "room_data": _room_data(request, key=key, name=name, browser=browser),
    }
    response = render(request, "room.html", context)
    response.set_signed_cookie(
        BROWSER_COOKIE,
        browser,
        max_age=BROWSER_COOKIE_AGE_S,
        httponly=True,
        secure=request.is_secure(),
        samesite="Lax",
    )
    response["X-Robots-Tag"] = NOT_INDEXED
    return response


@never_cache
@require_safe
def qr_code(request: HttpRequest, key: str) -> HttpResponse:
    """Render the address of a room as a QR code, and nothing else."""
    if not keys.is_key(key):
        raise Http404
    link = request.build_absolute_uri(reverse("room", args=[key]))
    return HttpResponse(qr.svg(link), content_type="image/svg+xml")


@never_cache
@require_safe
async def company(request: HttpRequest, key: str) -> HttpResponse:
    """Return only the number of people in a room, for those who may enter next.

    The room is given by its key, or by its name as somebody types it.
    """
    scope: dict[str, Any] = getattr(request, "scope", None) or {"headers": []}
    if not looks.take(network(client_address(scope))):
        return HttpResponse(status=429)
    meant, name = keys.meant(key)
    known = request.get_signed_cookie(BROWSER_COOKIE, default="") or ""
    found = key if keys.is_key(key) else meant or await rooms.key_of_name(name)
    if known and await _is_banned(found, known):
        return HttpResponse(status=403)
    return JsonResponse({"people": await rooms.count_people(found)})


@never_cache
@require_safe
async def address(request: HttpRequest, key: str) -> HttpResponse:
    """Redirect from the address of a room as people type it.

    It may lack the last slash, and hold capitals, spaces and signs. The redirect keeps the typed
    name and the query.
    """
    meant, name = keys.meant(key)
    if not name:
        return redirect("home")
    return _to_room(meant or await rooms.key_of_name(name), name, request.GET.copy())


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keep the chosen language in a cookie, and redirect to a page of this site."""
    return set_language(request)


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Redirect to the icon, for pages that name none, such as the admin's."""
    return redirect(static("favicon.svg"))


@require_safe
def redirect_unknown(request: HttpRequest) -> HttpResponse:
    """Redirect unknown pages to the welcome page; answer programs with 404."""
    first, _, _ = request.path.lstrip("/").partition("/")
    is_file = "." in request.path.rpartition("/")[2]
    if first in NON_PAGE_PREFIXES or is_file or not request.accepts("text/html"):
        raise Http404
    return redirect("home")


async def _is_banned(key: str, browser: str) -> bool:
    """Whether a browser was removed from a room; False while nobody knows.

    While the database is away, the page loads and says that it is connecting; entering checks
    again.
    """
    try:
        return await database.query(bans.is_banned, key, browser)
    except Unavailable:
        return False


async def _open_rooms(request: HttpRequest) -> dict[str, Any]:
    """The fullest rooms, or those that match the search.

    The list is empty while it is unavailable, because the page's script requests it again.
    """
    words = cleaning.clean_line(request.GET.get("q", ""), cleaning.MAX_ROOM_NAME_CHARS)
    listing = await room_directory.current().glance()
    found = listing.found(words) if listing else []
    return {
        "rooms": [
            {"key": r.key, "name": r.name, "count": r.count, "in_call": r.in_call}
            | {"url": reverse("room", args=[r.key])}
            for r in found
        ],
        "words": words,
        "more": listing is not None and len(listing.rooms) > room_directory.MAX_SHOWN,
    }


def _to_room(key: str, name: str, query: QueryDict) -> HttpResponse:
    """Redirect to a room's page, with the name in the query if the key lacks it."""
    if name != keys.default_room_name(key):
        query["name"] = name
    asked = f"?{query.urlencode()}" if query else ""
    return redirect(reverse("room", args=[key]) + asked)


def _room_data(request: HttpRequest, *, key: str, name: str, browser: str) -> dict[str, Any]:
    """The data for the page's script.

    `reference` is the participant's id, which the log has too, so that a person can quote it.
    """
    token = tokens.issue(key=key, browser=browser, room_name=name)
    return {
        "token": token,
        "reference": tokens.verify(token, key=key).participant,
        "token_renew_s": settings.TOKEN_MAX_AGE_S / 2,
        "key": key,
        "name": name,
        "listed": not keys.is_unlisted(key),
        "nickname": cleaning.clean_line(
            request.GET.get("nickname", ""), cleaning.MAX_NICKNAME_CHARS
        ),
        "join_call": request.GET.get("call") == "1",
        "capacity": settings.CALL_CAPACITY,
    }


def _proposed_name(request: HttpRequest, key: str) -> str:
    """The name that a new room gets: the typed one if the key is made from it."""
    typed = cleaning.room_name(request.GET.get("name", ""))
    if typed and keys.key_of_name(typed) == keys.slug_of(key):
        return typed
    return keys.default_room_name(key)
