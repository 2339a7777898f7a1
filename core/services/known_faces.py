"""Faces that are enrolled already: the same photo twice, or somebody else's face."""

from collections.abc import Mapping, Sequence

from facecv.core.errors import FaceCVError, KnownFaceError
from facecv.core.gallery import Collection, FaceRecord, Person, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.services.analyse import Analyser
from facecv.core.services.follow import default_threshold

Refusals = Mapping[str, FaceCVError]
"""Why faces are not enrolled, by their ids."""


def refusals(
    gallery: GalleryRepo,
    analyser: Analyser,
    collection: Collection,
    person: Person,
    *,
    records: Sequence[FaceRecord],
    fresh: Sequence[FaceRecord],
) -> Refusals:
    """Return why faces must not be enrolled as a person's.

    Args:
        gallery: where others are.
        analyser: knows the threshold of the collection's space.
        collection: what is enrolled in.
        person: whose faces they should be.
        records: the faces.
        fresh: those of `records` whose photo the person does not have yet.
    """
    new = {record.id for record in fresh}
    refused: dict[str, FaceCVError] = {
        record.id: KnownFaceError(f"{record.source}: this photo is enrolled already")
        for record in records
        if record.id not in new
    }
    threshold = collection.threshold
    if threshold is None:
        threshold = default_threshold(analyser, collection.space)
    query = SearchQuery(top_k=2, threshold=threshold)
    found = gallery.search(collection.name, [record.embedding for record in fresh], query)
    for record, matches in zip(fresh, found, strict=True):
        other = next((match for match in matches if match.person.id != person.id), None)
        if other:
            refused[record.id] = KnownFaceError(
                f"{record.source}: this face is that of {other.person.name!r}",
                details={"person_id": other.person.id, "similarity": other.similarity},
            )
    return refused


def check_not_all(refused: Refusals, records: Sequence[FaceRecord], *, skip_bad: bool) -> None:
    """Raise the first refusal, unless bad photos are skipped and some are left."""
    if refused and (not skip_bad or len(refused) == len(records)):
        raise next(refused[record.id] for record in records if record.id in refused)
