"""The house plan, checked: who imports whom, how long things get, which words never occur."""

import ast
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.architecture import source_files
from tests.architecture.source_files import ROOT, files

MAX_FILE_LINES = 300
MAX_TEST_FILE_LINES = 400
MAX_FUNCTION_LINES = 40

# From the ground up: a module imports only from lines above its own. A new module gets its place.
PYTHON_LEVELS = """
chat.names.visible
chat.errors
chat.protocol.close_codes chat.stats chat.storage.database chat.protocol.frames chat.lag chat.realtime.channel_layers chat.realtime.rate_limits
chat.protocol.messages chat.names.cleaning chat.realtime.redis_client chat.protocol.spans
chat.realtime.budgets chat.tokens chat.names.keys chat.realtime.connection chat.models chat.presence.base chat.protocol.codec chat.services.qr_code
chat.services.typing_status
chat.presence.redis_scripts
chat.storage.bans chat.http_transport.requests chat.forms chat.storage.history chat.realtime.hub chat.presence.redis chat.services.room_members
chat.storage.room_access chat.storage.journal chat.presence.roster
chat.storage.deletions chat.presence.heartbeat
chat.storage.retention
chat.runtime
chat.services.call_status
chat.services.history_reader
chat.services.rooms
chat.http_transport.session
chat.http_transport.remote
chat.http_transport.registry
chat.services.open_rooms chat.storage.transcript
chat.http_transport.application chat.services.room_directory chat.services.moderation
chat.services.personal_data
chat.admin.forms chat.admin.room_filters
chat.admin.accounts chat.admin.messages
chat.templatetags.deeds
chat.admin.action_log chat.admin.confirmation chat.admin.live_pages
chat.admin.rooms chat.checks chat.consumers chat.proxy_checks chat.views
chat.apps chat.urls
chat.management.person_command
chat.management.commands.erase_person chat.management.commands.export_person
call.bot.shutdown call.bot.media.track_relay call.protocol call.bot.media.mp4_file call.bot.state call.bot.socket
call.ice_servers call.relay_filter call.bot.room_page call.bot.sdp call.bot.transceivers
call.checks call.ice_failures call.bot.media.recorder call.signalling call.bot.media.sources
call.apps call.consumers call.bot.peer
call.bot.connection_watch
call.bot.mesh
call.bot.participant
call.management.commands.call_bot
noom_project.models noom_project.postgresql.patience noom_project.server.slow_readers noom_project.page_threads
noom_project.assets.shared_files noom_project.postgresql.base
noom_project.monitoring.processes
noom_project.config.secret_masking noom_project.security.content_policy noom_project.local.private_files
noom_project.config.addresses
noom_project.security.admin_login noom_project.local.certificate noom_project.assets.comments
noom_project.security.debug_pages noom_project.local.defaults
noom_project.config.environment noom_project.server.idle_connections noom_project.assets.bundler noom_project.security.axes_app
noom_project.monitoring.log_formatters noom_project.server.keepalive
noom_project.security.refused_requests noom_project.assets.storage noom_project.protocol_writer
noom_project.server.http
noom_project.security.origin
noom_project.error_views
noom_project.assets.finders
noom_project.security.headers noom_project.monitoring.health noom_project.monitoring.revision
noom_project.monitoring.disk_usage
noom_project.monitoring.metrics
noom_project.settings
noom_project.server.startup noom_project.urls
noom_project.monitoring.endpoints
noom_project.asgi noom_project.server.websocket
noom_project.server.server
noom_project.server.run
noom_project.doctor.findings
noom_project.doctor.inside noom_project.doctor.relay noom_project.doctor.web
noom_project.doctor.outside
noom_project.management.commands.doctor
noom_project.management.commands.run_https noom_project.management.commands.runserver
noom_project.management.commands.serve noom_project.management.commands.write_protocol
"""
JS_LEVELS = """
storage
avatar budget candidates call-watch close-fates company device-choice devices dom doubt event-stream
frames grid http-request
leave-guard levels
line-watch linkify live-media
outbox participant picture-watch protocol-version remote requests roster schedule sdp session-name
shortcuts slots spans
start-bitrate timeline visible wish words-en words-ko
greeting http-line message-log
carriers
way-back
call-state menu peer playback screen-share socket stage-layout toolbar view-panel words
mesh opener room tiles view-composer view-devices view-entrance view-status
media
call-line message-rows news room-line view-keys
view-controls view-header view-live view-lobby view-people
view-call view-messages
view-chat
home-page room-page
"""
NETWORK = {
    "call-line",
    "carriers",
    "company",
    "http-line",
    "http-request",
    "media",
    "mesh",
    "outbox",
    "peer",
    "requests",
    "room-line",
    "socket",
    "way-back",
}
PURE = {
    "chat.protocol.frames",
    "chat.names.keys",
    "chat.protocol.messages",
    "chat.names.cleaning",
    "chat.protocol.codec",
    "chat.services.room_members",
    "chat.names.visible",
    "call.protocol",
    "call.relay_filter",
    "call.bot.state",
}
FRAMEWORKS = {"django", "channels", "daphne", "twisted", "asyncio", "redis"}

