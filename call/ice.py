"""The ICE servers of one participant: STUN as configured, TURN with credentials that expire."""

import base64
import hashlib
import hmac
import time

from django.conf import settings

from call.messages import IceServer


def servers(participant: str) -> list[IceServer]:
    """What goes into an RTCConfiguration; empty where nothing is configured, and our own relay
    where calls go by that alone.

    The credentials are those of TURN REST (draft-uberti-behave-turn-rest-00), which coturn checks
    with `use-auth-secret`: the name begins with the second at which they end.
    """
    others = [] if settings.ICE_RELAY_ONLY else settings.ICE_SERVERS
    found = [IceServer(**server) for server in others]
    if settings.TURN_URLS:
        username = f"{int(time.time()) + settings.TURN_TTL_S}:{participant}"
        digest = hmac.new(settings.TURN_SECRET.encode(), username.encode(), hashlib.sha1).digest()
        credential = base64.b64encode(digest).decode()
        found.append(IceServer(urls=settings.TURN_URLS, username=username, credential=credential))
    return found
