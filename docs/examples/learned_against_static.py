"""What learning masks changes, over all settings of a sweep: python docs/examples/learned_against_static.py DIRECTORY.

Learned masks against static ones of the same granularity, pruning ratio and seed: the difference of the final success,
the mean over these settings for each seed, with its 95 % interval over seeds (Student's t of the paired differences);
and the probability of being better at a task of a setting (docs/statistics.md).
"""

# %%
import sys

from scipy import stats

import must
from must.analysis.statistics import probability_of_improvement, with_interval

directory = sys.argv[1] if len(sys.argv) > 1 else "results/reference/reference"
final_evaluations = 6  # report.final_evaluations of the experiment
settings = ["granularity", "pruning_ratio"]

# %%
data = must.load(directory)
runs = data.runs.query("status == 'finished' and method in ('must', 'static_sparse')")
newest = data.evaluations.epoch.drop_duplicates().nlargest(final_evaluations)
success = data.evaluations[data.evaluations.epoch.isin(newest)].merge(runs, on="run")
success = success.groupby(["method", "update_interval", "seed", *settings, "task"], dropna=False).success.mean()
by_seed = success.unstack([*settings, "task"])  # a row for each run's seed, all tasks of all settings beside each other

# %%
static = by_seed.loc["static_sparse"].droplevel("update_interval")
for interval, learned in by_seed.loc["must"].groupby("update_interval"):
    differences = learned.droplevel("update_interval") - static
    of_seeds = differences.mean(axis="columns")
    low, high = stats.t.interval(0.95, len(of_seeds) - 1, of_seeds.mean(), stats.sem(of_seeds))
    better = with_interval(probability_of_improvement, learned.to_numpy(), static.to_numpy())
    print(f"a renewal every {interval:g} epochs: {of_seeds.mean():+.2f} [{low:.2f}, {high:.2f}]", end=", ")
    print(f"P(better) {better.value:.2f} [{better.low:.2f}, {better.high:.2f}]")
    print("    by task:", differences.T.groupby("task").mean().mean(axis="columns").round(2).to_dict())
