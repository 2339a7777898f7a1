"""The configuration: a file, the environment and overrides, validated into frozen values.

Later sources win: ``facecv.toml``, then ``FACECV_*`` variables, then what the caller passes
(command-line flags, keyword arguments). A variable names a key in capitals, with two underscores
between a section and its key: ``FACECV_DEVICE=cpu``, ``FACECV_DETECTION__SCORE_THRESHOLD=0.6``.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import attrs

from facecv.core.errors import ConfigurationError
from facecv.core.liveness import LivenessGate
from facecv.core.ports.detector import DetectorOptions, Passes
from facecv.core.ports.inference_backend import Device
from facecv.core.quality import GateName
from facecv.core.services.find import FindOptions, Order, Rotate
from facecv.entrypoints.server_config import ServerConfig
from facecv.entrypoints.watch_config import WatchConfig
from facecv.models.document import structure

FILE_NAME = "facecv.toml"
_PREFIX = "FACECV_"
_NOT_SETTINGS = frozenset({"FACECV_CONFIG", "FACECV_SHARED", "FACECV_TRACE_PLUGINS"})


@attrs.frozen
class DetectionConfig:
    """Section ``[detection]``: see `FindOptions` and `DetectorOptions` for the meaning."""

    score_threshold: float = 0.5
    nms_threshold: float = 0.4
    input_size: int = 640
    passes: Passes = "auto"
    padding: Literal["rectangle", "square"] = "rectangle"
    min_face: float = 0.0
    max_face: float = 0.0
    max_faces: int = 0
    order: Order = "area"
    tile: int = 0
    rotate: Rotate = "off"

    def __attrs_post_init__(self) -> None:
        """Refuse values that the options refuse."""
        self.options()

    def options(self) -> FindOptions:
        """Return the section as options of the services."""
        return FindOptions(
            DetectorOptions(
                self.score_threshold,
                self.nms_threshold,
                self.input_size,
                self.passes,
                self.padding,
            ),
            min_face=self.min_face,
            max_face=self.max_face,
            max_faces=self.max_faces,
            order=self.order,
            tile=self.tile,
            rotate=self.rotate,
        )


@attrs.frozen
class RecognitionConfig:
    """Section ``[recognition]``.

    Attributes:
        threshold: similarity from which two faces are one person; None: the model's own.
        margin: the best two persons closer than this are ambiguous.
        top_k: candidates returned for a face.
    """

    threshold: float | None = attrs.field(
        default=None,
        validator=attrs.validators.optional([attrs.validators.ge(-1), attrs.validators.le(1)]),
    )
    margin: float = attrs.field(default=0.02, validator=attrs.validators.ge(0))
    top_k: int = attrs.field(default=5, validator=attrs.validators.ge(1))


@attrs.frozen
class LivenessConfig:
    """Section ``[liveness]``: the gates; each is ``off``, ``observe`` or ``enforce``.

    Attributes:
        enrolment: whether enrolled faces must be live.
        identification: whether faces must be live to be identified.
    """

    enrolment: LivenessGate = "off"
    identification: LivenessGate = "off"


@attrs.frozen
class ModelsConfig:
    """Section ``[models]``.

    Attributes:
        embedders: further embedders that collections may be bound to, written as `embedder` is;
            those of known packs are found without being named.
        detectors: files of further detectors that clients of the server may switch to.
        idle_unload: seconds after which a model that nobody uses leaves memory; 0: never.
    """

    embedders: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    idle_unload: float = attrs.field(default=0.0, validator=attrs.validators.ge(0))


@attrs.frozen
class Config:
    """All settings.

    Attributes:
        pack: model pack; empty: the one in `pack_dir`, or the default.
        pack_dir: a folder of model files to use instead of the cache.
        packs: further pack manifests (TOML files or folders that hold a ``manifest.toml``).
        detector: a model's name, ``PACK/MODEL``, the path of an ONNX file, ``PROVIDER:PATH``, or
            the name of a registered detector; empty: the pack's.
        embedder: likewise.
        attributes: attribute models to use, the first that gives an attribute gives it; empty:
            the pack's, then those that need no network.
        backend: what runs the networks.
        device: where they run.
        threads: threads of one run; 0: the share of cores that this process may use, but one for
            small networks in `facecv serve`, where requests keep the cores busy.
        gallery: name of a registered gallery, or the path of an SQLite file.
        collection: the collection used where none is named.
        store: what keeps model files.
        decoder: what reads pictures.
        aligner: what cuts faces out of pictures.
        annotator: what draws on pictures.
        event_store: what keeps the events of streams; empty: the gallery's file, or memory.
        quality: the gate for enrolment.
        liveness: the gates for living persons.
        detection: which faces are found.
        recognition: how faces are compared.
        models: several models at once.
        server: the HTTP service.
        watch: how streams are watched.
        detectors: settings of detector providers, by provider name; likewise the next ones.
    """

    pack: str = ""
    pack_dir: Path | None = None
    packs: tuple[Path, ...] = ()
    detector: str = ""
    embedder: str = ""
    attributes: tuple[str, ...] = ()
    backend: str = "onnxruntime"
    device: Device = "auto"
    threads: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    gallery: str = "sqlite"
    collection: str = "default"
    store: str = "local"
    decoder: str = "pillow"
    aligner: str = "opencv"
    annotator: str = "opencv"
    event_store: str = ""
    quality: GateName = "standard"
    liveness: LivenessConfig = attrs.field(factory=LivenessConfig)
    detection: DetectionConfig = attrs.field(factory=DetectionConfig)
    recognition: RecognitionConfig = attrs.field(factory=RecognitionConfig)
    models: ModelsConfig = attrs.field(factory=ModelsConfig)
    server: ServerConfig = attrs.field(factory=ServerConfig)
    watch: WatchConfig = attrs.field(factory=WatchConfig)
    detectors: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    embedders: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    attribute_models: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    backends: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    galleries: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    model_stores: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    image_decoders: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    face_aligners: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    annotators: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    frame_sources: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    event_sinks: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    event_stores: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    video_sinks: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)

    def settings(self, kind: str, name: str) -> Mapping[str, Any]:
        """Return the settings of the provider `name` of `kind`, as written."""
        sections: Mapping[str, Mapping[str, Any]] = getattr(self, kind)
        return sections.get(name, {})


def load(
    path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """Return the configuration.

    Args:
        path: the file; None: ``FACECV_CONFIG``, else ``facecv.toml`` here or in the user's
            configuration folder, else none.
        overrides: values that win over file and environment, nested like the file.
        environment: the variables; None: those of this process.

    Raises:
        ConfigurationError: a key is unknown or a value has the wrong type; names the key, where
            it was set, and the nearest valid key.
    """
    merged: dict[str, Any] = {}
    for layer in layers(path, overrides, environment):
        merged = overlaid(merged, layer.values)
    return structure(merged, Config, "the configuration", ConfigurationError)


@attrs.frozen
class Layer:
    """What one source says.

    Attributes:
        origin: the file, the name of a variable, or ``the arguments``.
        values: nested like the file.
    """

    origin: str
    values: Mapping[str, Any]


def layers(
    path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> list[Layer]:
    """Return what each source says, each valid by itself; later ones win.

    Takes and raises what `load` does.
    """
    variables = os.environ if environment is None else environment
    file = find_file(path, variables)
    found = [Layer(str(file), _read(file))] if file else []
    found += _from_environment(variables)
    found.append(Layer("the arguments", dict(overrides or {})))
    for layer in found:
        structure(layer.values, Config, layer.origin, ConfigurationError)
    return found


def evolve(config: Config, overrides: Mapping[str, Any]) -> Config:
    """Return `config` with `overrides` laid over it; raises as `load` does."""
    return structure(
        overlaid(attrs.asdict(config), overrides), Config, "the arguments", ConfigurationError
    )


def find_file(path: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the configuration file that applies, or None.

    Raises:
        ConfigurationError: a file that was named is not there.
    """
    named = path or (Path(name) if (name := environment.get("FACECV_CONFIG")) else None)
    if named:
        if not named.is_file():
            raise ConfigurationError(f"there is no configuration file {named}")
        return named
    return next((file for file in default_files() if file.is_file()), None)


