"""Violations that axe-core finds in a page.

axe-core comes from npm: https://github.com/dequelabs/axe-core.
"""

from typing import Any

from playwright.sync_api import Page

from tests.architecture.source_files import ROOT

COLOURS = ["color-contrast", "link-in-text-block"]  # the rules that depend on colours
SCRIPT = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# All rules of WCAG 2.2 at levels A and AA, and axe's rules of good practice.
RUN = """async rules => (await axe.run(document, {
  resultTypes: ['violations'],
  ...(rules && { runOnly: { type: 'rule', values: rules } }),
})).violations"""


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """Return each rule that the page breaks, with the elements that break it.

    `rules` limits the check; without it axe checks all rules. A page without violations gives an
    empty list. axe judges one state of a page, so a test opens menus and dialogs before it calls
    this.
    """
    if not page.evaluate("'axe' in window"):
        # The debugger injects axe, because Noom's Content-Security-Policy lets no page add a
        # script.
        page.evaluate(SCRIPT.read_text())
    return [_told(violation) for violation in page.evaluate(RUN, rules)]


def _told(violation: dict[str, Any]) -> str:
    where = [" ".join(map(str, node["target"])) for node in violation["nodes"][:5]]
    return f"{violation['id']}: {violation['help']} ({len(violation['nodes'])}: {'; '.join(where)})"
