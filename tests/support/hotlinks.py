"""Which pages may show a public file: the table that the service, a CDN's function and nginx keep alike."""

from typing import Final

from imagegallery.access.hotlinks import AskingPage, HotlinkRule

OWN = {"https://service.example"}
RULE = HotlinkRule(frozenset({"https://photos.example", "https://*.blog.example", "http://old.example:8080"}))
ALLOWED, OTHER = "https://photos.example", "https://thief.example"

# What the browser says; whether RULE lets that page show the file, and a rule without origins.
TABLE: Final = [
    (AskingPage(referer=f"{ALLOWED}/page?x=1#y"), True, False),
    (AskingPage(origin=ALLOWED), True, False),
    (AskingPage(referer=f"{OTHER}/page"), False, False),
    (AskingPage(origin=OTHER), False, False),
    # Origin goes before Referer.
    (AskingPage(origin=OTHER, referer=ALLOWED), False, False),
    (AskingPage(origin=ALLOWED, referer=OTHER), True, False),
    # A page without an origin of its own: in a sandbox, from a file.
    (AskingPage(origin="null"), False, False),
    (AskingPage(origin="null", referer=ALLOWED), False, False),
    # Wildcards: below the name, and not the name itself.
    (AskingPage(referer="https://a.blog.example/"), True, False),
    (AskingPage(referer="https://a.b.blog.example/"), True, False),
    (AskingPage(referer="https://blog.example/"), False, False),
    (AskingPage(referer="https://notblog.example/"), False, False),
    (AskingPage(referer="https://blog.example.thief.example/"), False, False),
    (AskingPage(referer="https://*.blog.example/"), False, False),
    # Scheme and port belong to an origin.
    (AskingPage(referer="http://photos.example/"), False, False),
    (AskingPage(referer="https://photos.example:8443/"), False, False),
    (AskingPage(referer="https://photos.example:443/"), True, False),
    (AskingPage(referer="https://photos.example:0443/"), True, False),
    (AskingPage(referer="http://old.example:8080/"), True, False),
    (AskingPage(referer="http://old.example/"), False, False),
    (AskingPage(referer="https://a.blog.example:8443/"), False, False),
    # Forged.
    (AskingPage(referer="HTTPS://PHOTOS.EXAMPLE/Page"), True, False),
    (AskingPage(referer=f"https://photos.example@{OTHER[8:]}/"), False, False),
    (AskingPage(referer="https://user:word@photos.example/"), False, False),
    (AskingPage(referer=f"{OTHER}/{ALLOWED}/"), False, False),
    (AskingPage(referer=f"{OTHER}?{ALLOWED}"), False, False),
    (AskingPage(referer=f"{OTHER}\\{ALLOWED}"), False, False),
    (AskingPage(referer="https://photos.example\\.thief.example/"), False, False),
    (AskingPage(referer="https://photos.example./"), False, False),
    (AskingPage(referer="https://phötos.example/"), False, False),
    (AskingPage(referer=" https://photos.example/"), False, False),
    (AskingPage(referer="//photos.example/"), False, False),
    (AskingPage(referer="photos.example"), False, False),
    (AskingPage(referer="about:blank"), False, False),
    (AskingPage(referer="android-app://com.photos.example"), False, False),
    (AskingPage(referer="https://"), False, False),
    (AskingPage(referer="https://" + "a" * 100_000), False, False),
    # The service's own pages always may.
    (AskingPage(referer="https://service.example/gallery"), True, True),
    (AskingPage(origin="https://service.example"), True, True),
    (AskingPage(fetch_site="same-origin"), True, True),
    (AskingPage(fetch_site="same-site", referer=OTHER), False, False),
    # By itself: typed, a bookmark, a link that is followed. Not in a frame.
    (AskingPage(fetch_site="none"), True, True),
    (AskingPage(fetch_site="cross-site", fetch_dest="document", referer=OTHER), True, True),
    (AskingPage(fetch_site="cross-site", fetch_dest="iframe", referer=OTHER), False, False),
    # Nothing is said: no browser of today, unless its page hides.
    (AskingPage(), True, True),
    (AskingPage(referer=""), True, True),
    (AskingPage(fetch_site="cross-site"), False, False),
    (AskingPage(fetch_site="cross-site", fetch_dest="image"), False, False),
    (AskingPage(fetch_site="same-site", fetch_dest="image"), False, False),
    (AskingPage(fetch_site="nonsense"), False, False),
    (AskingPage(fetch_site="cross-site", fetch_dest="image", referer=ALLOWED), True, False),
]
