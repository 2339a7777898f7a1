"""Files that only their owner may read: keys, and addresses with passwords in them."""

import os
import tempfile
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Replace a file at once; it can be read by its owner only, from the first byte on.

    Raises:
        OSError: it cannot be written; what was there is still there.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # of mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
