"""The gradient steps of an epoch. Steps of a kind run the same operations: they are recorded once, and replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from must.algorithms.agent import Agent
from must.algorithms.cpu_recording import CpuRecording
from must.algorithms.parts import StepKind
from must.algorithms.recording import CudaRecording, Inputs, Recorder, Recording
from must.buffers import ReplayBuffer

WARM_UP = 3
"""Steps of a kind before it is recorded: libraries and optimizers set themselves up in the first ones."""


class GradientSteps:
    """Takes an agent's gradient steps on batches from a replay buffer, and never waits for the device meanwhile.

    On CUDA a step is hundreds of small kernels, and launching them one by one takes longer than running them. So each
    kind of step is recorded as a CUDA graph: ordinary ones, those in which masks fade, and those that learn masks. All
    mask sets of a run have tensors of the same shapes, and new ones are copied to where the recording looks for them.
    On the CPU ordinary steps are recorded as a list of operations; the others, of renewals, are few and large.
    """

    def __init__(
        self,
        agent: Agent,
        replay: ReplayBuffer,
        rows_per_task: int,
        recorder: Recorder | None = None,
        before_step: Callable[[], None] | None = None,
        record: bool = True,
    ) -> None:
        """Store the agent and the replay buffer.

        Args:
            agent: Whose steps.
            replay: Where the batches come from; on the agent's device.
            rows_per_task: B, rows of each task in a batch.
            recorder: Records steps of all kinds (default: what suits the device).
            before_step: Called before each step; it may end them with an exception.
            record: Whether steps are recorded at all; otherwise each is taken as it is, with the same result.
        """
        self._agent, self._replay, self._rows_per_task = agent, replay, rows_per_task
        self._before_step = before_step
        self._sums = {
            learn_masks: torch.zeros(len(agent.reported(learn_masks)), device=agent.device)
            for learn_masks in (False, True)
        }
        on_cuda = agent.device.type == "cuda"
        self._recorder: Recorder = recorder or (CudaRecording if on_cuda else CpuRecording)
        kinds = (StepKind.ORDINARY, StepKind.FADING, StepKind.LEARNING) if recorder or on_cuda else (StepKind.ORDINARY,)
        self._recorded_kinds = kinds if record else ()
        self._stream: torch.cuda.Stream | None = None
        self._kinds: dict[StepKind, _Kind] = {}
        self.recorded = 0
        """How often a step was recorded so far."""

    @property
    def can_be_recorded(self) -> bool:
        """Whether all kinds of steps that were to be recorded so far could be."""
        return all(known.recording is None or known.recording.recorded for known in self._kinds.values())

    def take(self, times: int, learn_masks: bool = False) -> Tensor:
        """Take some steps; return the mean of what they report, which is still on the device.

        Args:
            times: How many.
            learn_masks: See `Agent.gradient_step`.
        """
        with self._on_own_stream():
            self._sums[learn_masks].zero_()
            before: StepKind | None = None
            for _ in range(times):
                if self._before_step is not None:
                    self._before_step()
                kind = self._agent.prepare_step(learn_masks)
                if kind in self._recorded_kinds:
                    self._recorded_step(kind, new=kind is not before)
                else:
                    self._step(learn_masks)
                before = kind
        return self._sums[learn_masks] / times

    def _step(self, learn_masks: bool) -> None:
        batch = self._replay.sample(self._rows_per_task, self._agent.rngs["batches"])
        self._sums[learn_masks] += self._agent.take_step(batch, learn_masks)

    def _recorded_step(self, kind: StepKind, new: bool) -> None:
        """Take a step of a kind: the first ones as they are, from then on as it was recorded.

        Args:
            kind: Of the step.
            new: Whether the step before was of another kind, or of an earlier epoch: then inputs may have changed.
        """
        learn_masks = kind is StepKind.LEARNING
        known = self._kinds.get(kind)
        if new and (known is None or not known.inputs.take_over(self._agent.masks.step_inputs(kind))):
            known = self._kinds[kind] = _Kind(Inputs(self._agent.masks.step_inputs(kind)))
        assert known is not None
        if known.warm_up < WARM_UP:
            known.warm_up += 1
            before = self._drawn()
            self._step(learn_masks)
            after = self._drawn()
            rngs = self._agent.rngs
            known.generators = [rngs[name] for name in rngs if before is None or before[name] != (after or {})[name]]
            return
        if known.recording is None:
            own = self._agent.masks.step_inputs(kind)
            self._agent.masks.bind_inputs(kind, known.inputs.values)
            known.recording = self._recorder(lambda: self._step(learn_masks), known.generators)
            self._agent.masks.bind_inputs(kind, own)
            self.recorded += 1
        known.recording.replay()

    def _drawn(self) -> dict[str, int] | None:
        """Return how far each generator is; None on the CPU, where that is not known.

        A graph sets those that it knows before each replay, so it should know no others than those that it draws from.
        """
        if self._agent.device.type != "cuda":
            return None
        return {name: rng.get_offset() for name, rng in self._agent.rngs.items()}

    @contextmanager
    def _on_own_stream(self) -> Iterator[None]:
        """Work on a stream that can be recorded, which the default one cannot."""
        on_cuda = self._agent.device.type == "cuda"
        if not on_cuda or torch.cuda.current_stream() != torch.cuda.default_stream():
            yield
            return
        current = torch.cuda.current_stream()
        self._stream = self._stream or torch.cuda.Stream(self._agent.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            yield
        current.wait_stream(self._stream)


class _Kind:
    """What is known of a kind of step."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.warm_up = 0
        self.generators: list[torch.Generator] = []
        """Those that a step draws from."""
        self.recording: Recording | None = None
