"""Reads and writes XML as the `xml` keywords of schemas describe it.

Source: OpenAPI 3.1.1, section 4.8.26 (XML object).
"""

from __future__ import annotations

from typing import Any

from agent_contract.document.json_pointer import Place
from agent_contract.messages import JSON
from agent_contract.model.schemas import Schemas
from agent_contract.validation.coercion import coerce, form_of
from agent_contract.validation.json_body import Malformed

_ATTRIBUTE, _TEXT = "@", "#text"


def is_xml(media_type: str) -> bool:
    """Return whether a media type is XML. Source: RFC 7303."""
    return media_type in ("application/xml", "text/xml") or media_type.endswith("+xml")


def read_xml(schemas: Schemas, place: Place | None, body: bytes) -> JSON | Malformed:
    """Return the value of an XML document, its strings converted to the types of the schema."""
    # Imported late: few documents use XML.
    from xml.parsers.expat import ExpatError

    import xmltodict

    try:
        tree: dict[str, Any] = xmltodict.parse(body, strip_whitespace=True)
    except (ExpatError, ValueError) as error:
        return Malformed(getattr(error, "offset", 0), f"not XML: {error}")
    root = next(iter(tree.values()), None)
    return _value(schemas, place, root)


def _value(schemas: Schemas, place: Place | None, node: Any) -> JSON:
    if place is None:
        return node  # type: ignore[no-any-return]
    form = form_of(schemas, place)
    if "array" in form.types:
        items = node
        if isinstance(node, dict):  # wrapped: the items are below the element of the array
            items = next((one for key, one in node.items() if not key.startswith(_ATTRIBUTE)), None)
        several = items if isinstance(items, list) else [] if items is None else [items]
        return [_value(schemas, form.items, one) for one in several]
    if form.properties or "object" in form.types:
        elements = node if isinstance(node, dict) else {}
        names = {_name(schemas, where, name): (name, where) for name, where in form.properties.items()}
        value: dict[str, JSON] = {}
        for key, one in elements.items():
            bare = key.removeprefix(_ATTRIBUTE).rpartition(":")[2]
            if key.startswith("@xmlns"):
                continue
            name, where = names.get(bare, (bare, form.rest))
            value[name] = _value(schemas, where, one)
        return value
    text = node.get(_TEXT, "") if isinstance(node, dict) else "" if node is None else node
    return coerce(schemas, place, text)


def _settings(schemas: Schemas, place: Place) -> dict[str, Any]:
    schema = schemas.at(schemas.document.follow(place))
    settings = schema.get("xml") if isinstance(schema, dict) else None
    return settings if isinstance(settings, dict) else {}


def _name(schemas: Schemas, place: Place, name: str) -> str:
    """Return the name of the element of a property; an array that is not wrapped has that of its items."""
    settings, form = _settings(schemas, place), form_of(schemas, place)
    if "array" in form.types and not settings.get("wrapped") and form.items:
        settings = {**settings, **_settings(schemas, form.items)}
    return str(settings.get("name", name))


def write_xml(schemas: Schemas, place: Place | None, value: JSON) -> bytes:
    """Return a value as an XML document; its root is named after the schema."""
    import xmltodict

    target = schemas.document.follow(place) if place else None
    root = _settings(schemas, place).get("name") if place else None
    if root is None:
        root = target.tokens[-1] if target and "schemas" in target.tokens[-2:-1] else "root"
    node = _node(schemas, target, value)
    if isinstance(node, list):
        item = form_of(schemas, target).items if target else None
        settings = _settings(schemas, item) if item else {}
        node = {str(settings.get("name", "item")): node}
    text: str = xmltodict.unparse({root: node})
    return text.encode()


def _node(schemas: Schemas, place: Place | None, value: JSON) -> Any:
    if isinstance(value, list):
        form = form_of(schemas, place) if place else None
        return [_node(schemas, form.items if form else None, one) for one in value]
    if not isinstance(value, dict):
        return str(value).lower() if isinstance(value, bool) else value
    node: dict[str, Any] = {}
    form = form_of(schemas, place) if place else None
    for name, one in value.items():
        where = form.properties.get(name, form.rest) if form else None
        settings = _settings(schemas, where) if where else {}
        key = _name(schemas, where, name) if where else name
        if settings.get("attribute"):
            key = _ATTRIBUTE + key
        inner = _node(schemas, where, one)
        if isinstance(inner, list) and settings.get("wrapped") and where:
            item = form_of(schemas, where).items
            inner = {str((_settings(schemas, item) if item else {}).get("name", key)): inner}
        node[key] = inner
    return node
