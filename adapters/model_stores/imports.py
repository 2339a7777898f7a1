"""Taking the files of a pack from a folder or a zip archive."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from facecv.adapters.model_stores import zip_archive
from facecv.adapters.model_stores.files import writing
from facecv.adapters.model_stores.pack_folder import PackFolder
from facecv.core.pack import ModelSpec


def take(folder: PackFolder, models: Sequence[ModelSpec], source: Path, /) -> list[ModelSpec]:
    """Take `models` from `source`, a folder or a zip archive; return those that are in it.

    Raises:
        IntegrityError: a file is not the right one, or the archive is damaged.
        ModelError: the archive is not to be trusted, or the disk cannot take a file.
    """
    with_files = _from_folder if source.is_dir() else _from_archive
    return with_files(folder, models, source)


def _from_archive(folder: PackFolder, models: Sequence[ModelSpec], source: Path) -> list[ModelSpec]:
    taken = []
    with zip_archive.open_archive(source) as archive:
        for model in models:
            member = zip_archive.find_member(archive, model.file)
            if member:
                arrived = folder.arrival(model)
                zip_archive.extract(archive, member, arrived, model.size)
                folder.install(model, arrived)
                taken.append(model)
    return taken


def _from_folder(folder: PackFolder, models: Sequence[ModelSpec], source: Path) -> list[ModelSpec]:
    taken = []
    for model in models:
        places = (source / model.file, source / folder.pack.name / model.file)
        found = next((place for place in places if place.is_file()), None)
        if found:
            arrived = folder.arrival(model)
            with writing(arrived):
                shutil.copyfile(found, arrived)
            folder.install(model, arrived)
            taken.append(model)
    return taken
