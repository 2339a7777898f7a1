"""Letting concurrent requests share runs of the networks that look at faces."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from facecv.core.cpu_budget import available_cores
from facecv.core.ports.attribute_model import AttributeModel
from facecv.core.ports.embedder import Embedder
from facecv.core.services.attributes import AttributeModels
from facecv.core.services.microbatch import SharedAttributeModel, SharedEmbedder, Sharing
from facecv.core.services.slot import Blueprint, Built, Slot
from facecv.entrypoints.api import Engine
from facecv.entrypoints.server_config import BatchingConfig


def share_runs(engine: Engine, config: BatchingConfig) -> None:
    """Exchange the embedders and attribute models of an engine for ones that share their runs.

    Models that are loaded already stay as they are.
    """
    if config.max_size == 1:
        return
    analyser, threads = engine.analyser, engine.config.threads

    def sharing(built: Built[Any]) -> Sharing:
        lanes = _lanes(built.providers, threads)
        return Sharing(config.max_size, config.max_wait, lanes)

    def embedder(built: Built[Embedder]) -> Built[Embedder]:
        return attrs.evolve(built, model=SharedEmbedder(built.model, sharing(built)))

    analyser.embedder.wrap(embedder)
    shared = [_shared(slot, sharing) for slot in analyser.attribute_models.slots]
    analyser.attribute_models = AttributeModels(shared)


def _lanes(providers: Sequence[str], threads: int) -> int:
    """Return how many runs of a model may be under way at once.

    An accelerator gets one after the other. A processor takes 16 faces in one run hardly faster
    (5 % with nano) than in four runs of four, so nobody waits there as long as there are cores.

    Args:
        providers: what runs the networks of the model.
        threads: of one run; 0: as many as suit the network.
    """
    if not providers or not all("CPU" in name for name in providers):
        return 1
    return max(1, available_cores() // (threads or 1))


def _shared(
    slot: Slot[AttributeModel], sharing: Callable[[Built[Any]], Sharing]
) -> Slot[AttributeModel]:
    """Return a slot for the same model, shared."""

    def build() -> Built[Any]:
        built = slot.blueprint.build()
        return attrs.evolve(built, model=SharedAttributeModel(built.model, sharing(built)))

    def plan() -> Blueprint[AttributeModel]:
        return attrs.evolve(slot.blueprint, build=build)

    return Slot(plan)
