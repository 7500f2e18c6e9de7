"""The key `layout` of a system: the name of a ready-made layout, a TOML file, or a table."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError


def _layout(said: Any) -> Any:
    """A table as the layout that it is; the name of one, or of its file, as it stands."""
    if said is None:
        return said
    from connectors.layouts.language import Layout  # only who has one pays for it
    from connectors.layouts.loading import LayoutError, merged, nearest_key, ready_text

    if isinstance(said, Layout):
        return said
    if not isinstance(said, dict | str):
        raise ValueError("a layout is its name, its file or a table")
    try:
        if isinstance(said, str):
            if not said.casefold().endswith(".toml"):
                ready_text(said)
            return said
        return Layout.model_validate(merged(said))
    except LayoutError as error:
        raise ValueError(str(error)) from None
    except ValidationError as error:
        raise ValidationError.from_exception_data(
            error.title, [_told(each, nearest_key) for each in error.errors(include_url=False)]
        ) from None


def _told(error: ErrorDetails, nearest: Callable[[Sequence[str]], str]) -> InitErrorDetails:
    """The error as the settings tell it; of an unknown key with the nearest right one."""
    kind: str | PydanticCustomError = error["type"]
    if kind == "extra_forbidden":
        hint = nearest([str(each) for each in error["loc"]])
        kind = PydanticCustomError("trueup", "{said}", {"said": f"unknown key{hint}"})
    details = InitErrorDetails(type=kind, loc=error["loc"], input=error["input"])
    return details | {"ctx": error["ctx"]} if "ctx" in error else details


class _LayoutSchema:
    """What editors are told of a layout."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        from connectors.layouts.language import Layout

        named = {"type": "string", "minLength": 1}
        return {"anyOf": [named, handler(Layout.__pydantic_core_schema__), {"type": "null"}]}


LayoutSetting: TypeAlias = Annotated[Any, BeforeValidator(_layout), _LayoutSchema()]
"""Read into a `Layout`, or left as the name that it is."""
