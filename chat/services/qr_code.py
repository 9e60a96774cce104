"""The QR code of an address, as an SVG."""

from functools import lru_cache
from io import BytesIO

import segno

KEPT = 256  # codes; a long address takes 50 ms of CPU time


@lru_cache(maxsize=KEPT)
def svg(address: str) -> bytes:
    """Black on white in every theme, with the margin that readers need."""
    out = BytesIO()
    code = segno.make_qr(address, error="m")
    code.save(out, kind="svg", xmldecl=False, omitsize=True, light="#fff", border=4)
    return out.getvalue()
