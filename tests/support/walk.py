"""Every place of the API where an id goes, found in its description, and a request for each that makes sense."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import frozen

# What a field's id is of, by the field's name; those of lists by the path.
THINGS: Final[Mapping[str, str]] = {
    "image_id": "image",
    "image_ids": "image",
    "cover_image_id": "image",
    "contains": "image",
    "before": "image",
    "after": "image",
    "gallery_id": "gallery",
    "gallery_ids": "gallery",
    "upload_id": "upload",
    "webhook_id": "webhook",
    "share_id": "share",
    "share": "share",
    "contribution_id": "image",
    "export_id": "export",
    "job_id": "job",
    "tag_id": "tag",
    "tag_ids": "tag",
    "recipient_id": "recipient",
}
# Fields that only one of several may have.
APART: Final[Mapping[str, tuple[str, ...]]] = {
    "before": ("after",),
    "after": ("before",),
    "image_id": ("gallery_id", "share_id"),
    "share_id": ("gallery_id", "image_id"),
}
Document = Mapping[str, Any]


@frozen
class IdField:
    """A place for an id in the requests of one operation: ``path``, ``query`` or ``body``, and the names that lead to
    it."""

    operation: "Described"
    place: str
    names: tuple[str, ...]

    @property
    def kind(self) -> str:
        """What the id is of. Raises `KeyError` for a name that nobody has said it of: add it to `THINGS`."""
        name = next(each for each in reversed(self.names) if each != "[]")
        if name == "ids":
            return "gallery" if self.operation.path == "/galleries" else "image"
        return THINGS[name]

    def __str__(self) -> str:
        return f"{self.operation.name} {self.place} {'.'.join(self.names)}"


@frozen
class Described:
    """An operation as the description has it."""

    method: str
    path: str
    item: Document
    components: Document

    @property
    def name(self) -> str:
        return str(self.item["operationId"])

    def fields(self) -> Iterator[IdField]:
        for parameter in self.item.get("parameters", ()):
            for names in _ids_in(self.components, parameter["schema"]):
                yield IdField(self, parameter["in"], (parameter["name"], *names))
        for media_type, content in self._bodies().items():
            if media_type == "application/json":
                yield from (IdField(self, "body", names) for names in _ids_in(self.components, content["schema"]))

    def request(self, field: IdField, given: str, own: Mapping[str, str]) -> dict[str, Any]:
        """A request with this id in that field, and ids of one's own things in all others: for httpx."""
        query, path, body = {}, self.path, None
        for parameter in self.item.get("parameters", ()):
            name, is_tested = parameter["name"], field.place == parameter["in"] and field.names[0] == parameter["name"]
            is_id = any(True for _ in _ids_in(self.components, parameter["schema"]))
            value = given if is_tested else own.get(THINGS.get(name, "")) if is_id else parameter.get("example", "1")
            if parameter["in"] == "path":
                path = path.replace(f"{{{name}}}", str(value))
            elif parameter["in"] == "query" and (is_tested or parameter.get("required")):
                query[name] = str(value)
        bodies = self._bodies()
        if "application/json" in bodies:
            body = _filled(bodies["application/json"].get("example"), (), field, given, own)
        return {"method": self.method.upper(), "url": path, "params": query, "json": body}

    def _bodies(self) -> Document:
        found: Document = self.item.get("requestBody", {}).get("content", {})
        return found


def described(document: Document) -> Iterator[Described]:
    """All operations of a description."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield Described(method, path, operation, document["components"]["schemas"])


def fields_of(document: bytes) -> list[IdField]:
    """All places for ids in this description."""
    return [field for each in described(json.loads(document)) for field in each.fields()]


def _ids_in(components: Document, schema: Document, within: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The names that lead to each id in a document of this schema."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    if schema.get("format") == "uuid":
        yield within
    for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _ids_in(components, each, within)
    if isinstance(items := schema.get("items"), Mapping):
        yield from _ids_in(components, items, (*within, "[]"))
    for name, each in schema.get("properties", {}).items():
        yield from _ids_in(components, each, (*within, name))


def _filled(value: Any, at: tuple[str, ...], field: IdField, given: str, own: Mapping[str, str]) -> Any:
    """The example with the id in its place, and one's own elsewhere."""
    if field.place != "body":
        return _own(value, at, own)
    if at == field.names:
        return given
    if field.names[: len(at)] != at:
        return _own(value, at, own)
    name = field.names[len(at)]
    if name == "[]":
        first, *others = value
        return [_filled(first, (*at, name), field, given, own), *(_own(each, (*at, name), own) for each in others)]
    left = {each: value[each] for each in value if each not in APART.get(name, ())}
    inside = {each: _filled(left[each], (*at, each), field, given, own) for each in left}
    return {**inside, name: _filled(value[name], (*at, name), field, given, own)}


def _own(value: Any, at: tuple[str, ...], own: Mapping[str, str]) -> Any:
    match value:
        case dict():
            return {name: _own(each, (*at, name), own) for name, each in value.items()}
        case list():
            return [_own(each, (*at, "[]"), own) for each in value]
        case str():
            kind = THINGS.get(next((each for each in reversed(at) if each != "[]"), ""), "")
            return own.get(kind, value)
    return value
