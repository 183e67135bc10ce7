"""Answers to what a conference asks about reproducibility, from what the runs recorded; what isn't recorded is said."""

from __future__ import annotations

from typing import NamedTuple

from must.analysis.notes import INTERVAL, NO_INTERVAL
from must.analysis.statistics import MIN_SEEDS
from must.data import Results
from must.paper.record import Record

YES, PARTLY, NO, UNKNOWN = "Yes", "In part", "No", "Not recorded"


class Answer(NamedTuple):
    """A question of the checklist, and what can be said."""

    question: str
    answer: str
    why: str


def answers(results: Results, record: Record) -> list[Answer]:
    """Return the answers, in the order in which the NeurIPS checklist asks."""
    return [
        _limits(results, record),
        _results(record),
        Answer(
            "Are code and data open, with instructions?",
            UNKNOWN,
            "Code, configuration and commands are named here, and the data come from a simulator that is open. Where "
            "code and logs are published, the runs cannot know: it is for the authors to say.",
        ),
        Answer(
            "Are all settings given, and how they were chosen?",
            PARTLY,
            "All settings that can change a result are in the tables of settings. How their values were chosen is not "
            "recorded.",
        ),
        _uncertainty(results),
        _compute(record),
        Answer(
            "Are the assets that were used credited, with their licences?",
            YES,
            "must: MIT; Meta-World: MIT; Gymnasium: MIT; MuJoCo: Apache 2.0; PyTorch, NumPy, SciPy: BSD (3 clauses). "
            "Their versions are in the table of software.",
        ),
    ]


def _limits(results: Results, record: Record) -> Answer:
    limits = [f"{count} of {record.planned} runs {state}" for state, count in record.unfinished.items()]
    few = sum(len(group.finished) < MIN_SEEDS for group in results.groups)
    limits += [f"{few} of {len(results.groups)} settings with fewer than {MIN_SEEDS} finished seeds"] if few else []
    limits += ["runs with different commits"] if len(record.commits) > 1 else []
    limits += ["runs in different containers"] if len(record.containers) > 1 else []
    known = f"The record shows: {'; '.join(limits)}." if limits else "All runs are finished, with enough seeds."
    return Answer(
        "Are the limits of the results said?",
        PARTLY,
        f"{known} All tasks are simulated. What the results mean for other tasks, the authors have to say.",
    )


def _results(record: Record) -> Answer:
    question = "Can the main results be reproduced from what is given?"
    same = (
        "The same command gives the same bytes on the same kind of processor; another kind rounds otherwise, and each "
        "run then goes another way."
    )
    if record.devices != {"CPU"}:
        same = "Runs on a GPU are repeated by the same command; the record does not say that bytes are the same."
    if not record.clean:
        return Answer(question, PARTLY, f"Some code is not that of a known commit without other changes. {same}")
    image = "" if record.containers == ["none"] else " and the images"
    return Answer(question, YES, f"The commits{image}, the seeds and the commands are given. {same}")


def _uncertainty(results: Results) -> Answer:
    counts = [len(group.finished) for group in results.groups if group.finished]
    enough = [count >= MIN_SEEDS for count in counts]
    answer = YES if all(enough) else PARTLY if any(enough) or max(counts) > 1 else NO
    how = f"Tables and figures have {INTERVAL}; what varies between runs is the seed." if any(enough) else ""
    few = "" if all(enough) else f"There is {NO_INTERVAL}."
    return Answer("Do the results say how sure they are?", answer, " ".join(filter(None, (how, few))))


def _compute(record: Record) -> Answer:
    question = "Is the compute given that the results took?"
    others = (
        "What unfinished and earlier runs took is not recorded; that may be more."
        if record.unfinished
        else "What runs took that were tried before is not recorded."
    )
    return Answer(question, PARTLY, f"The table of compute has it for the finished runs, machine by machine. {others}")
