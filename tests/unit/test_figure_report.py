"""The report of the targets: the worst figure counts, and what was not measured again stays."""

from datetime import date
from pathlib import Path

import pytest

from tests.support.figures.report import BEGIN, END, Figure, Note, Run, note, read, write

EMPTY = f"# Reliability\n\n{BEGIN}\n{END}\n\nMore.\n"
DAY, NEXT_DAY = date(2026, 3, 1), date(2026, 3, 2)


def back(value: float) -> Figure:
    return Figure("R1", "back after kill -9", value, 3, "s")


def test_notes_are_read_as_they_were_written(tmp_path: Path):
    notes: list[Note] = [back(1.25), Run("R1", "test_a_kill", held=True)]
    for one in notes:
        note(tmp_path / "figures", one)
    assert read(tmp_path / "figures") == notes


def test_count_above_its_limit_fails_at_any_speed():
    lost = Figure("R1", "messages lost", 1, 0, "")
    assert lost.misses(judging_speed=False)
    assert lost.misses(judging_speed=True)


def test_slow_figure_fails_only_where_speed_is_judged():
    assert not back(3.5).misses(judging_speed=False)
    assert back(3.5).misses(judging_speed=True)
    assert not back(2.5).misses(judging_speed=True)
    assert back(float("nan")).misses(judging_speed=True)


def test_worst_of_three_counts():
    report = write(EMPTY, [back(1), back(3.5), back(2)], DAY)
    assert "| | back after kill -9 | 3 s | 3.5 s | 2 of 3 | |" in report
    assert report.startswith("# Reliability\n")
    assert report.endswith("More.\n")


def test_test_that_fails_before_its_figures_is_reported():
    runs = [Run("R1", "test_a", held=True), Run("R1", "test_b", held=True)]
    runs += [Run("R1", "test_a", held=True), Run("R1", "test_b", held=False)]
    line = next(line for line in write(EMPTY, runs, DAY).splitlines() if "**R1**" in line)
    assert line.endswith("| 1 of 2 | 2026-03-01 |")


def test_targets_not_measured_again_stay():
    first = write(EMPTY, [back(1), Figure("R4", "closed", 0, 0, "")], DAY)
    again = write(first, [back(2)], NEXT_DAY)
    assert next(line for line in first.splitlines() if "closed" in line) in again
    assert "| 3 s | 2 s | 1 of 1 |" in again
    assert "| 3 s | 1 s |" not in again
    assert again.index("**R1**") < again.index("**R4**")
    assert write(again, [back(2)], NEXT_DAY) == again


@pytest.mark.parametrize(
    ("number", "written"), [(12_345, "12,345 ms"), (151.6, "152 ms"), (0.03217, "0.0322 ms")]
)
def test_figures_are_written_for_people(number: float, written: str):
    assert f"| {written} |" in write(EMPTY, [Figure("R1", "waited", number, 1, "ms")], DAY)
