"""Words: tags, title, description, rating and people, as the file tells them."""

from imagegallery.analyses.analysis import Analysis, FileNotes
from imagegallery.analyses.records import write_words
from imagegallery.images.words.file_words import read_words
from imagegallery.imaging.protocol import Subject


def read(subject: Subject) -> object:
    return read_words(subject.exif, subject.notes).to_json()


WORDS = Analysis("words", 1, FileNotes(), read, write=write_words)
