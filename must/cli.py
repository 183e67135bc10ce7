"""The command line: ``must train | evaluate | render | sizes | aggregate | figures | paper | plan | status | ...``."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from must import __version__, drawing, train_commands
from must.config import load_sweep, parse_assignments
from must.config.unread import require_for_one_run
from must.errors import EXIT_USER_ERROR, ConfigError, MustError
from must.export.options import add_archive_commands
from must.sections import suggest
from must.streams import complain, discard, explain, guarded, require_directory
from must.sweep import options as sweep_commands
from must.tasks import MAX_HORIZON
from must.words import count_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status: 0 done, 2 a user's mistake, 75 interrupted with a checkpoint."""
    return guarded(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    stopped = "stopped"
    try:
        options = _parse(arguments)
        stopped = getattr(options, "stopped", stopped)
        require_directory()
        status = int(options.command(options))
        sys.stdout.flush()
    except MustError as error:
        return _fail(str(error), EXIT_USER_ERROR)
    except ImportError as error:
        from must.versions import warning

        return _fail(f"{error}; {warning() or 'run make setup, and see must doctor'}", EXIT_USER_ERROR)
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is None and isinstance(error, ConnectionError):
            raise
        discard()
        return _fail(explain(error), EXIT_USER_ERROR)
    except KeyboardInterrupt:
        return _fail(stopped, train_commands.EXIT_KILLED)
    return status


def _fail(message: str, status: int) -> int:
    """Describe what went wrong, as far as anybody reads it; return the exit status."""
    complain(message)
    return status


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what was typed; of an option that a command does not have, that command complains."""
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        command: argparse.ArgumentParser = options.parser
        word = next((word for word in unknown if word.startswith("-")), "").partition("=")[0]
        near = suggest(word, re.findall(r"--[\w-]+", command.format_usage())) if word.startswith("--") else ""
        command.error(f"unrecognized arguments: {' '.join(unknown)}{near}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="must", description="Multi-task sparse training on Meta-World.")
    parser.add_argument("--version", action="version", version=f"must {__version__}")
    commands = parser.add_subparsers(title="commands", required=True)

    train_commands.add_commands(commands)

    evaluate = commands.add_parser("evaluate", help="evaluate a finished run", description=_evaluate.__doc__)
    evaluate.add_argument("run_dir", type=Path)
    evaluate.add_argument("--episodes", type=int, default=50, help="episodes of each task, 1 to 50 (default 50)")
    evaluate.add_argument(
        "--horizon", type=int, metavar="STEPS", help="of an episode (default: those of the run's last evaluation)"
    )
    evaluate.add_argument("--n-workers", type=int, default=1, help="worker processes (default 1)")
    evaluate.add_argument("--json", action="store_true", help="print JSON instead of a table")
    evaluate.set_defaults(command=_evaluate)

    render = commands.add_parser("render", help="film a finished run", description=_render.__doc__)
    render.add_argument("run_dir", type=Path)
    render.add_argument("--task", help="one of the run's tasks")
    render.add_argument("--out", required=True, type=Path, help="clip to write: .mp4 or .gif")
    render.add_argument("--size", default="", metavar="WxH", help="pixels (default 480x480; a .gif 320x320)")
    render.add_argument("--episode", type=int, default=1, help="which episode of an evaluation, 1 to 50 (default 1)")
    render.add_argument("--json", action="store_true", help="print JSON instead of a line")
    render.set_defaults(command=_render)

    sizes = commands.add_parser("sizes", help="count the parameters of every setting", description=_sizes.__doc__)
    sizes.add_argument("--config", required=True, type=Path, help="experiment file")
    sizes.set_defaults(command=_sizes)

    for name, command in (("aggregate", _aggregate), ("figures", _figures), ("paper", _paper)):
        sub = commands.add_parser(name, help=str(command.__doc__), description=command.__doc__)
        sub.add_argument("--config", required=True, type=Path, help="experiment file")
        sub.add_argument("--results", type=Path, default=Path("results"), help="where results lie (default: results)")
        sub.set_defaults(command=command)
        if name == "figures":
            sub.add_argument(
                "--width",
                choices=("auto", "column", "page"),
                default="auto",
                help="one column of a paper, both, or whichever suits each figure (default: %(default)s)",
            )
            sub.add_argument(
                "--only", metavar="NAME", nargs="+", default=(), help="these figures alone, such as learning_curves"
            )
        if name == "paper":
            styles = ("conference", "plain")
            sub.add_argument("--style", choices=styles, default=styles[0], help="(default: %(default)s)")

    compare = commands.add_parser("compare", help="compare two settings", description=_compare.__doc__)
    for name in ("A", "B"):
        compare.add_argument(name, help="a setting, by the name that must compare or tables have for it")
    compare.add_argument("--config", type=Path, help="experiment file of both")
    compare.add_argument("--results", type=Path, default=Path("results"), help="where results lie (default: results)")
    compare.add_argument("--difference", type=float, default=0.1, help="of success rates (default: %(default)s)")
    compare.add_argument("--power", type=float, default=0.8, help="chance of showing it (default: %(default)s)")
    compare.set_defaults(command=_compare)

    sweep_commands.add_commands(commands)
    add_archive_commands(commands)

    bench = commands.add_parser("bench", help="measure how long the parts of a run take", description=_bench.__doc__)
    targets = ("update", "mask-update", "recording", "collect", "env", "epoch", "checkpoint", "all")
    bench.add_argument("target", choices=targets, help="what to measure; all: everything, with a report")
    bench.add_argument(
        "--config", type=Path, default=Path("config/mt10_paper.yaml"), help="sizes (default: %(default)s)"
    )
    bench.add_argument("--granularity", help="weight or neuron (masks.granularity)")
    bench.add_argument("--pruning-ratio", metavar="X", help="(masks.pruning_ratio)")
    bench.add_argument("--head", help="dense or factorised (generator.head)")
    bench.add_argument("--device", default="cpu", help="cpu, cuda or auto (default: cpu)")
    bench.add_argument("--threads", type=int, default=0, help="CPU threads (default: all cores)")
    bench.add_argument("--repeats", type=int, default=20, help="measured calls of the short ones (default: 20)")
    bench.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any other key, dotted")
    bench.add_argument("--json", action="store_true", help="print JSON instead of a table")
    bench.add_argument("--out", type=Path, default=Path("bench.json"), help="where all writes its figures as JSON")
    bench.add_argument("--page", type=Path, help="page whose table all writes anew (docs/performance.md)")
    bench.set_defaults(command=_bench)

    doctor = commands.add_parser("doctor", help="say what is missing on this machine", description=_doctor.__doc__)
    doctor.set_defaults(command=_doctor)
    for sub in commands.choices.values():
        sub.set_defaults(parser=sub)
    return parser


def _evaluate(options: argparse.Namespace) -> int:
    """Evaluate the saved policy of a finished run again."""
    if not 1 <= options.episodes <= 50:
        raise ConfigError(f"--episodes {options.episodes}: Meta-World has 50 train goals a task; use 1 to 50")
    if options.horizon is not None and not 1 <= options.horizon <= MAX_HORIZON:
        raise ConfigError(f"--horizon {options.horizon}: Meta-World ends an episode at {MAX_HORIZON}; use 1 to that")
    if options.n_workers < 1:
        raise ConfigError(f"--n-workers {options.n_workers}: use 1 or more")
    with drawing.disabled():
        from must.evaluation import asked, evaluate

    config, result = evaluate(options.run_dir, options.episodes, options.n_workers, options.horizon)
    names, (episodes, horizon) = config.env.task_names, asked(config, options.episodes, options.horizon)
    if options.json:
        success = dict(zip(names, result.success.tolist(), strict=True))
        returns = dict(zip(names, result.returns.tolist(), strict=True))
        judged = {"mean_success": result.success.mean(), "episodes": episodes, "horizon": horizon}
        print(json.dumps({**judged, "success": success, "return": returns}, indent=2))
        return 0
    width = max(map(len, names))
    print(f"{'task':<{width}}  success      return")
    for name, success, episode_return in zip(names, result.success, result.returns, strict=True):
        print(f"{name:<{width}}  {success:7.3f}  {episode_return:10.2f}")
    print(f"{'mean':<{width}}  {result.success.mean():7.3f}  {result.returns.mean():10.2f}")
    goal = "at its fixed goal" if config.env.goals == "fixed" else "each at a goal of its own"
    print(f"{count_of(episodes, 'episode')} of {horizon} steps for each task, {goal}")
    return 0


def _render(options: argparse.Namespace) -> int:
    """Film an evaluation episode of a finished run, without a screen: mean action, last masks, the run's own goals."""
    from must.render import Request, render

    clip = render(Request(options.run_dir, options.task, options.out, options.size, options.episode))
    print(json.dumps(asdict(clip)) if options.json else clip)
    return 0


def _sizes(options: argparse.Namespace) -> int:
    """Count the parameters of every setting of an experiment, and what a task uses of them, without training."""
    from must.sizes import sizes, table

    print(table(sizes(load_sweep(options.config))))
    return 0


def _aggregate(options: argparse.Namespace) -> int:
    """Make the tidy data and the tables of an experiment from the runs that lie in its results."""
    from must.analysis import aggregate

    for path in aggregate(load_sweep(options.config), options.results):
        print(path)
    return 0


def _figures(options: argparse.Namespace) -> int:
    """Make the figures of an experiment from the runs that lie in its results."""
    from must.analysis import write_figures

    for path in write_figures(load_sweep(options.config), options.results, options.width, options.only):
        print(path)
    return 0


def _paper(options: argparse.Namespace) -> int:
    """Make a PDF of an experiment: its tables and figures, all settings, and how it is reproduced. Needs LaTeX."""
    from must.paper import write_paper

    print(write_paper(load_sweep(options.config), options.config, options.results, options.style))
    return 0


def _compare(options: argparse.Namespace) -> int:
    """Compare two settings, each NAME with --config, or DIRECTORY:NAME: difference, P(better), seeds to settle it."""
    from must.analysis.compare import compare
    from must.data import find_settings

    settings = find_settings([options.A, options.B], options.config, options.results)
    print(compare(settings, options.difference, options.power))
    return 0


def _bench(options: argparse.Namespace) -> int:
    """Measure how long the parts of a run take here, beside the arithmetic they cannot do without."""
    for name in ("threads", "repeats"):
        if getattr(options, name) < (name == "repeats"):
            raise ConfigError(f"--{name} {getattr(options, name)}: use 1 or more")
    overrides = parse_assignments(options.set)
    for option, key in (("granularity", "masks.granularity"), ("pruning_ratio", "masks.pruning_ratio")):
        if getattr(options, option) is not None:
            overrides[key] = getattr(options, option)
    if options.head is not None:
        overrides["generator.head"] = options.head
    require_for_one_run(overrides)
    for option, path in (("--out", options.out), ("--page", options.page)):
        if options.target == "all" and path is not None and not path.parent.is_dir():
            raise ConfigError(f"{option} {path}: there is no directory {path.parent}; make it first")
    with drawing.disabled():
        from must import bench

    return bench.main(options, overrides)


def _doctor(_options: argparse.Namespace) -> int:
    """Describe what is missing on this machine and how to mend it."""
    from must import doctor

    return doctor.main()


if __name__ == "__main__":
    sys.exit(main())
