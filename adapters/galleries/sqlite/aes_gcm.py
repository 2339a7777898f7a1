"""AES-256 in Galois/counter mode, by the package cryptography."""

import os

from facecv.core.errors import GalleryKeyError, RuntimeMissingError

_NONCE_BYTES = 12


class AesGcmSeal:
    """Encrypts; what was stored under one label cannot be read under another.

    Nonces are random: one key is good for some four thousand million vectors and crops.
    """

    secret = True

    def __init__(self, key: bytes) -> None:
        """Take a key of 32 bytes.

        Raises:
            RuntimeMissingError: the package is not installed.
        """
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - extra
        except ImportError as error:
            raise RuntimeMissingError(
                "the package 'cryptography' is not installed",
                hint="pip install 'facecv[encryption]'",
            ) from error
        self._cipher = AESGCM(key)

    def close(self, content: bytes, label: bytes, /) -> bytes:
        """Return nonce, ciphertext and tag."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, label)

    def open(self, content: bytes, label: bytes, /) -> bytes:
        """Return the plaintext; raise `GalleryKeyError` if key, label or content are wrong."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - extra

        try:
            return self._cipher.decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], label)
        except (InvalidTag, ValueError) as error:
            raise GalleryKeyError(
                "a stored vector or crop is damaged, or encrypted with another key",
                hint="give the key that the gallery was last encrypted with",
            ) from error
