"""What settings reach in equal CPU time: python docs/examples/success_at_cpu_time.py DIRECTORY MINUTES...

For each setting the mean success over tasks and seeds after so many minutes of CPU time, with its 95 % interval over
seeds (docs/statistics.md); between two evaluations it is interpolated. A dash stands where a run had ended by then, or
did not log its CPU time. Times compare settings only where runs have the same processor and the same code.
"""

# %%
import sys

import numpy as np

import must
from must.analysis.statistics import mean, with_interval

directory = sys.argv[1] if len(sys.argv) > 1 else "results/reference/reference"
minutes = np.array([float(each) for each in sys.argv[2:]] or [0.5, 1, 1.5, 2])

# %%
data = must.load(directory)
evaluations = data.evaluations.merge(data.runs[["run", "setting"]], on="run")
curves = evaluations.pivot(index=["setting", "run", "epoch", "cpu_seconds"], columns="task", values="success")
commits = {commit[:12] for each in data.runs.git_commits.dropna() for commit in each.split()}
print(f"processors: {', '.join(sorted(data.runs.cpu.dropna().unique()))}; commits: {', '.join(sorted(commits))}")
print("| CPU minutes |", " | ".join(f"{each:g}" for each in minutes), "|")
print("|---|" + "---|" * len(minutes))
for setting, of_setting in curves.groupby("setting", sort=False):
    reached = [
        [np.interp(60 * minutes, run.index.get_level_values("cpu_seconds"), run[task], right=np.nan) for task in run]
        for _, run in of_setting.groupby("run")
    ]
    cells = []
    for at_once in np.moveaxis(np.array(reached), 2, 0):  # runs by tasks by minutes
        value, low, high = with_interval(mean, at_once)
        cells.append("-" if np.isnan(value) else f"{value:.2f} [{low:.2f}, {high:.2f}]")
    print(f"| {setting} |", " | ".join(cells), "|")
