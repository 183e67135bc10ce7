"""A figure of one's own from the tidy data of an experiment: python docs/examples/own_figure.py DIRECTORY FILE.

Returns of the tasks over the steps, a line for each setting with the spread of its seeds.
"""

# %%
import sys

import matplotlib as mpl
import seaborn as sns

import must

mpl.use("agg")
directory, out = sys.argv[1:] if len(sys.argv) > 2 else ("results/reference/quick", "own_figure.pdf")

# %%
data = must.load(directory)
frame = data.evaluations.merge(data.runs, on="run")
grid = sns.relplot(frame, kind="line", x="env_steps", y="return", hue="setting", col="task", errorbar="sd", height=2.5)
grid.set_axis_labels("Environment steps per task", "Return")
grid.savefig(out)
