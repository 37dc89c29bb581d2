"""How people sign in to the page, for its document. Pure."""

from collections.abc import Mapping

from attrs import Attribute, field, frozen

from imagegallery import ConfigurationError
from imagegallery_asgi.framework.json_schema import JsonSchema


def _check_url(_: object, __: "Attribute[str | None]", url: str | None) -> None:
    """An address of the web, or a path of this server: nothing that a browser would run."""
    if url is not None and not (url.startswith(("https://", "http://")) or (url[:1] == "/" and url[1:2] not in "/\\")):
        raise ConfigurationError(f"A page for signing in is at an https:// address or a path, not {url!r}.")


@frozen
class SignIn:
    """``takes_tokens``: the page has a field for a bearer token. ``url`` is the host's own page for signing in, where
    ``{next}`` stands for the address to come back to. Raises `ConfigurationError` for any other text."""

    takes_tokens: bool = False
    url: str | None = field(default=None, validator=_check_url)

    @classmethod
    def of(cls, known_by: Mapping[str, JsonSchema], said: Mapping[str, JsonSchema] | None, url: str | None) -> "SignIn":
        """By how users are ``known_by`` default, and what the host has ``said`` of it. A host with its own page for it
        that says nothing of tokens takes none."""
        schemes = said if said is not None else known_by if url is None else {}
        return cls(any(each.get("scheme") == "bearer" for each in schemes.values()), url)

    @property
    def told(self) -> Mapping[str, str]:
        """What the document tells its programs."""
        tokens = {"tokens": ""} if self.takes_tokens else {}
        return tokens if self.url is None else {**tokens, "sign-in": self.url}
