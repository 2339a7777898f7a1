"""What may stand between the columns of vectors and crops and the disk."""

from typing import Protocol


class Seal(Protocol):
    """Turns what must not be read from the disk into what may be, and back."""

    @property
    def secret(self) -> bool:
        """Whether `close` hides anything."""
        ...

    def close(self, content: bytes, label: bytes, /) -> bytes:
        """Return `content` as it may be stored under `label`."""
        ...

    def open(self, content: bytes, label: bytes, /) -> bytes:
        """Return what was closed under `label`.

        Raises:
            GalleryKeyError: it was closed with another key or label, or is damaged.
        """
        ...


class NoSeal:
    """Stores everything as it is."""

    secret = False

    def close(self, content: bytes, _: bytes, /) -> bytes:
        """Return `content`."""
        return content

    def open(self, content: bytes, _: bytes, /) -> bytes:
        """Return `content`."""
        return content
