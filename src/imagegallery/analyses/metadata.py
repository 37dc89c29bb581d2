"""Metadata: camera, time and place, as the file tells them."""

from imagegallery.analyses.analysis import Analysis, FileNotes
from imagegallery.analyses.records import write_metadata
from imagegallery.images.metadata.metadata import read_metadata, to_json
from imagegallery.imaging.protocol import Subject


def read(subject: Subject) -> object:
    return to_json(read_metadata(subject.exif, subject.notes))


METADATA = Analysis("metadata", 1, FileNotes(), read, write=write_metadata)
