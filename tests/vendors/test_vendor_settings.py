"""What no vendor can use is refused while the settings are read, with file and line."""

import pytest

from config.load import SettingsError, load
from trueup.demo_settings import FOLLOWERS, settings_text

TEXT = settings_text(dict.fromkeys(FOLLOWERS, "http://127.0.0.1:9"))
WRONG = [
    ("rate_limit", "many", "'many' is not calls per window"),
    ("base_url", "nowhere", "this is not an address"),
    ("currency", "impressions", "impressions is a count, not a currency"),
    ("currency", "usd", "USD"),
]


def place(vendor, key):
    """Where a vendor's key stands in the demo's settings."""
    lines = TEXT.splitlines()
    begins = lines.index(f"[systems.{vendor}]")
    ends = next(n for n, line in enumerate(lines) if n > begins and line.startswith("["))
    return next((n for n in range(begins, ends) if lines[n].startswith(f"{key} =")), None)


@pytest.mark.parametrize(
    ("vendor", "key", "wrong", "said"),
    [(vendor, *each) for vendor in FOLLOWERS for each in WRONG if place(vendor, each[0])],
)
def test_what_no_vendor_can_use_is_refused_with_its_line(tmp_path, vendor, key, wrong, said):
    lines, at = TEXT.splitlines(), place(vendor, key)
    lines[at] = f'{key} = "{wrong}"'
    (tmp_path / "trueup.toml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "trueup.toml")
    assert f"trueup.toml:{at + 1}: systems.{vendor}.{key}: " in str(caught.value)
    assert said in str(caught.value)
