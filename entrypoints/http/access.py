"""Who may do what: keys, scopes, and the collections that a key is restricted to.

A route says what it needs with ``guards=[requires("read")]``. Where the route has a path parameter
called ``collection``, the guard checks it against the restriction of the key; a collection that is
named elsewhere is checked with `check_collection`.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import attrs
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from facecv.core.errors import ForbiddenError, UnauthorizedError
from facecv.entrypoints.keys import ApiKey, KeyFile, Scope

Connection = ASGIConnection[Any, Any, Any, Any]
ItemT = TypeVar("ItemT")

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})
_KEY, _TRIED = "facecv_key", "facecv_key_tried"


@attrs.define(eq=False)
class Access:
    """Knows the keys.

    Attributes:
        keys: where they are.
        open: whether requests without a key may do everything, as long as there is no key.
        local: whether requests without a key must be meant for this machine by name: pages of
            other sites, opened in a browser here, must not reach the server.
        mark: a file that is made once there is a key, for the other workers of the server.
    """

    keys: KeyFile
    open: bool
    local: bool = False
    mark: Path | None = None

    def __attrs_post_init__(self) -> None:
        """Let the other workers know at once of a server that begins with keys."""
        if not self.open:
            self._shut()

    def identify(self, connection: Connection) -> ApiKey | None:
        """Return the key that a request shows, if it is valid."""
        if _TRIED not in connection.state:
            secret = _secret(connection)
            connection.state[_TRIED] = bool(secret)
            connection.state[_KEY] = self.keys.find(secret) if secret else None
        found: ApiKey | None = connection.state[_KEY]
        return found

    def check(self, connection: Connection, scope: Scope) -> None:
        """Raise unless a request may do what needs `scope`.

        Raises:
            UnauthorizedError: it shows no key, or one that is not valid.
            ForbiddenError: its key does not allow that.
        """
        if self._is_open():
            self._check_origin(connection)
            return
        key = self.identify(connection)
        if key is None:
            wrong = connection.state[_TRIED]
            raise UnauthorizedError("this key is not valid" if wrong else "a key is needed")
        if not key.allows(scope):
            raise ForbiddenError(
                f"this needs a key of scope {scope!r}", details={"scope": key.scope}
            )

    def _is_open(self) -> bool:
        """Return whether no key is needed; once there was one, that is over until a restart."""
        if self.open and (self.keys.keys() or (self.mark and self.mark.exists())):
            self._shut()
        return self.open

    def _shut(self) -> None:
        self.open = False
        if self.mark:
            self.mark.touch()

    def _check_origin(self, connection: Connection) -> None:
        if not self.local:
            return
        named = _host(f"//{connection.headers.get('host', '')}")
        origin = connection.headers.get("origin", "")
        asked_by = _host(origin) if origin else named
        if named not in LOOPBACK or asked_by not in LOOPBACK:
            raise ForbiddenError(
                "without a key, only requests to and from this machine are answered",
                hint="create one with 'facecv keys create'",
            )


def requires(scope: Scope) -> Guard:
    """Return a guard that lets requests pass whose key allows `scope`."""

    # Litestar would send a plain function through a thread, which costs more than what it does.
    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        admit(connection, scope)

    return guard


def admit(connection: Connection, scope: Scope) -> None:
    """Raise unless a connection may do what needs `scope`, to the collection in its path if any.

    Raises:
        UnauthorizedError: it shows no key, or one that is not valid.
        ForbiddenError: its key does not allow that.
    """
    access: Access = connection.app.state.service.access
    access.check(connection, scope)
    collection = connection.path_params.get("collection")
    if collection is not None:
        check_collection(connection, str(collection))


def check_collection(connection: Connection, collection: str) -> None:
    """Raise `ForbiddenError` if the key of a request may not touch a collection."""
    key = key_of(connection)
    if key is not None and not key.may_touch(collection):
        raise ForbiddenError(f"this key is not for the collection {collection!r}")


def visible(connection: Connection, collections: Iterable[ItemT]) -> list[ItemT]:
    """Return the collections, by name or with a ``name``, that the key of a request may touch."""
    key = key_of(connection)
    return [
        each
        for each in collections
        if key is None or key.may_touch(str(getattr(each, "name", each)))
    ]


def key_of(connection: Connection) -> ApiKey | None:
    """Return the key of a request; None where none was shown, or it is not valid."""
    access: Access = connection.app.state.service.access
    return access.identify(connection)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _secret(connection: Connection) -> str:
    """Return the key that a request shows, or an empty text."""
    kind, _, value = connection.headers.get("authorization", "").partition(" ")
    bearer = value.strip() if kind.lower() == "bearer" else ""
    return bearer or connection.headers.get("x-api-key", "").strip()
