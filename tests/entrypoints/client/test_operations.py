"""Every operation of the OpenAPI document has a method, in both clients."""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import product
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import httpx
import pytest

from facecv.core.errors import FaceCVError
from facecv.entrypoints.client.asynchronous import AsyncClient
from facecv.entrypoints.client.sync import Client
from facecv.entrypoints.client.wire import Picture
from tests.entrypoints.http.served import open_client

METHODS = {"get", "post", "put", "patch", "delete"}
Asked = set[tuple[str, str]]


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Return method and path of all operations."""
    folder: Path = tmp_path_factory.mktemp("server")
    with open_client(folder) as client:
        paths = client.get("/docs/openapi.json").json()["paths"]
    return {
        (method.upper(), path)
        for path, operations in paths.items()
        for method in operations.keys() & METHODS
    }


def public(kind: type) -> Mapping[str, Any]:
    """Return the operations of a client."""
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name: each for name, each in found if not name.startswith("_") and name != "close"}


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_every_operation_has_a_method(documented: Asked, kind: type) -> None:
    """And no method asks for what there is not."""
    asked = asked_by_all(kind)
    patterns = {key: re.compile(re.sub(r"{\w+}", "[^/]+", key[1])) for key in documented}
    reached = {
        (key, found)
        for key, found in product(documented, asked)
        if key[0] == found[0] and patterns[key].fullmatch(found[1])
    }
    assert documented - {key for key, _ in reached} == set()
    assert asked - {found for _, found in reached} == set()


def asked_by_all(kind: type) -> Asked:
    """Return what a client asks for when every method is called, each answer being an error."""
    asked: Asked = set()

    def reply(request: httpx.Request) -> httpx.Response:
        asked.add((request.method, request.url.path))
        error = {"code": "nothing", "message": "there is nothing here"}
        return httpx.Response(404, json={"error": error})

    client = kind("http://x", transport=httpx.MockTransport(reply))
    for name, method in public(kind).items():
        for arguments in examples(method):
            with pytest.raises(FaceCVError, match="nothing here"):
                finish(getattr(client, name)(*arguments))
    return asked


def examples(method: Any) -> Iterator[tuple[Any, ...]]:
    """Yield arguments for the parameters that have no default; all values of a literal."""
    parameters = list(inspect.signature(method).parameters.values())[1:]
    needed = [
        each
        for each in parameters
        if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD
    ]
    yield from product(*(values(each.annotation) for each in needed))


def values(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    if kind is str:
        return ("x",)
    if kind == Picture or bytes in get_args(kind):
        return (b"x",)
    (item, *_) = get_args(kind)
    return values(item) if isinstance(kind, UnionType) else (list(values(item)),)


def finish(result: Any) -> None:
    """Let a method do its work, whether it waits, yields, or both."""

    async def first() -> Any:
        return await (anext(result) if isinstance(result, AsyncIterator) else result)

    if isinstance(result, Iterator):
        next(result)
    elif inspect.isawaitable(result) or isinstance(result, AsyncIterator):
        asyncio.run(first())


def test_both_have_the_same_operations() -> None:
    names = [
        {name: list(inspect.signature(method).parameters) for name, method in public(kind).items()}
        for kind in (Client, AsyncClient)
    ]
    assert names[0] == names[1]
