"""Listings by id: all records, each once, whatever comes and goes; and an end to what has none."""

from itertools import count

import pytest

from connectors.calling import by_id
from connectors.calling.by_id import ById
from connectors.contract.errors import Call, Malformed, Rejected, Transient


class Server:
    """Has records by id; no page of it is longer than `most`."""

    def __init__(self, *ids, most=1000):
        self.ids, self.most, self.asked = list(ids), most, []

    def page(self, last, size):
        self.asked.append((last, size))
        return [{"id": id} for id in self.ids if id > last][: min(size, self.most)]

    def count(self):
        return len(self.ids)

    def all(self, size=1000):
        return [each["id"] for each in ById(size).all("things", self.page, self.count)]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_pages_of_any_size_hold_the_same(size):
    assert Server(1, 4, 9).all(size) == [1, 4, 9]


def test_pages_that_are_shorter_than_asked_for_are_not_taken_for_the_last():
    assert Server(*range(1, 8), most=2).all(5) == [*range(1, 8)]


def test_a_record_that_comes_while_they_are_read_is_among_them():
    server = Server(1, 2)
    counted = iter([3])
    server.count = lambda: (server.ids.append(3), next(counted))[1] if 3 not in server.ids else 3
    assert server.all() == [1, 2, 3]


def test_records_that_go_on_coming_end_it():
    server, more = Server(1), count(2)
    server.count = lambda: server.ids.append(next(more)) or len(server.ids)
    with pytest.raises(Transient, match="things come and go"):
        server.all()


@pytest.mark.parametrize("page", [[{"id": 2}, {"id": 1}], [{"id": True}], [{}], ["x"], [{"id": 0}]])
def test_ids_that_do_not_rise_are_malformed(page):
    with pytest.raises(Malformed, match="after the id"):
        ById().all("things", lambda last, size: page, lambda: 1)


@pytest.mark.parametrize("page", [False, None, {}, "x"])
def test_what_is_no_list_is_malformed(page):
    with pytest.raises(Malformed, match="no list"):
        ById().all("things", lambda last, size: page, lambda: 1)


def test_a_server_that_never_ends_is_left(monkeypatch):
    monkeypatch.setattr(by_id, "MAX_OBJECTS", 50)
    with pytest.raises(Malformed, match="more than 50"):
        ById(10).all("things", lambda last, size: [{"id": last + 1 + n} for n in range(size)], int)


def test_a_server_of_few_records_a_call_is_asked_for_fewer():
    server = Server(*range(1, 61))

    def page(last, size):
        if size > 30:
            raise Rejected("too many", call=Call("x", status=413))
        return server.page(last, size)

    assert len(ById(100).all("things", page, server.count)) == 60
    assert {size for _, size in server.asked} == {25}


def test_another_refusal_passes():
    def page(last, size):
        raise Rejected("no", call=Call("x", status=400))

    with pytest.raises(Rejected, match="no"):
        ById().all("things", page, int)
