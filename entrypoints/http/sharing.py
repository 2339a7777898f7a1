"""Letting concurrent requests share runs of the networks that look at faces."""

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
    sharing = Sharing(config.max_size, config.max_wait, _lanes(engine.config.threads))
    analyser = engine.analyser

    def embedder(built: Built[Embedder]) -> Built[Embedder]:
        return attrs.evolve(built, model=SharedEmbedder(built.model, sharing))

    analyser.embedder.wrap(embedder)
    shared = [_shared(slot, sharing) for slot in analyser.attribute_models.slots]
    analyser.attribute_models = AttributeModels(shared)


def _lanes(threads: int) -> int:
    """Return how many runs the cores can take, if each has so many threads (0: all of them)."""
    return max(1, available_cores() // threads) if threads else 1


def _shared(slot: Slot[AttributeModel], sharing: Sharing) -> Slot[AttributeModel]:
    """Return a slot for the same model, shared."""

    def build() -> Built[Any]:
        built = slot.blueprint.build()
        return attrs.evolve(built, model=SharedAttributeModel(built.model, sharing))

    def plan() -> Blueprint[AttributeModel]:
        return attrs.evolve(slot.blueprint, build=build)

    return Slot(plan)
