"""A gallery in one SQLite file, shared by threads and processes.

The tables are the truth. Vectors are searched in memory, in a projection of the rows that is
brought up to date before each search: faces never change and their keys only rise, so that what
is new is what lies above the highest key seen, and a log of removals says what is gone.
"""

from facecv.adapters.galleries.sqlite.gallery import SqliteGallery

__all__ = ["SqliteGallery"]
