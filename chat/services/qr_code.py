"""The QR code of an address, as SVG."""

from functools import lru_cache
from io import BytesIO

import segno

KEPT = 256  # codes in the cache; a long address takes 50 ms of CPU time


@lru_cache(maxsize=KEPT)
def svg(address: str) -> bytes:
    """Draw the QR code of an address.

    It is black on white in every theme, with the margin that scanners need.
    """
    out = BytesIO()
    code = segno.make_qr(address, error="m")
    code.save(out, kind="svg", xmldecl=False, omitsize=True, light="#fff", border=4)
    return out.getvalue()
