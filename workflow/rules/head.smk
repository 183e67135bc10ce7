"""The head, which is the Snakemake that a user starts: where it can work, and what one that was killed has left behind.

Snakemake locks the files that it makes, and a head that is killed leaves its locks. Beside each lock lies whose it is, so
that the next head knows whether its owner is gone. What the killed head had started may still be working then.
"""

import time
from contextlib import suppress

from must.locks import LOCK, Owner
from must.sweep.head import record_head, typed_command

LOCKS = Path(".snakemake", "locks")


def check_place():
    """Refuse paths that Snakemake does not quote where it starts jobs in the image or on a cluster."""
    here = os.getcwd()
    unsafe = [here] if IN_IMAGE and (":" in here or repr(here) != f"'{here}'") else []
    if not workflow.local_exec:
        paths = [here, sys.executable, *map(str, workflow.configfiles)]
        unsafe += [path for path in paths if path != shlex.quote(path)]
    if unsafe:
        stop(
            f"{unsafe[0]}: Snakemake cannot start jobs {'in the image ' if workflow.local_exec else ''}with this path; "
            "move it, or rename it to letters, digits, and . _ - + / alone"
        )


def clear_locks():
    """Remove the locks of heads that are gone, say how to remove those of which that is not known; return what was found."""
    found = {"gone": set(), "unknown": set(), "at work": set()}
    for lock in sorted(LOCKS.glob("*.lock")):
        record = lock.with_suffix(".owner")
        with suppress(FileNotFoundError):
            owner = Owner.read(record)
            if owner and record.stat().st_mtime_ns < lock.stat().st_mtime_ns:
                owner = None  # of an earlier lock of the same name
            if owner and owner.gone:
                found["gone"].add(str(owner))
                lock.unlink()
                record.unlink()
            elif owner and owner.here:
                found["at work"].add(str(owner))
            else:
                found["unknown"].add(str(owner or "unknown process"))
    if found["gone"]:
        gone = ", ".join(found["gone"])
        say(f"the Snakemake that was at work here is gone ({gone}); this one goes on")
    if found["unknown"] and "--unlock" not in sys.argv:
        unknown = ", ".join(found["unknown"])
        unlock = [sys.executable, "-m", "snakemake", "--unlock", *sys.argv[1:]]
        say(
            f"another Snakemake has locked files here ({unknown}). If it is no longer at work:\n"
            f"    {shlex.join(unlock)}\nand then the same command again"
        )
    return found


def sign_locks():
    """Write beside each lock of this head whose it is."""
    for lock in map(Path, getattr(workflow.persistence, "_lockfile", {}).values()):
        lock.with_suffix(".owner").write_bytes(Owner.current().record)


def record_invocation():
    """Write down for `must status` what this head means to train, how many runs at a time, and by which command."""
    jobs = [job for job in workflow.dag.needrun_jobs() if job.rule.name == "train"]
    together = EXPERIMENT.resources.runs_per_job
    planned = []
    for job in jobs:
        batch = job.wildcards_dict.get("batch")
        planned += BATCHES[batch] if batch else [run_path(job.wildcards)]
    if workflow.local_exec:
        cores = workflow.resource_settings.cores or 1
        at_once = max(1, int(cores) // (RUN_THREADS * together)) * together
    else:
        at_once = (workflow.resource_settings.nodes or 1) * together
    command = typed_command(sys.argv[1:], os.environ)
    try:
        record_head(Path(RESULTS), command, min(at_once, len(RUNS)), planned)
    except OSError as error:
        stop(explain(error))


def wait_for_others():
    """Wait for jobs that a killed head has left at work: their runs refuse a second process."""
    told = None
    while True:
        processes = [str(owner.pid) for owner in run_owners()]
        jobs = slurm_jobs()
        if not processes and not jobs:
            return
        if told is None:
            end = f"scancel {' '.join(jobs)}" if jobs else f"kill {' '.join(processes)}"
            say(
                "runs of this experiment are still being trained by an earlier invocation; waiting for them. Where they "
                f"stand is saved, and used here, if you stop them:\n    {end}"
            )
            told = True
        time.sleep(1 if processes and not jobs else 10)


def run_owners():
    """Return the processes of this machine that train a run of this experiment."""
    owners = (
        Owner.read(file)
        for path in RUNS
        for file in (Path(RESULTS, "runs", path)).glob(f"{LOCK}*")
    )
    return {owner for owner in owners if owner and owner.here and not owner.gone}


def slurm_jobs():
    """Return the Slurm jobs that a head which is gone submitted from here; those of a head at work are not told apart."""
    if workflow.local_exec or not LEFT["gone"] or LEFT["at work"]:
        return []
    command = ["squeue", "--noheader", "--me", "--format", "%i|%Z"]
    answer = subprocess.run(command, capture_output=True, text=True)
    rows = [line.strip().split("|", 1) for line in answer.stdout.splitlines()]
    return [job for job, place in rows if place == os.getcwd()]


def say(text):
    """Tell the user, at once."""
    print(f"must: {text}", file=sys.stderr, flush=True)


if workflow.is_main_process:
    LEFT = clear_locks()
