"""What axe-core says against a page: https://github.com/dequelabs/axe-core, from npm."""

from typing import Any

from playwright.sync_api import Page

from tests.architecture.source_files import ROOT

COLOURS = ["color-contrast", "link-in-text-block"]  # the rules that depend on them
SCRIPT = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# All that WCAG 2.2 asks at the levels A and AA, and what axe calls good practice.
RUN = """async rules => (await axe.run(document, {
  resultTypes: ['violations'],
  ...(rules && { runOnly: { type: 'rule', values: rules } }),
})).violations"""


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """Each rule that the page breaks (of these, or of all), with the elements; a page with none
    gives an empty list.

    Every state of a page is a page: open what should be looked at before.
    """
    if not page.evaluate("'axe' in window"):
        # By the debugger, for our Content-Security-Policy lets no page add a script.
        page.evaluate(SCRIPT.read_text())
    return [_told(violation) for violation in page.evaluate(RUN, rules)]


def _told(violation: dict[str, Any]) -> str:
    where = [" ".join(map(str, node["target"])) for node in violation["nodes"][:5]]
    return f"{violation['id']}: {violation['help']} ({len(violation['nodes'])}: {'; '.join(where)})"
