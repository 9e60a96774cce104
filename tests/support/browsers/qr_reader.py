"""A camera before a page: what a QR code on it says, by https://github.com/cozmo/jsQR from npm."""

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
    """What the code says that a person sees on the page now; None if there is none to read."""
    seen = page.screenshot()
    page.evaluate(SCRIPT.read_text())
    return page.evaluate(READ, list(seen))
