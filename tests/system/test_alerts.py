"""The alerts and the dashboard of deploy/, judged by Prometheus' own tool."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source_files import ROOT
from tests.support.patience import PATIENCE

RULES = ROOT / "deploy" / "prometheus" / "noom.rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "noom.json"
# Each alert: series that must raise it within the time, and series that must not.
RAISED = {
    "NoomDown": ('up{job="noom"}', "0x10", "1x10"),
    "NoomNotReady": ('noom_check{check="redis", state="ok"}', "0x10", "1 1 0 1 1 0 1 1 1 1"),
    "NoomDatabaseSlow": ('noom_check_seconds{check="database"}', "0.7x10", "0.01x10"),
    "NoomRedisSlow": ('noom_check_seconds{check="redis"}', "0.7x10", "0.01x10"),
    "NoomServerErrors": ('noom_errors_total{code="server_error"}', "0 0 1x8", "5x10"),
    "NoomEventsLost": ("noom_publish_failures_total", "0+60x10", "7x10"),
    "NoomJournalWaits": ("noom_journal_waiting", "500x10", "0 500 0 500 0 500 0 500 0 500"),
    "NoomDiskFull": ("noom_disk_free_bytes", "100000000x20", "50000000000x20"),
    "NoomOriginsRefused": ('noom_refused_origins_total{reason="host"}', "0+10x10", "0+1x10"),
    "NoomCallsFindNoWay": ('noom_ice_failures_total{kind="no_path"}', "0+3x10", "0 1x9"),
}

pytestmark = pytest.mark.live


def promtool(*arguments: object) -> str:
    program = shutil.which("promtool")
    assert program, "install prometheus, or run `make test`"
    done = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, timeout=60 * PATIENCE
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_alert_rules_are_good():
    assert "SUCCESS" in promtool("check", "rules", RULES)


def unit_test(folder: Path, alert: str, series: dict[str, str], at: str, firing: int) -> Path:
    """A test of promtool's: with these series `firing` alerts fire at that time."""
    expression = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or vector(0)'
    expected = [{"labels": "{}", "value": firing}]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": expression, "eval_time": at, "exp_samples": expected}],
    }
    path = folder / f"{firing}.yml"
    whole = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}
    path.write_text(json.dumps(whole))  # which is YAML, too
    return path


@pytest.mark.parametrize("alert", RAISED)
def test_alert_fires_only_for_its_fault(tmp_path: Path, alert: str):
    name, bad, good = RAISED[alert]
    for values, count in ((bad, 1), (good, 0)):
        at = "15m" if alert == "NoomDiskFull" else "10m"
        promtool("test", "rules", unit_test(tmp_path, alert, {name: values}, at, count))


def test_late_loop_raises_its_alert(tmp_path: Path):
    for on_time, count in (("0+90x15", 1), ("0+100x15", 0)):
        series = {'noom_loop_lag_seconds_bucket{le="0.2"}': on_time}
        series["noom_loop_lag_seconds_count"] = "0+100x15"
        promtool("test", "rules", unit_test(tmp_path, "NoomLoopLate", series, "15m", count))


def test_prometheus_parses_every_dashboard_query(tmp_path: Path):
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(asked) > 20
    rules = [
        {"record": f"noom:{number}", "expr": expr.replace("$instance", ".*")}
        for number, expr in enumerate(asked)
    ]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(asked)} rules found" in promtool("check", "rules", path)
