"""Saved plans, read: as they were written, or refused with what is wrong and where."""

import json
from pathlib import Path

from pydantic import ValidationError

from canonical.change import Plan
from trueup.refusal import Refusal


def read_plan(path: Path) -> Plan:
    """The plan in that file; raises `Refusal`."""
    try:
        text = path.read_text(encoding="utf-8")
        json.loads(text)
    except json.JSONDecodeError as error:
        said = f"{path}:{error.lineno}:{error.colno}: this is not JSON"
    except RecursionError:
        said = f"{path}: lists stand too deep in each other"
    except UnicodeDecodeError as error:
        said = f"{path}: it is not UTF-8 text, from byte {error.start}"
    except (OSError, ValueError) as error:
        said = (
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'a number is too long'}"
        )
    else:
        try:
            return Plan.load(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            said = f"{path}: {'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}"
        except Exception as error:  # of what anybody may have put there; nothing else is read
            said = f"{path}: it is not as a plan is made ({type(error).__name__})"
    raise Refusal(f"{said}; it is not a plan that `trueup plan --out` saved")
