"""The judge of what goes over the wire: a vendor's API description, where it is at hand.

The descriptions are too large to copy and belong to the vendors. Beside a developer's checkout they
judge every request and every answer; elsewhere the connectors' own wire models do, which forbid
what they do not know when they write, and name what they cannot read.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs

DESCRIPTIONS = Path(__file__).parents[3] / "shared" / "vendors" / "openapi"


@dataclass(frozen=True)
class Exchange:
    """One call; `answer` is None where none came or it is not JSON."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    sent: Any
    status: int
    answer: Any


def description(vendor: str) -> Path | None:
    """The vendor's API description, if it is at hand."""
    return next(DESCRIPTIONS.glob(f"{vendor}-*.json"), None)


def judge_name() -> str:
    """Which judge this run has."""
    return f"the API descriptions in {DESCRIPTIONS}" if DESCRIPTIONS.is_dir() else "the wire models"


class Judge:
    """Judges exchanges by one OpenAPI 3.0 document."""

    def __init__(self, document: Path, base: str = "") -> None:
        self._api = json.loads(document.read_text(encoding="utf-8"))
        self._components = _as_json_schema(self._api.get("components", {}))
        self._base = base

    def findings(self, exchange: Exchange) -> Iterator[str]:
        """What an exchange has that the description does not allow."""
        operation, item = self._operation(exchange)
        said = f"{exchange.method} {exchange.path}"
        if operation is None:
            yield f"{said}: no such operation"
            return
        yield from self._parameters(said, exchange, operation, item)
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if exchange.sent is not None and body is None:
            yield f"{said}: takes no body"
        elif body is not None and exchange.sent is not None:
            yield from self._wrong(f"{said}: request", body["schema"], exchange.sent)
        if not 200 <= exchange.status < 300:
            return
        responses = operation["responses"]
        documented = responses.get(str(exchange.status)) or responses.get("2XX")
        content = self._resolved(documented or {}).get("content", {})
        schema = next(iter(content.values()), {}).get("schema") if content else None
        if schema is not None and exchange.answer is not None:
            yield from self._wrong(f"{said}: answer", schema, exchange.answer)

    def _operation(self, exchange: Exchange) -> tuple[Any, Any]:
        path = exchange.path.removeprefix(self._base)
        for template, item in self._api["paths"].items():
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path):
                found = item.get(exchange.method.lower())
                if found:
                    return found, item
        return None, None

    def _parameters(
        self, said: str, exchange: Exchange, operation: Any, item: Any
    ) -> Iterator[str]:
        known = [self._resolved(each) for each in operation.get("parameters", [])]
        known += [self._resolved(each) for each in item.get("parameters", [])]
        queries = {each["name"] for each in known if each["in"] == "query"}
        for name, _ in parse_qsl(exchange.query):
            if name not in queries:
                yield f"{said}: no query parameter {name}"
        headers = {name.lower() for name in exchange.headers}
        for each in known:
            needed = each["in"] == "header" and each.get("required")
            if needed and each["name"].lower() not in headers:
                yield f"{said}: header {each['name']} is missing"

    def _resolved(self, value: Any) -> Any:
        while "$ref" in value:
            found = self._api
            for part in value["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            value = found
        return value

    def _wrong(self, said: str, schema: Any, value: Any) -> Iterator[str]:
        for error in self._validator(json.dumps(schema)).iter_errors(value):
            place = ".".join(str(part) for part in error.instance_path)
            yield f"{said}: {place}: {error.message}"

    @cache  # noqa: B019  # a judge lives as long as the tests
    def _validator(self, schema: str) -> Any:
        whole = {**_as_json_schema(json.loads(schema)), "components": self._components}
        return jsonschema_rs.validator_for(whole)


def _as_json_schema(value: Any) -> Any:
    """OpenAPI 3.0 says null by `nullable`, JSON Schema by the type; the rest is one language."""
    if isinstance(value, list):
        return [_as_json_schema(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {name: _as_json_schema(each) for name, each in value.items() if name != "example"}
    if made.pop("nullable", None) is True:
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
        return {"anyOf": [made, {"type": "null"}]}
    return made
