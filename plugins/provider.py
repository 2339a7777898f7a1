"""What a plugin registers: a named way to build an implementation of a port."""

import re
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

from facecv.core.errors import ConfigurationError, PluginError
from facecv.core.pack import InputSpec, ModelFile, ModelSpec
from facecv.core.ports.inference_backend import InferenceBackend, Session, SessionOptions

PortT_co = TypeVar("PortT_co", covariant=True)
SettingsT = TypeVar("SettingsT")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _check_name(_: object, __: object, value: str) -> None:
    if not _NAME.fullmatch(value):
        raise PluginError(f"{value!r} is not a provider name: lower-case letters, digits, hyphens")


def _check_settings(_: object, __: object, value: type) -> None:
    if not attrs.has(value):
        raise PluginError(f"the settings of a provider must be an attrs class, got {value!r}")


@attrs.frozen
class NoSettings:
    """The settings of a provider that has none."""


@attrs.frozen
class BuildRequest:
    """Everything a provider may use to build its implementation.

    Attributes:
        settings: an instance of the provider's `settings` class, validated.
        model: the network to run, for providers that run one.
        backend: what runs networks, for providers that run one.
        session: how to load networks.
        address: what a frame source, an event sink or a video sink is of: a path, a URL, a number.
            May hold secrets: `facecv.core.urls.redacted` takes them out. An event store gets the
            path of the gallery's file, if the gallery is one.
    """

    settings: object = attrs.field(factory=NoSettings)
    model: ModelFile | None = None
    backend: InferenceBackend | None = None
    session: SessionOptions = attrs.field(factory=SessionOptions)
    address: str = attrs.field(default="", repr=False)

    def settings_as(self, kind: type[SettingsT]) -> SettingsT:
        """Return the settings, checked to be of `kind`."""
        if not isinstance(self.settings, kind):
            raise PluginError(f"settings of {kind.__name__} expected, got {self.settings!r}")
        return self.settings

    def model_file(self) -> ModelFile:
        """Return the model; raise `ConfigurationError` if none was configured."""
        if self.model is None:
            raise ConfigurationError(
                "this provider needs a model", hint="name a model or the path of an ONNX file"
            )
        return self.model

    def load(
        self,
        model: ModelFile | None = None,
        *,
        max_batch: int = 0,
        pixels: InputSpec | None = None,
    ) -> Session:
        """Return `model` (or the request's own) loaded on the request's backend.

        Args:
            model: the network.
            max_batch: the largest batch that will be sent; 0: as the request says.
            pixels: how pixels are normalised, if the network may do it; its input then takes
                ``float32`` or ``uint8``, as its `TensorSpec` says.
        """
        if self.backend is None:
            raise ConfigurationError("this provider needs an inference backend")
        session = attrs.evolve(
            self.session, max_batch=max_batch or self.session.max_batch, pixels=pixels
        )
        return self.backend.load(model or self.model_file(), session)


@attrs.frozen
class Provider(Generic[PortT_co]):
    """A named way to build an implementation of a port.

    Attributes:
        name: how the configuration refers to it: lower-case letters, digits, hyphens.
        build: makes the implementation; imports what it needs inside itself.
        summary: one line for lists.
        settings: attrs class of its section in the configuration.
        needs_model: whether it runs a network that the configuration must name.
        provides: for attribute models: returns the attributes that one with that network (None:
            none) gives, so that a request loads only what it needs; None: they are known once it
            is loaded.
        fallback: for attribute models without a network: whether it is used, after the models of
            the pack, where the configuration names none; it tells what they do not.
    """

    name: str = attrs.field(validator=_check_name)
    build: Callable[[BuildRequest], PortT_co]
    summary: str = ""
    settings: type = attrs.field(default=NoSettings, validator=_check_settings)
    needs_model: bool = False
    provides: Callable[[ModelSpec | None], frozenset[str]] | None = None
    fallback: bool = False
