from __future__ import annotations

from benchmarks.probe_cost import markdown, pair


def test_the_share_is_the_probes_clock_over_the_rest() -> None:
    probed = {"seconds": 110.0, "probes": [{"seconds": 4.0}, {"seconds": 6.0}], "given_up": None}
    assert pair({"seconds": 120.0}, probed) == {
        "seconds_without": 120.0,
        "seconds_with": 110.0,
        "probes": 2,
        "given_up": 0,
        "probe_seconds": 10.0,
        "share": 0.1,
    }
    off = pair({"seconds": 120.0}, {"seconds": 125.0, "probes": [{"seconds": 10.0}], "given_up": 15.0})
    assert (off["probes"], off["given_up"], off["probe_seconds"], off["share"]) == (1, 1, 25.0, 0.25)


def test_the_table_has_medians_ranges_and_options() -> None:
    clocks = ((100.0, 3, 5.0), (90.0, 1, 9.0), (200.0, 2, 7.0))
    runs = [
        pair(
            {"seconds": seconds - 1},
            {"seconds": seconds + spent, "probes": [{"seconds": spent / n}] * n, "given_up": None},
        )
        for seconds, n, spent in clocks
    ]
    options = {"probe_every": 4, "probe_budget": 0.1}
    results = {
        "date": "2026-01-02",
        "threads": 2,
        "steps": 10,
        "options": options,
        "versions": {"torch": "2"},
        "runs": runs,
    }
    assert markdown(results).splitlines() == [
        "2026-01-02, 2 threads, 10 steps, 3 trainings without and 3 with the probe in turn; `probe_every: 4`, "
        "`probe_budget: 0.1`; torch 2.",
        "",
        "| | median | least | most |",
        "| --- | ---: | ---: | ---: |",
        "| training without the probe, s | 99.0 | 89.0 | 199.0 |",
        "| training with it, s | 105.0 | 99.0 | 207.0 |",
        "| the probes' own clock, s | 7.0 | 5.0 | 9.0 |",
        "| its share of the training, % | 5.0 | 3.5 | 10.0 |",
        "| probes run, of 3 due | 2 | 1 | 3 |",
        "| given up as too long, and off from there | 0 | 0 | 0 |",
    ]
