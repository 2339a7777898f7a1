"""What records have there and not here, kept in our metadata, which is flat.

Facts of theirs, such as the external id of a person, go under keys that begin with `OWN`; values
that a flat object cannot hold go as JSON under keys that begin with ``json:``. So metadata comes
back as it was sent, and flat values stay what searches can filter on.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from facecv.core.errors import InputError
from facecv.core.gallery import Metadata, MetadataValue

OWN = "insightface_server."
_JSON = "json:"
Facts = Mapping[str, Any]


def joined(own: Facts, metadata: Facts) -> Metadata:
    """Return facts of theirs and a client's metadata as ours; facts that are None are left out.

    Raises:
        InputError: the metadata has a key that begins like ours.
    """
    for key in metadata:
        if key.startswith(OWN):
            raise InputError(f"keys of metadata must not begin with {OWN!r}: {key!r}")
    facts = {OWN + name: value for name, value in own.items() if value is not None}
    return dict(_flat(key, value) for key, value in (facts | dict(metadata)).items())


def parted(metadata: Metadata) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return facts of theirs, and the metadata as the client sent it."""
    plain = dict(_plain(key, value) for key, value in metadata.items())
    own = {key[len(OWN) :]: value for key, value in plain.items() if key.startswith(OWN)}
    return own, {key: value for key, value in plain.items() if not key.startswith(OWN)}


def _flat(key: str, value: Any) -> tuple[str, MetadataValue]:  # noqa: ANN401 - any JSON
    large = isinstance(value, int) and not -(2**63) <= value < 2**63
    if isinstance(value, dict | list) or large or key.startswith(_JSON):
        return _JSON + key, msgspec.json.encode(value).decode()
    return key, value


def _plain(key: str, value: MetadataValue) -> tuple[str, Any]:
    if not key.startswith(_JSON) or not isinstance(value, str):
        return key, value
    try:
        return key[len(_JSON) :], msgspec.json.decode(value)
    except msgspec.DecodeError:  # it was not written here
        return key, value
