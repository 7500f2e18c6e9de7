"""Saved plans, read: as they were written, or refused with what is wrong and where.

A plan carries the digest of all that it says. One that was edited, or that an earlier version
saved without a digest, is not applied: nobody knows whether it is what was planned.
"""

import json
from pathlib import Path

from pydantic import ValidationError

from canonical.change import Plan
from canonical.digest import is_sealed
from trueup.refusal import Refusal


def sealed_plan(path: Path) -> Plan:
    """The plan in that file, exactly as it was saved; raises `Refusal`."""
    plan = read_plan(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    again = f"plan again: trueup plan {plan.sync} --out {path}"
    if "digest" not in data:
        raise Refusal(f"{path} has no digest, as an earlier Trueup saved it; {again}")
    if not is_sealed(data):
        raise Refusal(f"{path} is not as it was saved: its digest is that of other words; {again}")
    return plan


def read_plan(path: Path) -> Plan:
    """The plan in that file, whether or not somebody changed it; raises `Refusal`."""
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
