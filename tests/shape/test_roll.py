"""Who touches a row of the roll: one function reads what it says, a few count or remove, nobody lists."""

from __future__ import annotations

import ast

from sqlalchemy import LargeBinary, String, Text

from knowledge.roll import records
from tests.shape.tree import called, calls, modules, name, parsed

# Functions that name the table of rows, and what for.
TOUCHING = {
    "knowledge/roll/lookup.py:_statement": "the one lookup",
    "knowledge/roll/differences.py:count": "counts",
    "knowledge/roll/differences.py:_standing": "counts",
    "knowledge/roll/imports.py:clear_away": "deletes in batches",
    "knowledge/roll/staging.py:_copy": "writes",
    "knowledge/roll/staging.py:inserts": "writes",
    "knowledge/roll/staging.py:load_small": "writes",
    "knowledge/roll/purge.py:": "counts and deletes, over a table of tables",
}


def touching() -> set[str]:
    """module:function of every place that names `RollRow` or writes its table's name into a statement."""
    found = set()
    for path in modules():
        if name(path) == "knowledge/roll/records.py":
            continue
        tree = parsed(path)
        spans = [
            (node.lineno, node.end_lineno or 0, node.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        for node in ast.walk(tree):
            named = isinstance(node, ast.Name | ast.Attribute) and "RollRow" in (
                getattr(node, "id", ""), getattr(node, "attr", "")
            )  # fmt: skip
            written = (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and any(f"{word} roll_row" in node.value for word in ("FROM", "INTO", "JOIN", "UPDATE"))
            )
            if named or written:
                inside = [span for span in spans if span[0] <= node.lineno <= span[1]]
                found.add(f"{name(path)}:{max(inside)[2] if inside else ''}")
    return found


def test_rows_of_the_roll_are_read_in_one_function():
    assert touching() == set(TOUCHING)


def test_no_page_and_no_conversation_knows_the_rows():
    assert not [place for place in touching() if not place.startswith("knowledge/roll/")]


def test_one_module_asks_and_it_asks_for_one():
    """`lookup()` gives one result; only `Lookups` calls it, behind the budgets."""
    callers = {
        name(path)
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom)
        and node.module == "knowledge.roll.lookup"
        and any(alias.name == "lookup" for alias in node.names)
    }
    assert callers == {"knowledge/roll/lookups.py"}
    loops = [
        node
        for path in modules("admin", "bot", "handlers", "ticketing")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension | ast.While)
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and called(call) in ("by_identity", "by_receipt", "at_counter", "at_counter_by_receipt", "for_case")
    ]
    assert not loops


def test_a_row_has_no_room_for_a_person():
    """A digest of sixteen bytes, numbers, and nothing that could hold a name."""
    columns = {column.name: column.type for column in records.RollRow.__table__.columns}
    assert set(columns) == {"import_id", "digest", "place_id", "mark"}
    assert not [kind for kind in columns.values() if isinstance(kind, Text | String)]
    digest = columns["digest"]
    assert isinstance(digest, LargeBinary)
    assert digest.length == 16


def test_what_quick_reads_is_the_lookup_alone():
    """`Store.quick` begins nothing and keeps nobody out; other questions go through a session."""
    asking = {
        name(path)
        for path in modules()
        for call in calls(path)
        if called(call) == "row" and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Attribute) and call.func.value.attr == "quick"
    }  # fmt: skip
    assert asking == {"knowledge/roll/lookup.py"}
