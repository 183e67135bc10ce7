"""The gradient steps of an epoch. On CUDA they are one graph, captured once and replayed."""

from __future__ import annotations

import torch
from torch import Tensor

from must.algorithms.agent import Agent
from must.buffers import ReplayBuffer
from must.masks import MaskSet

WARM_UP = 3
"""Steps before a capture: libraries and optimizers set themselves up in the first ones."""


class GradientSteps:
    """Takes an agent's gradient steps on batches from a replay buffer, and never waits for the device meanwhile.

    On CUDA a step is hundreds of small kernels, and launching them one by one takes longer than running them. So a step
    is captured as a CUDA graph. It is good for as long as the published masks are, because they decide which tensors a
    step reads. Steps that learn masks, and those in which masks fade, are too few to be worth it.
    """

    def __init__(self, agent: Agent, replay: ReplayBuffer, rows_per_task: int) -> None:
        """Store the agent and the replay buffer.

        Args:
            agent: Whose steps.
            replay: Where the batches come from; on the agent's device.
            rows_per_task: B, rows of each task in a batch.
        """
        self._agent, self._replay, self._rows_per_task = agent, replay, rows_per_task
        self._sums = {
            learn_masks: torch.zeros(len(agent.reported(learn_masks)), device=agent.device)
            for learn_masks in (False, True)
        }
        self._graph: torch.cuda.CUDAGraph | None = None
        self._captured_with: MaskSet | None = None

    def take(self, times: int, learn_masks: bool = False) -> Tensor:
        """Take some steps; return the mean of what they report, which is still on the device.

        Args:
            times: How many.
            learn_masks: See `Agent.gradient_step`.
        """
        sums = self._sums[learn_masks].zero_()
        if learn_masks or self._agent.masks.fading or self._agent.device.type != "cuda":
            self._take_eagerly(times, learn_masks)
        else:
            self._take_captured(times)
        return sums / times

    def _take_eagerly(self, times: int, learn_masks: bool) -> None:
        for _ in range(times):
            batch = self._replay.sample(self._rows_per_task, self._agent.rngs["batches"])
            self._sums[learn_masks] += self._agent.gradient_step(batch, learn_masks)

    def _take_captured(self, times: int) -> None:
        if self._captured_with is not self._agent.mask_set:
            self._capture_after(min(times, WARM_UP))
            times -= min(times, WARM_UP)
        assert self._graph is not None
        for _ in range(times):
            self._graph.replay()

    def _capture_after(self, warm_up: int) -> None:
        """Take some steps, then capture one without taking it."""
        stream, side_stream = torch.cuda.current_stream(), torch.cuda.Stream()
        side_stream.wait_stream(stream)
        with torch.cuda.stream(side_stream):
            self._take_eagerly(warm_up, learn_masks=False)
        stream.wait_stream(side_stream)
        self._graph = torch.cuda.CUDAGraph()
        for rng in self._agent.rngs.values():
            self._graph.register_generator_state(rng)
        with torch.cuda.graph(self._graph):
            self._take_eagerly(1, learn_masks=False)
        self._captured_with = self._agent.mask_set
