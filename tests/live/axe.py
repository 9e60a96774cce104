"""What axe-core says against a page: https://github.com/dequelabs/axe-core, from npm."""

from typing import Any

from playwright.sync_api import Page

from tests.source import ROOT

SCRIPT = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# All that WCAG 2.2 asks at the levels A and AA, and what axe calls good practice.
RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"


def violations(page: Page) -> list[str]:
    """Each rule that the page breaks, with the elements; a page with none gives an empty list.

    Every state of a page is a page: open what should be looked at before.
    """
    # By the debugger, for our Content-Security-Policy lets no page add a script.
    page.evaluate(SCRIPT.read_text())
    return [_told(violation) for violation in page.evaluate(RUN)]


def _told(violation: dict[str, Any]) -> str:
    where = [" ".join(map(str, node["target"])) for node in violation["nodes"][:5]]
    return f"{violation['id']}: {violation['help']} ({len(violation['nodes'])}: {'; '.join(where)})"
