"""Promises of `facecv.core.ports.gallery_repo`."""

from facecv.plugins.contracts.gallery.collections import CollectionPromises
from facecv.plugins.contracts.gallery.persons import FacePromises, PersonPromises
from facecv.plugins.contracts.gallery.replacing import ReplacePromises
from facecv.plugins.contracts.gallery.searches import SearchPromises
from facecv.plugins.contracts.gallery.transactions import LifePromises, TransactionPromises


class GalleryRepoContract(
    CollectionPromises,
    PersonPromises,
    FacePromises,
    SearchPromises,
    ReplacePromises,
    TransactionPromises,
    LifePromises,
):
    """Override the fixture `gallery`: return an empty gallery, and close it after the test."""
