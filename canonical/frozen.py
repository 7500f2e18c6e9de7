"""Frozen dataclasses that are made nearly as fast as open ones.

The standard library's set each field by a call of `object.__setattr__`; with the seventeen fields
of a budget that is a quarter of what reading one costs. Here an object is filled while it is of an
open class with the same layout, and is turned into one of its own class when it is whole.
"""

from dataclasses import field, fields, make_dataclass
from typing import Any, TypeVar

Class = TypeVar("Class", bound=type[Any])


def quickly_made(cls: Class) -> Class:
    """`cls`, a dataclass with frozen, slots and kw_only: the same in all but how it is made."""

    def close(self: Any) -> None:
        self.__class__ = cls

    said = [
        (each.name, Any, field(default=each.default, default_factory=each.default_factory))
        for each in fields(cls)
    ]
    plain = make_dataclass(cls.__name__, said, kw_only=True, namespace={"__post_init__": close})
    opened = {
        "__slots__": (),
        "__init__": vars(plain)["__init__"],
        "__post_init__": close,
        "__setattr__": object.__setattr__,
        "__delattr__": object.__delattr__,
    }
    filling = type(cls.__name__, (cls,), opened)

    def new(kind: type[Any], **said: object) -> Any:
        # nothing is said by those who fill an object in their own way: copy, pickle, pydantic
        return object.__new__(filling if said else kind)

    type.__setattr__(cls, "__new__", staticmethod(new))
    return cls