FORBIDDEN = {
    "chat/**/*.py": r"mark_safe|csrf_exempt|\beval\(|\bexec\(|\bprint\(",
    "call/**/*.py": r"mark_safe|csrf_exempt|\beval\(|\bexec\(|\bprint\(",
    "noom_project/**/*.py": r"mark_safe|csrf_exempt|\beval\(|\bexec\(|\bprint\(",
    "static/js/**/*.js": r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\("
    r"|new Function|console\.log|@ts-ignore|@ts-nocheck",
    # Besides what escapes no HTML: what the Content-Security-Policy would not let run or show.
    "templates/**/*": r"\|\s*safe\b|autoescape off|\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)",
}
ANY_URL = re.compile(r"""(?:https?:|(?<=["'`(=]))//[a-z0-9][^\s"'`)]*""", re.IGNORECASE)
NAMESPACES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")


def levels(text: str) -> dict[str, int]:
    return {name: depth for depth, line in enumerate(text.split("\n")) for name in line.split()}


def wrong_imports(known: dict[str, int], imports: dict[str, set[str]]) -> list[str]:
    return [
        f"{name} imports {other}"
        for name, imported in imports.items()
        for other in sorted(imported & known.keys())
        if name in known and known[other] >= known[name]
    ]


def nothing(wrong: list[str]) -> None:
    """Fails with every line of what is wrong, where pytest would show the first of a list."""
    assert not wrong, "\n" + "\n".join(sorted(wrong))


def python_imports() -> dict[str, set[str]]:
    return {
        name: source_files.python_imports(tree)
        for name, tree in source_files.python_modules().items()
    }


def js_imports() -> dict[str, set[str]]:
    return {
        path.stem: {Path(imported).stem for imported in source_files.js_imports(path)}
        for path in files("static/js/*.js")
    }


READERS = pytest.mark.parametrize(
    ("text", "read"), [(PYTHON_LEVELS, python_imports), (JS_LEVELS, js_imports)], ids=["py", "js"]
)


@READERS
def test_every_module_has_its_level(text: str, read: Callable[[], dict[str, set[str]]]):
    known, found = levels(text).keys(), read().keys()
    nothing([f"{name} has no level yet" for name in found - known])
    nothing([f"{name} has a level but no file" for name in known - found])


@READERS
def test_imports_only_go_down(text: str, read: Callable[[], dict[str, set[str]]]):
    imports = read()
    assert any(imports.values()), "found no import at all, so looked in the wrong place"
    nothing(wrong_imports(levels(text), imports))


def test_a_wrong_import_would_be_seen():
    known = levels("below\nabove beside")
    assert wrong_imports(known, {"above": {"below", "elsewhere"}, "below": set()}) == []
    assert wrong_imports(known, {"below": {"above"}}) == ["below imports above"]
    assert wrong_imports(known, {"above": {"beside"}}) == ["above imports beside"]


def test_chat_knows_no_call_and_neither_knows_the_roof():
    roofs = {"chat": ("call", "noom_project"), "call": ("noom_project",)}
    wrong = [
        f"{name} imports {imported}"
        for name, imports in python_imports().items()
        for imported in imports
        if imported.partition(".")[0] in roofs.get(name.partition(".")[0], ())
    ]
    nothing(wrong)


def test_views_know_no_network_and_peers_no_socket():
    wrong = [
        f"{name} imports {other}"
        for name, imports in js_imports().items()
        for other in imports & (NETWORK if name.startswith("view-") else {"socket", "requests"})
        if name.startswith("view-") or name in {"media", "mesh", "peer", "room"}
    ]
    nothing(wrong)


def test_messages_and_protocol_are_pure():
    imports = python_imports()
    wrong = {name: {i for i in imports[name] if i.partition(".")[0] in FRAMEWORKS} for name in PURE}
    assert wrong == {name: set() for name in PURE}


def test_consumers_hold_no_rules_so_import_no_models():
    wrong = [
        f"{name} imports {imported}"
        for name, imports in python_imports().items()
        for imported in imports
        if name.endswith("consumers") and re.search(r"\bmodels\b|^django\.db\b", imported)
    ]
    nothing(wrong)


def test_no_file_is_long():
    def too_long(limit: int, found: Iterable[Path]) -> list[str]:
        lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in found}
        return [f"{name} has {count} lines" for name, count in lines.items() if count > limit]

    packages = [f"{package}/**/*.py" for package in source_files.PYTHON_PACKAGES]
    ours = files("*.py", *packages, "static/js/**/*.js", "static/css/**/*.css", "templates/**/*")
    tests = files("tests/**/*.py", "tests/**/*.js", "tests/**/*.mjs")
    nothing(too_long(MAX_FILE_LINES, ours) + too_long(MAX_TEST_FILE_LINES, tests))