def default_files() -> tuple[Path, ...]:
    """Return where a configuration file is looked for, first match first."""
    import platformdirs  # noqa: PLC0415 - not needed where a file is named

    return Path(FILE_NAME), platformdirs.user_config_path("facecv") / FILE_NAME


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error


def _from_environment(variables: Mapping[str, str]) -> list[Layer]:
    """Return what each variable says."""
    found = []
    for name, text in variables.items():
        if not name.startswith(_PREFIX) or name in _NOT_SETTINGS:
            continue
        keys = tuple(name.removeprefix(_PREFIX).lower().split("__"))
        value = _typed(text, keys)
        for key in reversed(keys):
            value = {key: value}
        found.append(Layer(name, value))
    return found


def _typed(text: str, keys: tuple[str, ...]) -> Any:  # noqa: ANN401 - whatever TOML can say
    """Return the text of a variable as the type of its key: text as it is, the rest as TOML."""
    kind: Any = Config
    for key in keys:
        kind = getattr(attrs.fields_dict(kind).get(key), "type", None) if attrs.has(kind) else None
    if kind not in {int, float, bool, float | None, tuple[str, ...], tuple[Path, ...], None}:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def overlaid(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of `base` with those of `top` laid over them, section by section."""
    result = dict(base)
    for key, value in top.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            result[key] = overlaid(old, value)
        else:
            result[key] = value
    return result
