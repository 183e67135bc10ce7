"""Which run is shown when only one can be."""

import pytest

from must.data import best_run, load_results


def path_of_best(runs, experiment):
    return best_run(load_results(experiment, runs.results)).spec.path


def test_the_highest_final_success_wins_whatever_came_before(runs):
    final = {("0", "0"): 0.5, ("0", "1"): 0.25, ("0.5", "0"): 0.5, ("0.5", "1"): 0.75}

    def success(spec, config):
        params = dict(spec.params)
        last = final[params["pruning_ratio"], params["seed"]]
        return [[0, 0], [1 - last, 1 - last], [last, last]]

    experiment = runs.experiment()
    runs.write_all(experiment, success)
    assert path_of_best(runs, experiment) == "pruning_ratio~0.5/update_interval~10/seed~1"
    # Over two evaluations all runs are equal: the first of the sweep is taken.
    assert path_of_best(runs, runs.experiment(report={"final_evaluations": 2})) == (
        "pruning_ratio~0/update_interval~na/seed~0"
    )


def test_success_is_the_mean_over_tasks(runs):
    experiment = runs.experiment()
    runs.write_all(experiment, lambda spec, config: [[1.0, 0.0]] if config.training.seed == 0 else [[0.6, 0.6]])
    assert path_of_best(runs, experiment) == "pruning_ratio~0/update_interval~na/seed~1"


@pytest.mark.parametrize("state", ["interrupted", "failed"])
def test_an_unfinished_run_is_not_shown(runs, unfinished, state):
    experiment = runs.experiment()
    directories = runs.write_all(experiment, lambda spec, config: [[1.0 - config.training.seed, 1.0]])
    unfinished(directories[0], state)
    assert path_of_best(runs, experiment) == "pruning_ratio~0.5/update_interval~10/seed~0"