def test_no_python_function_is_long():
    packages = [f"{package}/**/*.py" for package in (*source_files.PYTHON_PACKAGES, "tests")]
    long = [
        f"{path.relative_to(ROOT)}: {name} has {lines} lines"
        for path in files("*.py", *packages)
        for name, lines in source_files.python_functions(path)
        if lines > MAX_FUNCTION_LINES
    ]
    nothing(long)


def test_no_javascript_function_is_long():
    long = [
        f"{path.relative_to(ROOT)}: {place} begins a function of {lines} lines"
        for path in files("static/js/**/*.js")
        for place, lines in source_files.js_functions(path)
        if lines > MAX_FUNCTION_LINES
    ]
    nothing(long)


def test_javascript_functions_are_found(tmp_path: Path):
    script = tmp_path / "sample.js"
    script.write_text(
        "import x from './x.js'; // {\n"
        "export function one(a, { b }) {\n  const r = /[/{]'/.test('}');\n}\n"
        "const two = async () => {\n  if (a) { b(`}`); }\n\n};\n"
        "class C {\n  three() {}\n}\n"
        "/** @type {import('./y.js').Y} */\n"
        "for (const i of j) { four(k => { l(); }); }\n"
    )
    assert [lines for _, lines in source_files.js_functions(script)] == [3, 4, 1, 1]
    assert source_files.js_imports(script) == {"./x.js"}


@pytest.mark.parametrize(("where", "words"), FORBIDDEN.items())
def test_forbidden_words_do_not_occur(where: str, words: str):
    found = [
        f"{path.relative_to(ROOT)}: {word[0].strip()}"
        for path in files(where)
        for word in re.finditer(words, code(path))
    ]
    nothing(found)


def test_no_page_speaks_to_strangers():
    found = [
        f"{path.relative_to(ROOT)}: {url[0]}"
        for path in files("templates/**/*", "static/**/*.js", "static/**/*.css", "static/**/*.svg")
        for url in ANY_URL.finditer(code(path))
        if url[0] not in NAMESPACES
    ]
    nothing(found)


def code(path: Path) -> str:
    """What a browser or Python would act on: JavaScript and CSS without their comments."""
    text = path.read_text()
    return source_files.without_js_comments(text) if path.suffix in {".js", ".css"} else text


def test_readme_names_every_setting_and_no_other():
    rows = re.findall(r"^\|(.+?)\|", (ROOT / "README.md").read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)}
    assert settings_read() == named


def settings_read() -> set[str]:
    """The names that settings.py reads by `env(…)` or `env.kind(…)`."""
    calls = [
        node
        for node in ast.walk(source_files.python_modules()["noom_project.settings"])
        if isinstance(node, ast.Call) and ast.unparse(node.func).partition(".")[0] == "env"
    ]
    names = [call.args[0] for call in calls if call.args and isinstance(call.args[0], ast.Constant)]
    assert names, "found no setting at all"
    return {str(name.value) for name in names}


def test_only_settings_read_the_environment():
    def reads(tree: ast.Module) -> bool:
        attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        return any(ast.unparse(node) == "os.environ" for node in attributes)

    readers = {name for name, tree in source_files.python_modules().items() if reads(tree)}
    # asgi names the settings module, settings hands it all to its Environment, and startup asks
    # whether systemd has started us.
    assert readers <= {"noom_project.asgi", "noom_project.settings", "noom_project.server.startup"}


def test_no_test_asserts_a_duration():
    """A busy machine is slow: limits of time are figures, which `make faults` judges."""
    clocks = r"assert.*\b(monotonic|perf_counter|thread_time|performance\.now|Date\.now)\(\)"
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files("tests/**/*.py", "tests/**/*.js")
        if "operating" not in path.parts
        for line in path.read_text().splitlines()
        if re.search(clocks, line)
    ]
    nothing(found)


def test_only_the_storage_module_names_the_browsers_storage():
    found = [
        str(path.relative_to(ROOT))
        for path in files("static/js/**/*.js")
        if re.search(r"\b(?:local|session)Storage\b|\bindexedDB\b|document\.cookie", code(path))
    ]
    assert found == ["static/js/browser/storage.js"]


def test_every_test_that_a_document_names_is_there():
    wrong = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        for path, name in re.findall(
            r"`((?:\w+/)+\w+\.(?:test\.js|py))(?:::(\w+))?`", page.read_text()
        ):
            file = next((f for f in (ROOT / "tests" / path, ROOT / path) if f.is_file()), None)
            if file is None or (name and f"def {name}(" not in file.read_text()):
                wrong.append(f"{page.name}: {path}::{name}")
    nothing(wrong)
