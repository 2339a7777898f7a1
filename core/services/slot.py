"""One model: found, loaded when it is first needed, shared, and closed after its last user."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Literal, TypeVar

import attrs

from facecv.core.pack import ModelFile, RecognitionSpec
from facecv.core.services.process_memory import resident_bytes

ModelT = TypeVar("ModelT")
ModelT_co = TypeVar("ModelT_co", covariant=True)
State = Literal["absent", "loading", "ready", "failed"]


def _nothing() -> None:
    """Do nothing."""


@attrs.frozen(eq=False)
class Built(Generic[ModelT_co]):
    """A model that was loaded.

    Attributes:
        model: the implementation of its port.
        close: frees what it holds (its network); called once, when nobody uses it any more.
        providers: what really runs its networks, such as ``CPUExecutionProvider``.
        share: of the operators of its networks that these run, the least, 0..1; None: not known.
    """

    model: ModelT_co
    close: Callable[[], None] = _nothing
    providers: tuple[str, ...] = ()
    share: float | None = None


@attrs.frozen
class Blueprint(Generic[ModelT_co]):
    """A model that is found but not loaded.

    Attributes:
        name: what people call it.
        build: loads it.
        file: the network behind it, where there is one.
        provides: for attribute models: what it tells; None: known once it is loaded.
    """

    name: str
    build: Callable[[], Built[ModelT_co]]
    file: ModelFile | None = None
    provides: frozenset[str] | None = None

    @property
    def recognition(self) -> RecognitionSpec:
        """What the manifest says about thresholds; defaults where it says nothing."""
        return (self.file.spec.recognition if self.file else None) or RecognitionSpec()


@attrs.frozen
class Footprint:
    """How much memory a model takes.

    Attributes:
        bytes: the amount.
        measured: ``resident``: by how much the process grew while the model was loaded (what
            other threads took meanwhile is in it); ``file``: the size of its file, where the
            process did not grow or cannot be measured; ``unknown``: neither is known.
    """

    bytes: int = 0
    measured: Literal["resident", "file", "unknown"] = "unknown"


@attrs.define(eq=False)
class Loaded(Generic[ModelT_co]):
    """A model in memory, with the number of its users.

    Attributes:
        name: what people call it.
        model: the implementation of its port.
        providers: what really runs it.
        share: of the operators of its networks that these run, the least, 0..1; None: not known.
        footprint: how much memory it takes.
        users: how many are using it at the moment.
        last_used: `time.monotonic` of the end of its last use.
    """

    name: str
    model: ModelT_co
    providers: tuple[str, ...] = ()
    footprint: Footprint = Footprint()
    share: float | None = None
    users: int = 0
    last_used: float = attrs.field(factory=time.monotonic)
    _close: Callable[[], None] = _nothing
    _retired: bool = False
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def enter(self) -> bool:
        """Count a user in; return False, and count nobody, where the model was retired."""
        with self._lock:
            if not self._retired:
                self.users += 1
            return not self._retired

    def leave(self) -> None:
        """Count a user out; the last one of a retired model closes it."""
        with self._lock:
            self.users -= 1
            self.last_used = time.monotonic()
            last = self._retired and not self.users
        if last:
            self._close()

    def retire(self) -> None:
        """Let nobody in any more; the model is closed now, or by its last user."""
        with self._lock:
            idle = not self._retired and not self.users
            self._retired = True
        if idle:
            self._close()


class Slot(Generic[ModelT_co]):
    """A place for one model, found and loaded at first use and shared from then on.

    Safe to use from several threads. What finding or loading raises goes to the caller, and the
    next caller tries again.

    Args:
        plan: finds the model; called once, under a lock, unless it fails.
    """

    def __init__(self, plan: Callable[[], Blueprint[ModelT_co]]) -> None:
        self._plan = plan
        self._building = threading.RLock()
        self._lock = threading.Lock()
        self._blueprint: Blueprint[ModelT_co] | None = None
        self._loaded: Loaded[ModelT_co] | None = None
        self._pinned: Loaded[ModelT_co] | None = None
        self._loading = False
        self._failure: Exception | None = None

    @property
    def blueprint(self) -> Blueprint[ModelT_co]:
        """The model as found, not loaded; raises what finding raises."""
        if self._blueprint is None:
            with self._building:
                if self._blueprint is None:
                    self._blueprint = self._plan()
        return self._blueprint

    @property
    def loaded(self) -> Loaded[ModelT_co] | None:
        """The model in memory; None while there is none."""
        return self._loaded

    @property
    def state(self) -> State:
        """Whether the model is here; ``failed`` if the last attempt to load it was in vain."""
        if self._loaded is not None:
            return "ready"
        if self._loading:
            return "loading"
        return "failed" if self._failure else "absent"

    @property
    def failure(self) -> Exception | None:
        """Why the last attempt to load the model failed."""
        return self._failure

    @property
    def recognition(self) -> RecognitionSpec:
        """What the manifest says about thresholds; defaults where it says nothing."""
        return self.blueprint.recognition

    @contextmanager
    def use(self) -> Iterator[Loaded[ModelT_co]]:
        """Hold the model, loaded if need be; it is not closed before the end of the block."""
        loaded = self.enter()
        try:
            yield loaded
        finally:
            loaded.leave()

    def enter(self) -> Loaded[ModelT_co]:
        """Return the model, loaded if need be, with the caller counted as a user (see `use`)."""
        while True:
            loaded = self._loaded or self._load()
            if loaded.enter():
                return loaded

    def get(self) -> ModelT_co:
        """Return the model, loaded if need be, for good: `unload` will never close it."""
        with self._building:
            if self._pinned is None or self._pinned is not self._loaded:
                self._pinned = self.enter()
            return self._pinned.model

    def load(self, warm: Callable[[ModelT_co], object] | None = None) -> None:
        """Load the model if it is not here, and run `warm` on it if it had to be loaded.

        Raises:
            Exception: what loading or warming raises; the model is then not here.
        """
        with self._building:
            if self._loaded is None:
                self._load(warm)

    def load_in_background(self, warm: Callable[[ModelT_co], object] | None = None) -> None:
        """Begin to load the model in a thread; `state` and `failure` tell what comes of it."""
        thread = threading.Thread(target=self._try_to_load, args=(warm,), daemon=True)
        thread.start()

    def unload(self) -> bool:
        """Forget the model; its memory is freed when its last user leaves.

        Returns:
            Whether there was one.
        """
        with self._lock:
            loaded, self._loaded, self._failure = self._loaded, None, None
        if loaded is not None:
            loaded.retire()
        return loaded is not None

    def unload_idle(self, seconds: float) -> bool:
        """Unload the model if nobody has used it for so long; return whether that was so."""
        loaded = self._loaded
        if loaded is None or loaded.users or time.monotonic() - loaded.last_used < seconds:
            return False
        return self.unload()

    def _try_to_load(self, warm: Callable[[ModelT_co], object] | None) -> None:
        try:
            self.load(warm)
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
            self._failure = error

    def _load(self, warm: Callable[[ModelT_co], object] | None = None) -> Loaded[ModelT_co]:
        with self._building:
            if self._loaded is not None:
                return self._loaded
            self._loading = True
            try:
                loaded = self._built(warm)
            except Exception as error:
                self._failure = error
                raise
            else:
                with self._lock:
                    self._loaded, self._failure = loaded, None
                return loaded
            finally:
                self._loading = False

    def _built(self, warm: Callable[[ModelT_co], object] | None) -> Loaded[ModelT_co]:
        before = resident_bytes()
        blueprint = self.blueprint
        built = blueprint.build()
        if warm:
            try:
                warm(built.model)
            except BaseException:
                built.close()
                raise
        footprint = _footprint(resident_bytes() - before, blueprint.file)
        return Loaded(
            blueprint.name,
            built.model,
            built.providers,
            footprint,
            built.share,
            close=built.close,
        )


def _footprint(grown: int, file: ModelFile | None) -> Footprint:
    if grown > 0:
        return Footprint(grown, "resident")
    if file and file.path.is_file():
        return Footprint(file.path.stat().st_size, "file")
    return Footprint()


def at_hand(model: ModelT, name: str = "") -> Blueprint[ModelT]:
    """Return the blueprint of a model that is already there."""
    return Blueprint(name or type(model).__name__, lambda: Built(model))
