"""For applications without an event loop: the same gallery, whose calls wait.

from imagegallery.sync import open_gallery

gallery = open_gallery(Settings.embedded("data"))
lisbon = gallery.galleries.create(me, name="Lisbon")
"""

from imagegallery.sync.gallery import SyncGallery, open_gallery

__all__ = ["SyncGallery", "open_gallery"]
