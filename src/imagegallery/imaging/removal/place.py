"""The names by which metadata tell where a picture was made. Pure."""

from typing import Final

# Local names of XMP's properties in lower case, whatever namespace they are in: of Photoshop, IPTC Core and Extension
# (the place shown and created, and the creator's address), Dublin Core, Dynamic Media and WGS 84.
_PROPERTIES: Final = frozenset(
    {
        *("city", "state", "country", "countrycode", "countryname", "provincestate", "sublocation", "worldregion"),
        *("location", "locationcreated", "locationshown", "locationname", "locationid", "shotlocation", "geolocation"),
        *("coverage", "lat", "long", "lon", "geotag"),
    }
)
# As in exif:GPSLatitude, drone-dji:RelativeAltitude and Iptc4xmpCore:CiAdrCity.
_STARTS: Final = ("gps", "ciadr")
_PARTS: Final = ("latitude", "longitude", "longtitude", "altitude")


def is_place(name: str) -> bool:
    """Whether a property of this name, with or without a prefix, tells a place."""
    local = name.rpartition(":")[2].lower()
    return local in _PROPERTIES or local.startswith(_STARTS) or any(part in local for part in _PARTS)
