"""What `trueup init` writes: a commented settings file, and sample budget files to try it with."""

from pathlib import Path

from trueup.files import write_private
from trueup.refusal import Refusal
from trueup.sample import write_sample

PORT = 8080
"""Of the sandbox that the settings begin with."""

NEXT = f"""\
next, with a sandbox in the place of your account:
  trueup sandbox brex --port {PORT} &
  export BREX_TOKEN=bxt_sandbox
  trueup check
  trueup plan erp-to-brex
  trueup run erp-to-brex
then state your own budgets, put your token into BREX_TOKEN, and take base_url out"""

SETTINGS = """\
# Trueup's settings. Editors: `trueup schema` prints the JSON Schema of this file.

[systems.erp]                          # the side that owns the budgets
connector = "file"
path = "budgets.csv"                   # csv, json, jsonl or xlsx
allocations = "allocations.csv"        # optional
# or a database:  connector = "sql", url = "env:ERP_DATABASE", budgets = "SELECT ref, name, …"

[systems.brex]                         # the side that follows
connector = "brex"
base_url = "{sandbox}"     # `trueup sandbox brex --port {port}`; without this line: Brex
token = "{token}"{note}
# parent_budget_id = "budget_…"        # new budgets hang below it; default: the only root
# expense_policy_id = "…"              # of new spend limits; default: the one in use
{brex}
# [systems.brex.entities]              # who is who; without a row the id is passed through
# "user:ada@example.com" = "cuuser_…"

[syncs.erp-to-brex]
source = "erp"
target = "brex"
on_remove = "keep"                     # or retire, or delete
# select = {{ name = "Marketing*" }}     # carries a part: by ref, name, dimension, parent, …
# schedule = "*/15 * * * *"            # for `trueup serve`; or "every 15 minutes"

[syncs.erp-to-brex.guard]              # a run that would exceed these stops
max_changes = "30%"
max_removals = "5%"
max_money = "10%"
max_budget_change = "50%"
"""


def write_starter(folder: Path) -> list[Path]:
    """Write `trueup.toml` and a small sample; raises `Refusal` rather than overwrite a file."""
    paths = [folder / name for name in ("trueup.toml", "budgets.csv", "allocations.csv")]
    for path in paths:
        if path.exists():
            raise Refusal(f"{path} is already there and is not overwritten")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        note = "               # a reference; the secret itself never stands here"
        settings = SETTINGS.format(
            sandbox=f"http://127.0.0.1:{PORT}",
            port=PORT,
            token="env:BREX_TOKEN",  # noqa: S106
            note=note,
            brex="",
        )
        write_private(paths[0], settings)
        write_sample(folder, cost_centres=3)
    except OSError as error:
        raise Refusal(f"{folder} cannot be written to: {error.strerror}") from None
    return paths
