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
    ("columns", "own", "swept"),
    [(3, [0.8] * 5, []), (3, [0.8] * 7, []), (3, [0.8, 0.9, 0.8, 0.9, 0.8], []), (2, [None] * 3, [0.8, 0.9])],
    ids=["five", "seven", "ratios of their own", "a grid"],
)
def test_nothing_of_heat_maps_in_rows_is_cut(runs, columns, own, swept):
    """A column for each pruning ratio where every variant has all, however many are still to be trained."""
    variants = {
        f"variant-{n}": {"sac.gamma": 0.9 + n / 1000} | ({"masks.pruning_ratio": ratio} if ratio else {})
        for n, ratio in enumerate([*own, None if swept else 0.95])
    }
    tasks = ["reach-v3", "push-v3", "pick-place-v3", "button-press-topdown-v3", "peg-insert-side-v3"]
    ratios = {"pruning_ratios": [*swept, 0.95]} if swept else {}
    experiment = runs.experiment(sweep={"seeds": [0], "variants": variants} | ratios, env={"tasks": tasks})
    for spec in experiment.runs():
        if f"variant-{len(own)}" not in spec.path and "pruning_ratio~0.95" not in spec.path:
            runs.write(experiment, spec)
    figure = draw(runs, experiment, "mask_overlap")["mask_overlap"]
    check_nothing_is_cut(figure)
    check_names_at_the_edges(figure)
    lefts = {round(axes.get_position().x0, 2) for axes in figure.axes if axes.get_title()}
    assert len(lefts) == columns
