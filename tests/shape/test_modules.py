"""How modules are written: short, one place that commits, no hidden tasks, nobody spoken to too early."""

import ast

from tests.shape.tree import ROOT, called, calls, modules, name, parsed

MOST_LINES = 330
# At most so many lines, and why.
LONGER = {
    "office/redact.py": (370, "one scanner: its patterns are read against each other"),
}
# The last one loads rows that nobody can ask yet, by the million, on a connection of its own.
COMMITTERS = {"office/store.py", "bot/migrate.py", "knowledge/roll/staging.py"}
TASKS = {"office/wakeups.py"}
ENVIRONMENT = {"bot/settings.py", "bot/__main__.py"}
# What a message, a tapped button or a bot sends when it is awaited.
SENDING = ("answer", "reply", "send_", "edit_", "delete", "forward", "copy_", "pin", "react")


def test_modules_can_be_read_in_one_sitting():
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert not {path: n for path, n in lengths.items() if n > LONGER.get(path, (MOST_LINES, ""))[0]}
    assert not [path for path in LONGER if lengths[path] <= MOST_LINES], "an exception nobody needs any more"


def test_no_module_is_a_drawer():
    drawers = {"utils.py", "helpers.py", "services.py", "models.py", "common.py", "misc.py"}
    assert not [name(path) for path in modules() if path.name in drawers or "_helpers" in path.name]


def test_every_module_and_package_says_what_it_is_for():
    assert not [name(path) for path in modules() if not ast.get_docstring(parsed(path))]


def test_packages_pass_nothing_on():
    inits = [path for path in modules() if path.name == "__init__.py"]
    assert len(inits) >= 6
    assert not [name(path) for path in inits if len(parsed(path).body) != 1]


def test_only_the_store_commits():
    found = {name(path) for path in modules() for call in calls(path) if called(call) == "commit"}
    assert found <= COMMITTERS


def test_only_the_running_machine_starts_tasks():
    starting = {"create_task", "ensure_future", "run_coroutine_threadsafe"}
    found = {name(path) for path in modules() for call in calls(path) if called(call) in starting}
    assert {path for path in found if not path.startswith("bot/")} <= TASKS
    assert found >= TASKS


def test_only_the_settings_read_the_environment():
    found = {
        name(path)
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert found <= ENVIRONMENT


def test_handlers_return_what_is_sent():
    """Awaited in a handler, a message would leave before the transaction is committed."""
    found = []
    for path in modules("handlers"):
        if path.name in ("replies.py", "unwanted.py"):  # the edge itself, which speaks after the commit
            continue
        imported = {
            alias.asname or alias.name
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        for node in ast.walk(parsed(path)):
            if not (isinstance(node, ast.Await) and isinstance(node.value, ast.Call)):
                continue
            func = node.value.func
            if isinstance(func, ast.Name) and func.id in ("bot", "method"):
                found.append(f"{name(path)}:{node.lineno}")
            if isinstance(func, ast.Attribute) and func.attr.startswith(SENDING):
                owner = func.value
                if not (isinstance(owner, ast.Name) and owner.id in imported):
                    found.append(f"{name(path)}:{node.lineno}")
    assert not found


def test_domain_code_reads_no_clock():
    """`now` is an argument there, so a test needs no patched clock."""
    found = [
        f"{name(path)}:{call.lineno}"
        for path in modules("office", "knowledge", "ticketing")
        for call in calls(path)
        if called(call) in ("now", "utcnow", "today")
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in ("datetime", "date")
    ]
    assert not found


def test_updates_that_wait_are_never_dropped():
    """Neither by a keyword nor by an option of the same name: what was written in the night is a question."""
    assert not [
        name(path) for path in modules() if "drop_pending_updates" in path.read_text(encoding="utf-8")
    ]


def test_states_move_only_with_their_record():
    """A ticket or a version whose state is set by hand would leave no line in the audit."""
    allowed = {
        "knowledge/entries.py": "a version loaded from a reviewed file begins in review",
    }
    found = set()
    for path in modules():
        aliases = {"TicketState", "EntryState"} | {
            target.id
            for node in parsed(path).body
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Name)
            and node.value.id in ("TicketState", "EntryState")
            for target in node.targets
            if isinstance(target, ast.Name)
        }

        def is_state(value, aliases=aliases):
            return any(isinstance(node, ast.Name) and node.id in aliases for node in ast.walk(value))

        for node in ast.walk(parsed(path)):
            by_hand = (
                isinstance(node, ast.Assign)
                and any(isinstance(part, ast.Attribute) and part.attr == "state" for part in node.targets)
                and is_state(node.value)
            )
            in_bulk = (
                isinstance(node, ast.Call)
                and called(node) == "values"
                and any(keyword.arg == "state" and is_state(keyword.value) for keyword in node.keywords)
            )
            if by_hand or in_bulk:
                found.add(name(path))
    assert found == set(allowed)


def test_the_tree_holds_no_lock_files_with_addresses():
    assert not [path for path in ("uv.lock", "pylock.toml", "poetry.lock") if (ROOT / path).exists()]
