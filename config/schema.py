"""The JSON Schema of trueup.toml, from which editors complete and check while one types."""

from copy import deepcopy
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from config.secrets import REFERENCE
from config.settings import Settings, secret_fields
from connectors.contract import registry


def settings_schema() -> dict[str, Any]:
    """One schema of the whole file (draft 2020-12), with every connector of the registry."""
    models = {name: registry.settings(name) for name in registry.names()}
    wanted: list[type[BaseModel]] = [Settings, *dict.fromkeys(models.values())]
    places, document = models_json_schema([(each, "validation") for each in wanted])
    definitions: dict[str, Any] = document["$defs"]

    def definition(model: type[BaseModel]) -> Any:
        return definitions[places[model, "validation"]["$ref"].removeprefix("#/$defs/")]

    systems = {name: _system(name, model, definition(model)) for name, model in models.items()}
    whole = deepcopy(definition(Settings))
    whole["properties"]["systems"]["additionalProperties"] = {
        "oneOf": [{"$ref": f"#/$defs/system-{name}"} for name in systems]
    }
    for model in wanted:
        definitions.pop(places[model, "validation"]["$ref"].removeprefix("#/$defs/"))
    definitions |= {f"system-{name}": schema for name, schema in systems.items()}
    definitions.pop("SystemSettings", None)  # no system is only that
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **whole,
        "title": "Trueup settings",
        "$defs": definitions,
    }


def _system(name: str, model: type[BaseModel], schema: dict[str, Any]) -> dict[str, Any]:
    """The connector's own schema, with its name fixed and its secrets as the references they are
    in the file."""
    made = deepcopy(schema)
    keys = made["properties"]
    keys["connector"] = {**keys["connector"], "const": name}
    for key in secret_fields(model):
        told = {word: keys[key][word] for word in ("title", "description") if word in keys[key]}
        keys[key] = {**told, "type": "string", "pattern": REFERENCE}
    file = {"type": "string", "description": "A CSV file with columns entity_type,entity,id."}
    keys["entities"] = {**keys["entities"], "properties": {"file": file}}
    made["required"] = list(dict.fromkeys(["connector", *made.get("required", [])]))
    made["title"] = f"{name} system"
    return made
