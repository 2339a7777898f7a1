"""What was last asked of the models of a server, for all of its workers to follow."""

from pathlib import Path
from typing import Literal

import msgspec
from filelock import FileLock

from facecv.core.services.model_desk import Kind
from facecv.entrypoints.private_files import write_private

Action = Literal["switch", "load", "unload", "forget"]


class ModelChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker did to its models, and the others are to do.

    Attributes:
        action: what; ``forget`` says that model files came or went.
        kind: the task of the model.
        model: its reference; empty: the default.
        keep: of a switch: whether the old model stays in memory.
        wait: of loading: whether somebody waited for it.
        by: id of the worker.
        number: grows with each change.
    """

    action: Action
    kind: Kind = "detection"
    model: str = ""
    keep: bool = False
    wait: bool = True
    by: str = ""
    number: int = 0

    @property
    def about(self) -> tuple[str, ...]:
        """What is changed; a later change of the same takes the place of an earlier one."""
        if self.action == "forget":
            return ("files",)
        return (self.kind,) if self.action == "switch" else (self.kind, self.model)


class ModelBook:
    """The last change of everything that can be changed, in one small file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "models.json"
        self._lock = FileLock(folder / "models.lock", thread_local=False)

    def add(self, change: ModelChange) -> None:
        """Write a change down, as the newest."""
        with self._lock:
            before = self._read()
            number = max((each.number for each in before), default=0) + 1
            kept = [each for each in before if each.about != change.about]
            newest = msgspec.structs.replace(change, number=number)
            write_private(self._path, msgspec.json.encode([*kept, newest]))

    def since(self, number: int) -> list[ModelChange]:
        """Return the changes after one, in order."""
        return [each for each in self._read() if each.number > number]

    def _read(self) -> list[ModelChange]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[ModelChange])
        except FileNotFoundError:
            return []
