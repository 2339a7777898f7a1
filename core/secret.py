"""Keys that encrypt what is stored: where they are, and what they look like."""

import base64
import binascii
import os
from pathlib import Path

import attrs

from facecv.core.errors import ConfigurationError

KEY_BYTES = 32
_HINT = "make one with: openssl rand -hex 32"


@attrs.frozen
class KeySource:
    """Where a key is; nowhere if both are empty.

    Attributes:
        file: a file that holds it.
        variable: the name of an environment variable that holds it.
    """

    file: Path | None = None
    variable: str = ""

    def __attrs_post_init__(self) -> None:
        if self.file and self.variable:
            raise ConfigurationError("a key is in a file or in a variable, not in both")

    def read(self) -> bytes | None:
        """Return the 32 bytes of the key; None if it is nowhere.

        Raises:
            ConfigurationError: file or variable are not there, or do not hold a key.
        """
        if self.file:
            try:
                return _key(self.file.read_text(encoding="ascii"), str(self.file))
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigurationError(
                    f"the key in {self.file} cannot be read: {type(error).__name__}", hint=_HINT
                ) from None  # the error of decoding would show what is in there
        if not self.variable:
            return None
        if self.variable not in os.environ:
            raise ConfigurationError(f"the variable {self.variable}, which holds a key, is not set")
        return _key(os.environ[self.variable], self.variable)


def _key(text: str, where: str) -> bytes:
    """Return a key written as 64 hexadecimal digits or in base64."""
    for decode in (binascii.unhexlify, _base64):
        try:
            key = decode(text.strip())
        except ValueError:
            continue
        if len(key) == KEY_BYTES:
            return key
    raise ConfigurationError(
        f"{where} does not hold a key: 32 bytes as hexadecimal digits or base64", hint=_HINT
    )


def _base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
