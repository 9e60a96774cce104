"""A reader of QR codes on a page, with jsQR from npm.

https://github.com/cozmo/jsQR
"""

from typing import Any

from playwright.sync_api import Page

from tests.architecture.source_files import ROOT

SCRIPT = ROOT / "node_modules" / "jsqr" / "dist" / "jsQR.js"
READ = """async bytes => {
  const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
  const { width, height } = picture;
  const canvas = new OffscreenCanvas(width, height).getContext('2d');
  canvas.drawImage(picture, 0, 0);
  return jsQR(canvas.getImageData(0, 0, width, height).data, width, height)?.data ?? null;
}"""


def read_code(page: Page) -> Any:
    """Return the text of the QR code that the page shows.

    It returns None if the page shows no readable code.
    """
    seen = page.screenshot()
    page.evaluate(SCRIPT.read_text())
    return page.evaluate(READ, list(seen))
