"""Heat maps of overlaps on a page."""

import pytest

from tests.support.drawing import check_nothing_is_cut, draw


def check_names_at_the_edges(figure):
    """Check that a panel with none on its left has names there, and one with none below it has names below."""
    panels = [axes for axes in figure.axes if axes.get_title()]
    corners = [(round(axes.get_position().x0, 3), round(axes.get_position().y0, 3)) for axes in panels]
    for axes, (left, bottom) in zip(panels, corners, strict=True):
        first = not any(x < left and y == bottom for x, y in corners)
        lowest = not any(x == left and y < bottom for x, y in corners)
        for labels, named in ((axes.get_yticklabels(), first), (axes.get_xticklabels(), lowest)):
            assert any(label.get_text() for label in labels) == named


@pytest.mark.parametrize(
    ("columns", "ratios"), [(3, [0.8] * 5), (3, [0.8] * 7), (2, [0.8, 0.9] * 3), (2, [0.8, 0.9] * 4)]
)
def test_nothing_of_heat_maps_in_rows_is_cut(runs, columns, ratios):
    """A column for each pruning ratio that has finished runs, however many ratios are still to be trained."""
    variants = {
        f"variant-{n}": {"masks.pruning_ratio": ratio, "sac.gamma": 0.9 + n / 1000}
        for n, ratio in enumerate([*ratios, 0.95])
    }
    tasks = ["reach-v3", "push-v3", "pick-place-v3", "button-press-topdown-v3", "peg-insert-side-v3"]
    experiment = runs.experiment(sweep={"seeds": [0], "variants": variants}, env={"tasks": tasks})
    for spec in experiment.runs()[: len(ratios)]:
        runs.write(experiment, spec)
    figure = draw(runs, experiment, "mask_overlap")["mask_overlap"]
    check_nothing_is_cut(figure)
    check_names_at_the_edges(figure)
    lefts = {round(axes.get_position().x0, 2) for axes in figure.axes if axes.get_title()}
    assert len(lefts) == columns
