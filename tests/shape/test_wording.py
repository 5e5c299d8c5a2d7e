"""Every wording exists in every language with the same placeholders, and nobody translates for nothing."""

import ast
import json
import re
import string
from functools import cache

import pytest
import yaml
from babel.messages.pofile import read_po
from jinja2 import nodes

from admin import pages
from office import words
from office.words import CHINESE, LANGUAGES
from tests.shape.tree import ROOT, called, calls, modules, name, parsed

SAYING = {"say", "words", "t"}
REFUSING = {"DeskError", "NotFound", "NotPermitted", "Conflict", "Invalid", "TooMany"}
# Chinese puts nothing between 2天 and 3小时.
EMPTY = {(CHINESE, "time.joint")}
# Beginnings that code takes from a table of its own before it adds the rest.
FROM_TABLES = {"closed_by.": "admin/audit.py"}


@cache
def catalogues():
    """Key to wording for each language, and the keys that stand twice."""
    found, twice = {}, []
    for language in LANGUAGES:
        found[language] = {}
        for path in sorted((words.LOCALES / language / "LC_MESSAGES").glob("*.po")):
            with path.open("rb") as file:
                # The parser itself would silently keep the last of two messages with the same key.
                keys = re.findall(rb'^msgid "(.+)"', path.read_bytes(), re.MULTILINE)
                twice += [key.decode() for key in set(keys) if keys.count(key) > 1]
                for message in read_po(file):
                    if message.id:
                        twice += [message.id] if message.id in found[language] else []
                        found[language][message.id] = message.string
    return found, twice


def keys():
    return set(catalogues()[0][CHINESE])


def pattern(node):
    """What a key that is put together at run time looks like, or None if nothing of it is known."""
    if isinstance(node, ast.JoinedStr):
        parts = [re.escape(p.value) if isinstance(p, ast.Constant) else ".+" for p in node.values]
        return "".join(parts)
    if isinstance(node, nodes.Concat):
        parts = [re.escape(p.value) if isinstance(p, nodes.Const) else ".+" for p in node.nodes]
        return "".join(parts)
    if isinstance(node, nodes.Add):
        return f"{pattern(node.left) or '.+'}{pattern(node.right) or '.+'}"
    if isinstance(node, ast.Constant | nodes.Const) and isinstance(node.value, str):
        return re.escape(node.value)
    return None


def said_in_code():
    """(place, node) of every first argument of a call that says or refuses something."""
    for path in modules():
        for call in calls(path):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "say":
                continue  # `turn.say` takes the finished text
            if call.args and called(call) in SAYING | REFUSING | {"Problem"}:
                yield f"{name(path)}:{call.lineno}", call.args[0], called(call)


@cache
def said_in_templates():
    environment = pages.environment()
    found = []
    for template in environment.list_templates():
        source = environment.loader.get_source(environment, template)[0]
        for call in environment.parse(source).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t" and call.args:
                found.append((f"{template}:{call.lineno}", call.args[0]))
    return found


def literals(node):
    """The keys a node stands for: a text, or either text of a choice."""
    if isinstance(node, ast.Constant | nodes.Const):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.IfExp):
        return literals(node.body) + literals(node.orelse)
    if isinstance(node, nodes.CondExpr):
        return literals(node.expr1) + (literals(node.expr2) if node.expr2 else [])
    return []


def known(key):
    return key in keys()


@cache
def compiled(wanted):
    """The module `re` itself keeps no more than some hundred patterns."""
    return re.compile(wanted)


def test_both_languages_have_the_same_keys():
    found, twice = catalogues()
    assert not twice
    for language in LANGUAGES:
        assert set(found[language]) == keys()
        assert not [key for key, text in found[language].items() if not text and (language, key) not in EMPTY]


def test_translations_have_the_same_placeholders():
    def placeholders(text):
        return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}

    found, _ = catalogues()
    differing = {
        key
        for key in keys()
        if len({frozenset(placeholders(found[language][key])) for language in LANGUAGES}) > 1
    }
    assert not differing


def test_every_key_said_in_code_exists():
    missing = [
        (place, key)
        for place, node, how in said_in_code()
        if how in SAYING
        for key in literals(node)
        if not known(key)
    ]
    assert not missing


def test_every_refusal_has_words():
    """The console first looks for words of its own."""
    missing = [
        (place, key)
        for place, node, how in said_in_code()
        if how in REFUSING | {"Problem"}
        for key in literals(node)
        # The empty key is a refusal without words: what a flood gets after the first time.
        if key and not (known(key) or known(f"refused.{key}"))
    ]
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_said_in_templates_exists(language):
    found, _ = catalogues()
    missing = [
        (place, key)
        for place, node in said_in_templates()
        for key in literals(node)
        if key not in found[language]
    ]
    assert not missing


def test_keys_put_together_at_run_time_can_be_met():
    nodes_found = [(place, node) for place, node, _ in said_in_code()] + said_in_templates()
    unmet = [
        (place, wanted)
        for place, node in nodes_found
        if not literals(node)
        and (wanted := pattern(node)) is not None
        and not any(map(compiled(wanted).fullmatch, keys()))
    ]
    assert not unmet


def test_no_wording_is_left_over():
    """A key counts as used where it stands as a text in code, templates or data, or fits a joined one."""
    used = set()
    joined = {pattern(node) for _, node, _ in said_in_code()} | {pattern(n) for _, n in said_in_templates()}
    for path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                used.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                joined.add(pattern(node))
    environment = pages.environment()
    for template in environment.list_templates():
        tree = environment.parse(environment.loader.get_source(environment, template)[0])
        used |= {node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)}
        joined |= {pattern(node) for node in tree.find_all((nodes.Concat, nodes.Add))}
    for path in (ROOT / "data").rglob("*.yaml"):
        if path.parent.name not in ("entries", "golden"):
            used |= set(re.findall(r"[\w.]+", path.read_text(encoding="utf-8")))
    for path in (ROOT / "admin" / "static").glob("*.js"):
        used |= set(re.findall(r"[\"'`]([\w.]+)[\"'`]", path.read_text(encoding="utf-8")))
    used |= {f"refused.{key}" for key in used}
    # A joined text of which nothing is known would cover every key there is.
    told = re.compile(r"^[a-z_]+(\\\.|_)|\\\.[a-z_]{4,}$")
    prefixes = {wanted for wanted in joined if wanted and told.search(wanted)}
    prefixes |= {re.escape(begin) + ".+" for begin in FROM_TABLES}
    left = {key for key in keys() - used if not any(compiled(wanted).fullmatch(key) for wanted in prefixes)}
    assert not left, json.dumps(sorted(left), ensure_ascii=False)


def test_the_beginnings_taken_from_tables_are_still_there():
    for begin, place in FROM_TABLES.items():
        assert f'"{begin.rstrip(".")}"' in (ROOT / place).read_text(encoding="utf-8")
        assert any(key.startswith(begin) for key in keys())


def test_quick_topics_and_their_labels_exist():
    rows = yaml.safe_load((ROOT / "data" / "quick.yaml").read_text(encoding="utf-8"))
    assert rows
    assert not [row["key"] for row in rows if not known(row["key"])]
