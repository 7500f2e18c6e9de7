"""Settings files, damaged in every way: each is read, or refused with its place."""

import os
import random
import string

import pytest

from config.load import SettingsError, load
from trueup.demo_settings import FOLLOWERS, settings_text

WHOLE = settings_text(dict.fromkeys(FOLLOWERS, "http://127.0.0.1:1")) + (
    'schedule = "every 5 minutes"\nhorizon_months = 3\n[syncs.erp-to-kaireon.guard]\n'
    'max_changes = "30%"\nmax_money = "10%, at least 500 USD"\n'
)
ODD = [
    "1e999999999999999999", "inf", "nan", "[", "[[a]]", "{a=1}", '"\\u0000"', "1979-05-27", "0xFFFF",
    "[[systems.erp]]", '"""x"""', "\x00", "9" * 5000, '["a", 1]', "true", "[systems]", "a.b.c=1",
    '[syncs."a b".c]', '"a\\"b"=1', "entities={file=1}", 'entities={file="\\u0001"}', "connector=1",
    'connector="file"', 'source=["x"]', "# c\r", "\u2028", "\ufeff", 'schedule="@daily"',
    'schedule=" "', 'path=""', "accept={}", "state=1", '[state]\nurl="sqlite:///"', "guard=1",
    'max_money="' + "9" * 60 + ' USD"', 'max_changes="' + "9" * 400 + '%"', '""=1', "=",
    "parallel=1e3", "parallel=99999999999999999999", '"\\u001b[2J"', '[state]\nurl="sqlite:///a\\u0000"',
]  # fmt: skip


def damaged(chance: random.Random) -> str:
    lines = WHOLE.split("\n")
    for _ in range(chance.randint(1, 3)):
        at, way = chance.randrange(len(lines)), chance.random()
        if way < 0.4:
            lines.insert(at, chance.choice(ODD))
        elif way < 0.7 and "=" in lines[at]:
            lines[at] = f"{lines[at].split('=')[0]}= {chance.choice(ODD)}"
        elif way < 0.9 and lines[at]:
            cut = chance.randrange(len(lines[at]))
            lines[at] = lines[at][:cut] + chance.choice(string.printable) + lines[at][cut + 1 :]
        else:
            del lines[at]
    return "\n".join(lines)


def judged(path, text):
    """Reads the text as a settings file; a refusal names the file and the line."""
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load(path)
    except SettingsError as error:
        for problem in error.problems:
            assert problem.file == path
            assert problem.line is not None, str(problem)
            assert "\x1b" not in str(problem)


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_file_is_read_or_refused_with_its_place(tmp_path, seed):
    chance = random.Random(seed)
    for _ in range(50):
        judged(tmp_path / "trueup.toml", damaged(chance))


@pytest.mark.faults
def test_so_are_thousands(tmp_path):
    chance = random.Random("thousands")
    for _ in range(8000):
        judged(tmp_path / "trueup.toml", damaged(chance))


@pytest.mark.parametrize(
    "text", ["a=" + "[" * 100_000, "a=" + "{a=" * 3000, "[" + "a." * 3000 + "a]", "\na = " + "9" * 5000,
             "a = 1e999999999999999999"],
)  # fmt: skip
def test_what_toml_itself_trips_over_is_refused_with_its_line(tmp_path, text):
    judged(tmp_path / "trueup.toml", text)


def test_a_device_is_no_settings_file(tmp_path):
    os.mkfifo(tmp_path / "trueup.toml")
    with pytest.raises(SettingsError, match="is not a file"):
        load(tmp_path / "trueup.toml")
