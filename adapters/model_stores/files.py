"""Writing to the cache: every failure names the place and says what to do."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from facecv.core.errors import ModelError


@contextlib.contextmanager
def writing(path: Path, /) -> Iterator[None]:
    """Turn an `OSError` of the block (disk full, no permission) into a `ModelError`."""
    try:
        yield
    except OSError as error:
        place = error.filename or path
        raise ModelError(
            f"cannot write {place}: {error.strerror or error}",
            hint="free some space, or set cache_dir in [model_stores.local] to another folder",
            details={"path": str(place)},
        ) from error


def write_json(path: Path, content: Mapping[str, object], /) -> None:
    """Write `content` to `path` in one step: a reader sees the old file or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    beside.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
    beside.replace(path)
