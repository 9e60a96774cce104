"""The ICE servers of a participant, with relay credentials that expire."""

import base64
import hashlib
import hmac
import time
from collections import OrderedDict

from django.conf import settings
from django.utils.crypto import salted_hmac

from call.protocol import IceServer
from chat.realtime.rate_limits import network

# coturn counts allocations by name (`user-quota`), so an address holds at most this many quotas.
NAMES_PER_ADDRESS = 8
MAX_KNOWN = 50_000  # addresses; beyond that the least recently seen one is forgotten
RENEWAL = 1 / 3  # of TURN_TTL_S; a page holds no older credentials, so none end in use


class RelayNames:
    """The names by which coturn counts: a few for each address, for its browsers.

    A process that has forgotten an address, or another process, may give a browser another of these
    names. The bound of the address still holds, because its names are fixed.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, OrderedDict[str, int]] = OrderedDict()

    def name(self, *, browser: str, address: str) -> str:
        """The relay name of a browser; it reveals neither browser nor address."""
        home = network(address)
        slots = self._known.setdefault(home, OrderedDict())
        self._known.move_to_end(home)
        if browser not in slots:
            taken = set(slots.values())
            free = [slot for slot in range(NAMES_PER_ADDRESS) if slot not in taken]
            # If all are taken, share that of the least recently seen browser.
            slots[browser] = free[0] if free else slots.popitem(last=False)[1]
        slots.move_to_end(browser)
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return f"{salted_hmac('noom.relay', home).hexdigest()[:16]}-{slots[browser]}"


relay_names = RelayNames()


def servers(relay_name: str) -> list[IceServer]:
    """The ICE servers for an RTCConfiguration; empty if none are configured.

    With ICE_RELAY_ONLY the configured relay is the only one. The credentials are those of TURN REST
    (draft-uberti-behave-turn-rest-00), which coturn checks with `use-auth-secret`: the name begins
    with the second at which they end. coturn cannot revoke them earlier, so they are short-lived,
    and a call socket receives new ones (`renewal_s`).
    """
    others = [] if settings.ICE_RELAY_ONLY else settings.ICE_SERVERS
    found = [IceServer(**server) for server in others]
    if settings.TURN_URLS:
        username = f"{int(time.time()) + settings.TURN_TTL_S}:{relay_name}"
        secret: str = settings.TURN_SECRET
        digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
        credential = base64.b64encode(digest).decode()
        found.append(IceServer(urls=settings.TURN_URLS, username=username, credential=credential))
    return found


def renewal_s() -> float | None:
    """Seconds until a call socket sends new credentials; None if none expire."""
    return settings.TURN_TTL_S * RENEWAL if settings.TURN_URLS else None
