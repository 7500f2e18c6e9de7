"""The file connector keeps the contract."""

from dataclasses import replace

import pytest
from msgspec import structs

from canonical.kind import Kind
from connectors.conformance import ConformanceSuite, World
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings


class TestFile(ConformanceSuite):
    @pytest.fixture(params=["csv", "json"])
    def world(self, request, tmp_path):
        keys = {"allocations": "allocations.csv"} if request.param == "csv" else {}
        settings = FileSettings(connector="file", path=f"budgets.{request.param}", **keys)
        world = World(connector=File("erp", settings, Runtime(base=tmp_path)))
        # A file that is not there is unreadable; the first budget and allocation make it.
        world.make(Kind.BUDGET)
        world.make(Kind.ALLOCATION)

        def refused():
            draft = world.draft(Kind.BUDGET)
            return replace(draft, model=structs.replace(draft.model, name=" "))

        world.refused = refused
        return world
