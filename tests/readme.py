"""The examples that stand in the pages for readers, so that tests can run them."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def example(name: str, page: str = "README.md") -> str:
    """The code block that follows the comment `<!-- name -->`."""
    found = re.search(
        rf"<!-- {re.escape(name)} -->\n```\w+\n(.*?)^```$",
        (ROOT / page).read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert found, f"{page} has no code block after <!-- {name} -->"
    return found[1]
