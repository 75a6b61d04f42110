"""The page and its plot say what was found."""

from xml.etree import ElementTree as ET

import pytest

from bench.load import page, plot, processes
from bench.load.results import Claim, Result, cell

GOOD = Claim("idle: KiB", 10.0, 20.0, unit=" KiB")
BAD = Claim("rate <per second>", 400.0, 500.0, at_most=False, unit="/s")


def result(name: str, *claims: Claim, raised: dict[str, str] | None = None) -> Result:
    """A small one."""
    return Result(
        name, f"Title of {name}", ("case", "µs"), [("calm", 12.345)], list(claims), ["A note."], raised or {}, 3.0
    )


def test_claims_hold_at_their_bound() -> None:
    """At the bound is good, past it is not, whichever way the figure counts."""
    assert Claim("x", 20.0, 20.0).holds
    assert not Claim("x", 20.1, 20.0).holds
    assert Claim("x", 500.0, 500.0, at_most=False).holds
    assert not Claim("x", 499.0, 500.0, at_most=False).holds


def test_reached_is_one_at_the_bound() -> None:
    """More is better for every figure."""
    assert GOOD.reached == 2.0
    assert BAD.reached == 0.8
    assert Claim("faults", 0, 0).reached == float("inf")


def test_cells() -> None:
    """Three figures, thousands apart."""
    assert [cell(value) for value in (0.123, 12.34, 123.4, 12345.6, 1_000_000, "calm")] == [
        "0.12", "12.3", "123", "12,346", "1,000,000", "calm",
    ]  # fmt: skip


def test_results_are_kept_by_scenario() -> None:
    """A scenario that ran again replaces its own result and leaves the others."""
    before = page.joined([], [result("idle", GOOD), result("storm")], "yesterday")

    kept = page.joined(before, [result("idle", BAD)], "today")

    assert [(row["name"], row["holds"], row["date"]) for row in kept] == [
        ("idle", False, "today"), ("storm", True, "yesterday"),
    ]  # fmt: skip


def test_page_has_figures_verdicts_and_settings() -> None:
    """Every scenario has its table, its date and the settings it raised; every claim its verdict."""
    kept = page.joined([], [result("idle", GOOD, raised={"GARITA_GATEWAY_X": "5"}), result("storm", BAD)], "today")

    text = page.text(kept, "performance.svg", ["Machine: a"])

    assert "- Machine: a" in text
    assert "| idle: KiB | 10.0 KiB | ≤ 20.0 KiB | yes |" in text
    assert "| rate <per second> | 400/s | ≥ 500/s | **no** |" in text
    assert "| calm | 12.3 |" in text
    assert "Settings raised: `GARITA_GATEWAY_X=5`." in text
    assert "Settings raised: none." in text
    assert "today" in text


def test_plot_is_a_picture() -> None:
    """Well-formed SVG with a bar per claim, cut where one is far beyond its bound, and text that is escaped."""
    root = ET.fromstring(plot.bars([GOOD, BAD, Claim("faults", 0, 0)]))  # noqa: S314  # our own text

    rects = root.findall("{http://www.w3.org/2000/svg}rect")
    widths = [float(rect.attrib["width"]) for rect in rects]
    assert [rect.attrib["class"] for rect in rects] == ["good", "bad", "good"]
    assert widths[0] / widths[1] == pytest.approx(2.5, rel=0.01)
    assert widths[2] == max(widths)
    assert max(float(rect.attrib["x"]) + width for rect, width in zip(rects, widths, strict=True)) < plot.WIDTH


def test_cpu_of_a_process_with_a_strange_name() -> None:
    """The name in /proc/PID/stat may have spaces and brackets."""
    numbers = " ".join(str(number) for number in range(4, 53))
    ticks = processes.TICKS_PER_S

    assert processes._cpu_of(f"1 (a) b (c)) S {numbers}\n") == (14 + 15) / ticks


def test_resident_memory() -> None:
    """The first Rss line of smaps_rollup, in KiB."""
    assert processes._resident_of("55 rollup\nRss:      1234 kB\nPss:  9 kB\n") == 1234
