"""API keys of the HTTP service, kept hashed in one file.

A key is 256 random bits, so one plain SHA-256 is the right hash: slow or salted hashes protect
what people make up, and there is nothing to guess here. It also lets every request be checked in
microseconds.
"""

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import attrs
from filelock import FileLock

from facecv.core.errors import ConfigurationError
from facecv.entrypoints.private_files import write_private

Scope = Literal["read", "enrol", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""What a key may do, each including the ones before it."""

_PREFIX = "fcv_"


@attrs.frozen
class ApiKey:
    """What is known about a key; not the key itself.

    Attributes:
        id: names it in lists and logs.
        name: whom or what it is for.
        digest: SHA-256 of the key, hexadecimal.
        scope: the most it may do.
        collections: the only collections it may touch; None: all.
        created: when, UTC.
    """

    id: str
    name: str
    digest: str = attrs.field(repr=False)
    scope: Scope = attrs.field(default="read", validator=attrs.validators.in_(SCOPES))
    collections: tuple[str, ...] | None = None
    created: datetime = attrs.field(factory=lambda: datetime.now(UTC))

    def allows(self, scope: Scope) -> bool:
        """Return whether the key may do what needs `scope`."""
        return SCOPES.index(scope) <= SCOPES.index(self.scope)

    def may_touch(self, collection: str) -> bool:
        """Return whether the key may touch a collection."""
        return self.collections is None or collection in self.collections


def default_keys_file() -> Path:
    """Return where keys are kept unless the configuration names another file."""
    import platformdirs  # noqa: PLC0415 - not needed where a file is named

    return platformdirs.user_data_path("facecv") / "keys.json"


class KeyFile:
    """Keys in a file of mode 0600 that several processes may read and change.

    A change by another process is seen at the next request.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] | None = None
        self._keys: tuple[ApiKey, ...] = ()

    def keys(self) -> tuple[ApiKey, ...]:
        """Return all keys, oldest first.

        Raises:
            ConfigurationError: the file cannot be read.
        """
        with self._lock:
            stamp = _stamp(self.path)
            if stamp != self._stamp:
                self._keys, self._stamp = _read(self.path), stamp
            return self._keys

    def find(self, secret: str) -> ApiKey | None:
        """Return what is known about a key; takes as long for a wrong one as for a right one."""
        digest, found = _digest(secret), None
        for key in self.keys():
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    def create(
        self, name: str, scope: Scope = "read", collections: tuple[str, ...] | None = None
    ) -> tuple[ApiKey, str]:
        """Add a key; return what is known about it, and the key, which is not kept.

        Raises:
            ConfigurationError: the file cannot be read or written.
        """
        secret = _PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(secrets.token_hex(4), name, _digest(secret), scope, collections)
        with self._writing():
            _write(self.path, (*_read(self.path), key))
        return key, secret

    def revoke(self, key_id: str) -> ApiKey:
        """Remove a key by its id.

        Raises:
            ConfigurationError: there is none, or the file cannot be read or written.
        """
        with self._writing():
            keys = _read(self.path)
            found = next((key for key in keys if key.id == key_id), None)
            if found is None:
                raise ConfigurationError(f"there is no key {key_id!r}", hint="facecv keys list")
            _write(self.path, tuple(key for key in keys if key is not found))
        return found

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Keep other processes from changing the file meanwhile."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_name(self.path.name + ".lock")):
                yield
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written: {error}") from error


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size


def _read(path: Path) -> tuple[ApiKey, ...]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the keys in {path} cannot be read: {error}") from error
    try:
        return tuple(_key(entry) for entry in json.loads(text)["keys"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} is not a file of keys", hint="move it away") from error


def _key(entry: dict[str, Any]) -> ApiKey:
    only = entry["collections"]
    return ApiKey(
        id=str(entry["id"]),
        name=str(entry["name"]),
        digest=str(entry["sha256"]),
        scope=entry["scope"],
        collections=None if only is None else tuple(map(str, only)),
        created=datetime.fromisoformat(entry["created"]),
    )


def _entry(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "sha256": key.digest,
        "scope": key.scope,
        "collections": None if key.collections is None else list(key.collections),
        "created": key.created.isoformat(),
    }


def _write(path: Path, keys: tuple[ApiKey, ...]) -> None:
    content = json.dumps({"keys": [_entry(key) for key in keys]}, indent=2)
    write_private(path, content.encode())
