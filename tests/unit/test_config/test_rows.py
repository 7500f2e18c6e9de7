"""Rows of `entities` that are added: what stood in the files stays as it is."""

import pytest

from config.load import load
from config.rows import NotWritten, add_rows, rows_file

HEAD = '# mine\n[systems.acme]\nconnector = "brex"\ntoken = "env:T"\nparent_budget_id = "b"\n'
ROW = ("user", "ada@x.com", "u1")


@pytest.fixture
def written(tmp_path):
    def write(text=HEAD, people=None, system="acme", rows=(ROW,)):
        file = tmp_path / "trueup.toml"
        file.write_bytes(text.encode())
        if people is not None:
            (tmp_path / "people.csv").write_bytes(people.encode())
        add_rows(load(file), system, rows)
        return file

    return write


def people(file, name="people.csv"):
    return (file.parent / name).read_bytes().decode()


NAMED = HEAD + '[systems.acme.entities]\nfile = "people.csv"\n'


def test_a_first_row_makes_a_file_and_the_settings_name_it(written):
    file = written()
    assert people(file, "people-acme.csv") == "entity_type,entity,id\nuser,ada@x.com,u1\n"
    assert file.read_text().startswith(HEAD)
    assert load(file).systems["acme"].entities == {"user:ada@x.com": "u1"}


def test_rows_of_the_settings_stay_beside_the_file(written):
    table = '[systems.acme.entities]  # who\n"user:bob" = "u2"  # Bob\n\n[state]\n'
    file = written(HEAD + table)
    assert file.read_text() == HEAD + table.replace("who\n", 'who\nfile = "people-acme.csv"\n')
    assert load(file).systems["acme"].entities == {"user:bob": "u2", "user:ada@x.com": "u1"}


def test_what_stands_in_the_file_stays_to_the_letter(written):
    before = '# ours\r\nnote,id,entity,entity_type\r\n"a, b",u9,zoe,user\r\n# end'
    before = before.partition("\r\n")[2]
    file = written(NAMED, before)
    assert people(file) == before + "\r\n,u1,ada@x.com,user\r\n"
    assert load(file).systems["acme"].entities == {"user:zoe": "u9", "user:ada@x.com": "u1"}


def test_a_file_that_begins_with_a_byte_order_mark_keeps_it(written):
    file = written(NAMED, "\ufeffentity_type,entity,id\n")
    assert people(file) == "\ufeffentity_type,entity,id\nuser,ada@x.com,u1\n"


def test_a_text_with_a_comma_or_a_quote_is_read_back(written):
    file = written(NAMED, "entity_type,entity,id\n", rows=[("user", 'Lovelace, "Ada"', "u,1")])
    assert load(file).systems["acme"].entities == {'user:Lovelace, "Ada"': "u,1"}


def test_what_no_row_can_say_is_refused_and_nothing_is_written(written, tmp_path):
    with pytest.raises(NotWritten, match="no row can say"):
        written(NAMED, "entity_type,entity,id\n", rows=[ROW, ("user", " bob ", "u2")])
    assert people(tmp_path / "trueup.toml") == "entity_type,entity,id\n"


@pytest.mark.parametrize(
    "text",
    [
        '[systems]\nacme = { connector = "brex", token = "env:T", parent_budget_id = "b" }\n',
        HEAD + 'entities = { "user:bob" = "u2" }\n',
        HEAD + 'entities."user:bob" = "u2"\n',
    ],
)
def test_settings_in_which_no_line_can_name_a_file_are_left_alone(written, tmp_path, text):
    with pytest.raises(NotWritten, match=r'write file = "people-acme.csv" into'):
        written(text)
    assert (tmp_path / "trueup.toml").read_text() == text
    assert not (tmp_path / "people-acme.csv").exists()


def test_a_file_that_is_there_and_is_no_file_of_rows_is_left_alone(written, tmp_path):
    (tmp_path / "people-acme.csv").write_text("name\nAda\n")
    with pytest.raises(NotWritten, match="has no column entity_type"):
        written()
    assert (tmp_path / "people-acme.csv").read_text() == "name\nAda\n"
    assert (tmp_path / "trueup.toml").read_text() == HEAD


def test_the_files_keep_who_may_read_them(written, tmp_path):
    (tmp_path / "people.csv").touch()
    (tmp_path / "people.csv").chmod(0o640)
    file = written(NAMED, "entity_type,entity,id\n")
    assert (file.parent / "people.csv").stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["people.csv", "trueup.toml"]


def test_where_rows_go_is_known_before(written, tmp_path):
    file = tmp_path / "trueup.toml"
    file.write_text(NAMED)
    (tmp_path / "people.csv").write_text("entity_type,entity,id\n")
    assert rows_file(load(file), "acme") == tmp_path / "people.csv"


def test_a_name_of_a_system_that_is_no_file_name_is_spelled(tmp_path):
    file = tmp_path / "trueup.toml"
    file.write_text(HEAD.replace("systems.acme", 'systems."../acme"'))
    assert rows_file(load(file), "../acme") == tmp_path / "people----acme.csv"
