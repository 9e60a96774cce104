"""The doctor's checks from outside: Noom as a browser meets it."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

from websockets.asyncio.client import connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)
from websockets.typing import Origin

from noom_project.doctor.findings import Check, Finding, skipped, wrong
from noom_project.doctor.inside import compared
from noom_project.doctor.web import ANSWER_S, Answer, NoAnswer, Site, explained

LOBBY = "/ws/lobby/"
REDIRECTS = 5
HOLD_S = 9.0  # a socket has a ping every 6 s (noom_project/server/websocket.py)
FIRST_EVENT_S = 3.0  # without an event; then a page takes the stream for buffered
STRANGER = "https://doctor.invalid"
OPEN = b'{"do": "open", "stream": true}'
SCRIPT = re.compile(r'<script[^>]* src="([^"]+)"')
UPGRADE = (
    "Let the proxy pass Upgrade and Connection on; docs/operating.md has a tested configuration"
    " of each proxy."
)
# By the reason of a refusal (noom_project/security/refused_requests.py).
ADVICE = {
    "scheme": "Let the proxy set X-Forwarded-Proto to https, and set TRUSTED_PROXIES to the number"
    " of your proxies.",
    "port": "Let the proxy pass Host on with its port (nginx: $http_host, not $host).",
    "host": "Add the name to ALLOWED_HOSTS, and let the proxy pass the browser's Host on.",
    "foreign": "Open Noom by its own name, or add this origin to CSRF_TRUSTED_ORIGINS.",
    "no_origin": "Let the proxy pass Origin on.",
}


def all_checks(site: Site) -> list[Check]:
    """Returns the checks in the order in which a browser needs them."""
    found = (page, script, websocket, patience, fallback, origin, metrics, clock)
    failures: list[NoAnswer] = []
    return [_guarded(check, site, failures) for check in found]


def _guarded(
    check: Callable[[Site], Awaitable[Finding]], site: Site, failures: list[NoAnswer]
) -> Check:
    """Returns a check that reports a site without an answer, once for all checks."""

    async def run() -> Finding:
        if failures:
            return skipped(check.__name__, f"{site.origin} does not answer")
        try:
            return await check(site)
        except NoAnswer as failure:
            failures.append(failure)
            return wrong(check.__name__, f"{site.origin} fails", failure.why, failure.advice)

    return run


async def page(site: Site) -> Finding:
    """Loads the welcome page."""
    path, seen = "/", []
    for _ in range(REDIRECTS):
        answer = await site.ask(path)
        if answer.status not in (301, 302, 307, 308):
            return _page(site, answer, path)
        path = urljoin(urljoin(site.origin, path), answer.headers.get("Location", ""))
        seen.append(path)
    why = "It is redirected again and again, as a rule by SECURE_SSL_REDIRECT: the server takes"
    why += " each request for plain http."
    return wrong("page", f"no page after {REDIRECTS} redirects ({seen[-1]})", why, ADVICE["scheme"])


def _page(site: Site, answer: Answer, path: str) -> Finding:
    where = urljoin(site.origin, path)
    told = f"{where} answered {answer.status}"
    if answer.status == 200 and b"Noom" in answer.body and SCRIPT.search(answer.body.decode()):
        return Finding("page", told)
    if answer.status == 200:
        return wrong("page", told, "This page is not Noom's.", "Point the proxy at Noom.")
    if answer.status == 400:
        why = "The Host that reaches the server is not in ALLOWED_HOSTS."
        return wrong("page", told, why, ADVICE["host"])
    if answer.status in (502, 503, 504):
        advice = "See that `manage.py serve` runs, and that the proxy has its address and port."
        return wrong("page", told, "The proxy reaches no process of Noom.", advice)
    return wrong("page", told, "", "See the logs of the proxy and of Noom.")


async def script(site: Site) -> Finding:
    """Loads the script of the welcome page."""
    found = SCRIPT.search((await site.ask("/")).body.decode(errors="replace"))
    if found is None:
        return skipped("script", "there is no page that names one")
    answer = await site.ask(found[1])
    told = f"{found[1]} answered {answer.status}"
    if answer.status == 200 and "javascript" in answer.headers.get_content_type():
        return Finding("script", told)
    advice = "Run manage.py collectstatic, restart, and let the proxy pass /static/ on as it is."
    return wrong("script", told, "The page starts nothing without it.", advice)


async def websocket(site: Site) -> Finding:
    """Opens a WebSocket as a page of this site does, and waits for the first event."""
    try:
        await _shake_hands(site, site.origin)
    except InvalidStatus as refusal:
        return await _refused(site, refusal.response.status_code)
    except TimeoutError:
        why = "The handshake, or the first event after it, did not come."
        return wrong("websocket", f"silence at {site.sockets}{LOBBY}", why, UPGRADE)
    except (InvalidHandshake, WebSocketException) as error:
        return wrong("websocket", f"{site.sockets}{LOBBY} fails", str(error), UPGRADE)
    except OSError as error:
        raise explained(error, site.origin) from error
    return Finding("websocket", f"{site.sockets}{LOBBY} opened and sent the list of rooms")


async def _shake_hands(site: Site, page_origin: str) -> None:
    """Returns when the first event has arrived."""
    async with asyncio.timeout(ANSWER_S), _socket(site, page_origin) as line:
        await line.recv()


def _socket(site: Site, page_origin: str) -> connect:
    return connect(
        site.sockets + LOBBY,
        origin=Origin(page_origin),
        ssl=site.context,
        open_timeout=ANSWER_S,
        proxy=None,
    )


async def patience(site: Site) -> Finding:
    """Holds a socket on which only pings pass, for longer than their interval."""
    start = time.monotonic()
    try:
        async with _socket(site, site.origin) as line, asyncio.timeout(HOLD_S):
            while True:
                await line.recv()
    except ConnectionClosed:
        told = f"a silent socket ended after {time.monotonic() - start:.0f} s"
        why = "The proxy gives up silent sockets: pages lose their line again and again."
        advice = "Let its time-outs for reading, sending and tunnels be 60 s or more."
        return wrong("patience", told, why, advice)
    except TimeoutError:
        lived_s = time.monotonic() - start
        if lived_s >= HOLD_S:
            return Finding("patience", f"a silent socket lived for {lived_s:.0f} s")
    except (WebSocketException, OSError):
        pass
    return skipped("patience", "no socket opens")


async def _refused(site: Site, status: int) -> Finding:
    told = f"{site.sockets}{LOBBY} answered {status}"
    reason = await _reason(site) if status == 403 else ""
    if reason:
        why = f"The server takes this page for another site's ({reason}); its log has more."
        return wrong("websocket", told, why, ADVICE.get(reason, "See the log."))
    if status == 403:
        return wrong("websocket", told, "Something before Noom refuses WebSockets.", UPGRADE)
    return wrong("websocket", told, "The handshake does not reach Noom as one.", UPGRADE)


async def _reason(site: Site) -> str:
    """Returns the reason for refusing this origin, as a page reads it."""
    answer = await site.ask("/http/lobby/", "POST", headers={"Origin": site.origin}, body=OPEN)
    return answer.headers.get("Noom-Refused", "")


async def fallback(site: Site) -> Finding:
    """Opens a session of the HTTP transport and waits for its event stream."""
    start = time.monotonic()
    status, headers, first = await _stream(site)
    told = f"{site.origin}/http/lobby/ answered {status}"
    if status == 403 and (reason := headers.get("noom-refused", "")):
        why = f"The server takes this page for another site's ({reason}); its log has more."
        return wrong("fallback", told, why, ADVICE.get(reason, "See the log."))
    if status != 200:
        why = "The requests to /http/ do not reach Noom."
        return wrong("fallback", told, why, "Let the proxy pass POST to /http/ on.")
    if b"event: open" not in first:
        why = "The proxy holds event streams back, or packs them: pages ask every five seconds."
        advice = "Let it not buffer them (nginx: do not ignore X-Accel-Buffering)."
        return wrong("fallback", f"no event within {FIRST_EVENT_S:.0f} s", why, advice)
    took_ms = (time.monotonic() - start) * 1000
    return Finding("fallback", f"{told}, its stream begins ({took_ms:.0f} ms)")


async def _stream(site: Site) -> tuple[int, dict[str, str], bytes]:
    """Returns status, headers, and the part of the body that arrived in time."""
    host = site.origin.partition("://")[2]
    name, _, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    number = int(port or (443 if site.context else 80))
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(
                name.strip("[]"), number, ssl=site.context
            )
    except OSError as error:
        raise explained(error, host) from error
    head = (
        f"POST /http/lobby/ HTTP/1.1\r\nHost: {host}\r\nOrigin: {site.origin}\r\n"
        f"Content-Type: application/x-ndjson\r\nContent-Length: {len(OPEN)}\r\n"
        "Connection: close\r\n\r\n"
    )
    came = b""
    try:
        writer.write(head.encode() + OPEN)
        async with asyncio.timeout(FIRST_EVENT_S):
            while b"event: open" not in came and (part := await reader.read(65_536)):
                came += part
    except TimeoutError:
        pass  # the missing event is the finding
    except OSError as error:
        raise explained(error, host) from error
    finally:
        writer.transport.abort()
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), 1)
    if not came:
        return 200, {}, b""  # the proxy holds back even the head
    lines = came.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = dict(re.findall(r"^([\w-]+): *(.*)$", line)[0] for line in lines[1:] if ":" in line)
    lower = {header.lower(): value for header, value in headers.items()}
    return int(lines[0].split()[1]), lower, came


async def origin(site: Site) -> Finding:
    """Checks that a page of another site gets no socket."""
    try:
        await _shake_hands(site, STRANGER)
    except InvalidStatus as refusal:
        return Finding("origin", f"a page of {STRANGER} got {refusal.response.status_code}")
    except (WebSocketException, TimeoutError):
        return Finding("origin", f"a page of {STRANGER} got no socket")
    except OSError as error:
        raise explained(error, site.origin) from error
    why = "The proxy changes Origin, or Noom trusts this one."
    advice = "Let the proxy pass Origin on as it came; see CSRF_TRUSTED_ORIGINS."
    return wrong("origin", f"a page of {STRANGER} got a socket", why, advice)


async def metrics(site: Site) -> Finding:
    """Checks that strangers cannot read the metrics."""
    answer = await site.ask("/metrics")
    told = f"/metrics answered {answer.status}"
    if answer.status != 200:
        return Finding("metrics", told)
    why = "Everybody may read the numbers: the proxy does not say for whom it asks."
    advice = "Let it add X-Forwarded-For and pass Host on, or set METRICS_TOKEN."
    return wrong("metrics", told, why, advice)


async def clock(site: Site) -> Finding:
    """Compares the server's clock, from the header Date, with this machine's."""
    sent = (await site.ask("/healthz")).headers.get("Date")
    if not sent:
        return skipped("clock", "the proxy sends no Date")
    ahead_s = parsedate_to_datetime(sent).timestamp() - time.time()
    return compared({f"the clock of {site.origin}": ahead_s})
