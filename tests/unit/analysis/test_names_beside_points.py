"""Every setting of the figure of costs has a name of its own."""

from must.analysis.efficiency import success_by_flops


def test_dense_settings_that_differ_otherwise_are_all_there(runs):
    sweep = {"seeds": [0, 1], "pruning_ratios": [0, 0.5], "update_intervals": [10], "grid": {"sac.lr": [1e-3, 1e-4]}}
    _, results = runs.results_of(sweep=sweep)
    figure = success_by_flops(results, "auto")
    names = sorted(text.get_text().replace("\n", ", ") for text in figure.axes[0].texts if text.get_text())
    assert names == [
        "MT-SAC, ratio 0, learning rate 0.0001",
        "MT-SAC, ratio 0, learning rate 0.001",
        "ratio 0.5, learning rate 0.0001",
        "ratio 0.5, learning rate 0.001",
    ]
    assert "of 4 settings" not in figure.legends[0].get_title().get_text()
