"""Pages' modules and style sheets, each page's made one file."""

import subprocess

import pytest

from noom_project.assets.bundler import CannotJoin, join_modules, join_sheets
from noom_project.assets.finders import ENTRIES, JoinedFinder
from tests.support.node import node

MODULES = {
    "js/page.js": """/** A page. */
import { add as plus, SIX } from './sums.js';
import { twice } from './more.js';
import { six } from './names.js';
// import nothing
export const value = plus(twice(SIX), six);
result = value;
""",
    "js/more.js": """import { add } from './sums.js';
export async function later() {}
export class Thing {}
export function twice(x) { return add(x, x); }
""",
    "js/names.js": "export { SIX as six } from './sums.js';\n",
    "js/sums.js": """let runs = 0;
runs += 1;
const add = (a, b) => a + b;
export const SIX = 6 * runs;
export { add };
""",
}


def joined(**changed):
    return join_modules("js/page.js", {**MODULES, **changed}.__getitem__)


def run(script):
    program = f"'use strict'; var result; {script}; process.stdout.write(String(result))"
    return subprocess.run(
        [node(), "-e", program], capture_output=True, text=True, check=True
    ).stdout


def test_modules_run_once_and_get_their_imports():
    assert run(joined()) == "18"


def test_names_of_a_module_are_hidden_from_others():
    script = joined(
        **{"js/more.js": "const runs = 7;\nexport const twice = (x) => 2 * x * runs / 7;"}
    )
    assert run(script) == "18"


def test_comments_are_not_sent():
    assert "A page" not in joined()
    assert "import nothing" not in joined()


@pytest.mark.parametrize(
    "statement",
    [
        "export let changing = 1;",
        "export default 1;",
        "export * from './sums.js';",
        "export const { a } = {};",
        "import './sums.js';",
        "import * as sums from './sums.js';",
        "import sums from './sums.js';",
        "import { add } from '../sums.js';",
        "import { add } from './sums.js'",
        "const sums = await import('./sums.js');",
        "const here = import.meta.url;",
    ],
)
def test_unknown_syntax_is_refused(statement):
    with pytest.raises(CannotJoin, match=r"more|page"):
        joined(**{"js/more.js": f"{MODULES['js/more.js']}\n{statement}\n"})


TRICKY = {
    "a space in a nested template": ("`${n > 0 ? `[${n}] ` : ''}titles`", "[3] titles"),
    "a comment in a template": (
        "`${n /* three */} // no comment /* none */`",
        "3 // no comment /* none */",
    ),
    "a brace in a template": ("`${{ a: `}  {` }.a}  x`", "}  {  x"),
    "spaces in a template": ("`  a  \\n  b  `.length", "11"),
    "a quote in a regular expression": ("/[/*'\"`]  \\/\\//.source", "[/*'\"`]  \\/\\/"),
    "a comment in a string": ("'// a  /* b */'", "// a  /* b */"),
    "a regular expression after a brace": ("(() => { if (n) {} return /  '/.source })()", "  '"),
    "divisions": ("n / 3 / 1 + '/  /'", "1/  /"),
    "a regular expression behind a division": ("6 / /  3/.source.trim()", "2"),
    "a call whose value is not wanted": ("(() => void (n && n++))() ?? n", "4"),
    "a comment between words": ("typeof/* a comment */n", "number"),
    "a sum of signs": ("n + +n - -n + n++ + ++n", "17"),
    "a line that ends without a semicolon": ("n\n;(() => 4)()", "3"),
}


@pytest.mark.parametrize(("expression", "value"), TRICKY.values(), ids=TRICKY)
def test_bundle_computes_the_results_of_its_modules(expression: str, value: str):
    page = f"let n = 3;\nresult = {expression};\n"
    assert run(join_modules("js/page.js", {"js/page.js": page}.__getitem__)) == value


def test_script_that_does_not_parse_is_refused():
    with pytest.raises(CannotJoin, match="no JavaScript"):
        joined(**{"js/more.js": MODULES["js/more.js"] + "const a = `${`;\n"})


def test_import_cycle_is_refused():
    with pytest.raises(CannotJoin, match="circle"):
        joined(**{"js/sums.js": "import { twice } from './more.js';"})


def test_sheet_stands_where_it_is_imported():
    sheets = {
        "css/page.css": "@import 'a.css';\n@import 'b.css';\n.page {}\n",
        "css/a.css": ".a {}\n",
        "css/b.css": "@import 'a.css';\n.b {}\n",
    }
    assert join_sheets("css/page.css", sheets.__getitem__) == ".a {}\n.a {}\n.b {}\n.page {}\n"


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.endswith(".js")])
def test_bundles_of_the_pages_are_complete(entry, tmp_path):
    found = JoinedFinder().find(entry.replace(".js", ".joined.js"))
    subprocess.run([node(), "--check", found], check=True, capture_output=True)


def test_edited_source_is_bundled_again(tmp_path, settings):
    settings.STATICFILES_DIRS, settings.VAR_DIR = [tmp_path], tmp_path / "var"
    pages, parts = tmp_path / "js" / "pages", tmp_path / "js" / "parts"
    for folder in (pages, parts):
        folder.mkdir(parents=True)
    page, finder = pages / "home.js", JoinedFinder()

    def served():
        with open(finder.find("js/pages/home.joined.js")) as script:
            return script.read()

    page.write_text("import { one } from '../parts/one.js';\none();\n")
    (parts / "one.js").write_text("export const one = () => 1;\n")
    assert "() => 1" in served()
    (parts / "one.js").write_text("export const one = () => 2;\n")
    assert "() => 2" in served()


def test_equal_file_names_in_several_folders_are_distinct():
    modules = {
        "js/pages/page.js": "import { a } from '../a/b-c.js';\nimport { b } from '../a-b/c.js';\n"
        "import { c } from './c.js';\nresult = a + b + c;\n",
        "js/a/b-c.js": "export const a = 'a';\n",
        "js/a-b/c.js": "export const b = 'b';\n",
        "js/pages/c.js": "export { d as c } from '../a/d.js';\n",
        "js/a/d.js": "export const d = 'c';\n",
    }
    assert run(join_modules("js/pages/page.js", modules.__getitem__)) == "abc"


@pytest.mark.parametrize("place", ["../../secret.js", "../../js-other/a.js"])
def test_import_from_outside_is_refused(place):
    with pytest.raises(CannotJoin, match="outside js/"):
        join_modules("js/pages/page.js", lambda _: f"import {{ a }} from '{place}';\n")


def test_sheets_are_found_in_other_folders():
    sheets = {"css/pages/page.css": "@import '../a.css';\n.page {}\n", "css/a.css": ".a {}\n"}
    assert join_sheets("css/pages/page.css", sheets.__getitem__) == ".a {}\n.page {}\n"


def test_finder_ignores_other_files():
    assert JoinedFinder().find("js/room.js") == []
    assert JoinedFinder().find("js/state/room-state.joined.js") == []
