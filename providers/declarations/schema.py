"""JSON Schemas of the declared files, for editors, made from the same models that read them.

They lie in `stacks/schema/`; `connections schema` writes them anew. Draft 7, which editors' YAML support speaks. A schema
says what a file may look like; what needs two files, such as teams and permits, only `load` tells.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from providers.declarations.models import Declared
from providers.declarations.platforms import DeclaredConsumer, DeclaredPlatform, settings_model
from providers.declarations.values import Name

DIALECT: Final = "http://json-schema.org/draft-07/schema#"

Schema = dict[str, Any]
References = Mapping[type[Declared], Schema]
"""How a model is referred to."""

_NAME: Final[Schema] = TypeAdapter(Name).json_schema()
_BY_NAME = ("properties", "$defs")
"""Keywords whose words are names of somebody's, not keywords."""


def schemas(platforms: Mapping[str, DeclaredPlatform]) -> dict[str, Schema]:
    """Every schema by the name of its file: stores, `_stack.yaml`, and the rights sets of platforms that have them."""
    settings = _alone(settings_model(platforms), "What a stack shares")
    found = {"store.schema.json": store_schema(platforms), "stack.schema.json": settings}
    for name, platform in platforms.items():
        if platform.rights_set:
            found[f"rights-{name}.schema.json"] = _alone(platform.rights_set, f"A rights set of {name}")
    return found


def write(directory: Path, platforms: Mapping[str, DeclaredPlatform]) -> tuple[Path, ...]:
    """Write every schema into a folder; the files whose text changed."""
    directory.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, schema in schemas(platforms).items():
        file, text = directory / name, schema_text(schema)
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            changed.append(file)
    return tuple(changed)


def schema_text(schema: Schema) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def store_schema(platforms: Mapping[str, DeclaredPlatform]) -> Schema:
    """The schema of store files: `platform` tells which words may follow."""
    models: dict[type[Declared], None] = {}
    for platform in platforms.values():
        consumers = [consumer for kind in platform.credentials for consumer in platform.consumers_of(kind).values()]
        for model in (platform.store, *platform.credentials.values(), *(consumer.words for consumer in consumers)):
            models[model] = None
    # Two folders may call their models alike: pydantic tells then under which name each one stands.
    references, generated = models_json_schema([(model, "validation") for model in models])
    refers: References = {model: references[model, "validation"] for model in models}
    definitions = {name: _tidy(schema) for name, schema in sorted(generated["$defs"].items())}

    def words(model: type[Declared]) -> Schema:
        found: Schema = definitions[refers[model]["$ref"].rpartition("/")[2]]["properties"]
        return found

    for platform in platforms.values():
        words(platform.store)["connections"] |= _named(_by_kind(platform, refers))
        for kind, model in platform.credentials.items():
            own = words(model)
            own["credential"] = {"const": kind, "description": own["credential"]["description"]}
            links = _links(platform.consumers_of(kind), refers)
            own["links"] = {**links, "description": own["links"]["description"]}
    return {
        "$schema": DIALECT,
        "title": "A store and its connections",
        "type": "object",
        "required": ["platform"],
        "properties": {"platform": {"enum": sorted(platforms)}},
        "allOf": [
            _when({"platform": {"const": name}}, refers[platform.store]) for name, platform in sorted(platforms.items())
        ],
        "$defs": definitions,
    }


def _when(words: Schema, then: Schema) -> Schema:
    return {"if": {"required": list(words), "properties": words}, "then": then}


def _named(entry: Schema) -> Schema:
    """A mapping from names to entries."""
    return {"type": "object", "propertyNames": _NAME, "additionalProperties": entry}


def _by_kind(platform: DeclaredPlatform, refers: References) -> Schema:
    """A connection: `credential` tells its kind, where the platform has several."""
    kinds = platform.credentials
    default = refers[kinds[platform.default_kind]]
    if len(kinds) == 1:
        return default
    return {
        "if": {"required": ["credential"]},
        "then": {
            "properties": {"credential": {"enum": sorted(kinds)}},
            "allOf": [_when({"credential": {"const": kind}}, refers[model]) for kind, model in kinds.items()],
        },
        "else": default,
    }


def _links(consumers: Mapping[str, DeclaredConsumer], refers: References) -> Schema:
    """Links: `to` tells the consumer, and may be left out where the link is called so."""

    def said(consumer: str, *, required: bool) -> Schema:
        to: Schema = {"properties": {"to": {"const": consumer}}}
        if required:
            to["required"] = ["to"]
        return {"allOf": [refers[consumers[consumer].words], to]}

    properties = {
        name: {"anyOf": [said(consumer, required=consumer != name) for consumer in consumers]} for name in consumers
    }
    any_consumer = {"anyOf": [said(consumer, required=True) for consumer in consumers]}
    return {**_named(any_consumer), "minProperties": 1, "properties": properties}


def _alone(model: type[Declared], title: str) -> Schema:
    """The schema of a file that is one model."""
    return {"$schema": DIALECT, "title": title, **_tidy(model.model_json_schema())}


def _tidy(schema: Schema) -> Schema:
    """Without titles and nulls, which files do not hold, and with names of entries held to their rule."""
    tidy: Schema = {}
    for keyword, value in schema.items():
        if keyword == "title" or (keyword == "default" and value in (None, {}, [])):
            continue
        if keyword == "propertyNames" and "patternProperties" in schema:
            continue  # pydantic leaves here what the pattern does not say; the whole rule is put in below
        if keyword in _BY_NAME:
            tidy[keyword] = {name: _tidy(inner) for name, inner in value.items()}
        elif keyword == "patternProperties":
            ((pattern, inner),) = value.items()
            rule = _NAME if pattern == _NAME["pattern"] else {"type": "string", "pattern": pattern}
            tidy |= {"propertyNames": rule, "additionalProperties": _tidy(inner)}
        elif keyword == "anyOf":
            kept = [_tidy(inner) for inner in value if inner != {"type": "null"}]
            tidy |= kept[0] if len(kept) == 1 else {"anyOf": kept}
        else:
            tidy[keyword] = _tidy(value) if isinstance(value, dict) else value
    return tidy
