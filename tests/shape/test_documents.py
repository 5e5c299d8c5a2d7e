"""The documents tell of this tree: tables, names, files and links exist."""

import importlib
import re
from functools import cache

import pytest

from knowledge import base
from knowledge.lint import VARIABLES
from office.store import Base
from office.words import CHINESE, catalogue
from tests.shape.tree import DOCUMENTS, PACKAGES, ROOT, modules, name

FOLDERS = (
    "admin", "benchmarks", "bot", "data", "deploy", "docs", "handlers", "knowledge", "locales",
    "migrations", "office", "tests", "ticketing", ".ci",
)  # fmt: skip
# Written only by a running installation, or by a reader of the recipes.
NOT_IN_THE_TREE = re.compile(r"^(var/|data/calendar/[A-Z<]|.*[<*…{])")


@cache
def tables():
    for path in modules():
        importlib.import_module(name(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    return set(Base.metadata.tables)


def rows(path, columns):
    """The table rows of a document, as lists of cells; header lines are left out."""
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == columns and not set(cells[0]) <= set("-: "):
            yield cells


def test_every_table_has_a_row_about_how_long_it_is_kept():
    named = [
        found[1]
        for cells in rows(ROOT / "docs" / "retention.md", 3)
        if (found := re.fullmatch(r"`([a-z_]+)`", cells[0]))
    ]
    assert len(named) == len(set(named))
    assert set(named) == tables()


def test_retention_names_jobs_that_exist():
    text = (ROOT / "docs" / "retention.md").read_text(encoding="utf-8")
    jobs = re.findall(r"`((?:office|knowledge|ticketing|bot)\.[a-z_.]+)\(\)`", text)
    assert jobs
    for job in jobs:
        module, _, function = job.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function)), job


def glossary():
    for term, _, code, owner, _ in rows(ROOT / "docs" / "glossary.md", 5):
        if term != "中文":
            yield pytest.param(re.findall(r"`([^`]+)`", code), owner, id=term)


@pytest.mark.parametrize(("names", "owner"), list(glossary()))
def test_the_names_of_the_glossary_exist(names, owner):
    assert names
    package = owner.split(".")[0]
    assert package in PACKAGES
    module = importlib.import_module(owner)
    for written in names:
        found = module
        for part in written.removesuffix("()").split("."):
            found = getattr(found, part)
        assert not written.endswith("()") or callable(found)


def test_every_state_of_a_state_machine_is_in_the_glossary():
    from knowledge.versions import EntryState
    from office.changes import ChangeState
    from office.outbox import DeliveryState
    from ticketing.records import TicketState

    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for states in (EntryState, ChangeState, DeliveryState, TicketState):
        assert not [state for state in states if f"`{states.__name__}.{state.name}`" not in text]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_the_files_a_document_names_exist(document):
    text = document.read_text(encoding="utf-8")
    named = re.findall(rf"`((?:{'|'.join(map(re.escape, FOLDERS))})/[^` ]*)`", text)
    linked = [
        (document.parent / target.split("#")[0])
        for target in re.findall(r"\]\(([^)#][^)]*)\)", text)
        if "://" not in target
    ]
    missing = [path for path in named if not NOT_IN_THE_TREE.match(path) and not (ROOT / path).exists()]
    assert not missing
    assert not [str(path) for path in linked if not path.exists()]


def modules_by_last_name():
    found = {}
    for path in modules():
        dotted = name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        module = importlib.import_module(dotted)
        found.setdefault(dotted, []).append(module)
        found.setdefault(dotted.rpartition(".")[2], []).append(module)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_the_functions_a_document_names_exist(document):
    """`outbox.put`, `ticketing.timed.tidy()`, `staff.reach`: whatever begins with the name of a module."""
    known = modules_by_last_name()
    endings = {"py", "md", "yaml", "po", "html", "toml", "txt", "conf", "service", "csv", "key"}
    missing = []
    for written in re.findall(
        r"`([a-z_]+(?:\.[A-Za-z_]+)+)(?:\([^`]*)?`", document.read_text(encoding="utf-8")
    ):
        module, _, last = written.rpartition(".")
        if module in known and last not in endings and written not in VARIABLES and written not in known:
            missing += [written] * (not any(hasattr(one, last) for one in known[module]))
    assert not missing


def test_decisions_are_numbered_without_a_gap_and_have_their_parts():
    found = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in found] == list(range(len(found)))
    for path in found:
        text = path.read_text(encoding="utf-8")
        for part in ("## Context", "## Decision", "## Price", "## Rejected"):
            assert part in text, f"{path.name} lacks {part}"


def test_pictures_are_small():
    pictures = list((ROOT / "docs" / "pictures").glob("*"))
    assert {"chat.png", "console.png"} <= {path.name for path in pictures}
    assert not [path.name for path in pictures if path.stat().st_size > 200_000]


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_buttons_named_in_the_walk_bear_that_name(readme):
    words = set(catalogue(CHINESE).values())
    named = re.findall(r"「([^」]+)」", (ROOT / readme).read_text(encoding="utf-8"))
    assert len(named) >= 7
    assert not [label for label in named if label not in words]


@pytest.mark.parametrize("document", ["README.md", "README.zh.md", "CHANGELOG.md"])
def test_the_number_of_entries_is_told_right(document):
    told = re.findall(
        r"(?:[Mm]ore than |超过 )(\d+) (?:entries|条口径)", (ROOT / document).read_text(encoding="utf-8")
    )
    shipped = len(list(base.read(base.FOLDER, 0)))
    assert told
    assert not [number for number in told if not int(number) < shipped < int(number) + 50]
