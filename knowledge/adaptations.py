"""A district's own wording laid over a region's rows, as signed changes of kind RULES write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from knowledge import lint
from knowledge.citations import Citation, cited
from knowledge.pack_parts import Leaf, RulePack
from office.errors import Invalid

FIELDS = (
    "leaf", "answer", "answer_en", "steps", "steps_en", "bring", "bring_en", "ticket", "basis",
)  # fmt: skip
_TEXTS = ("answer", "answer_en")
_LISTS = ("steps", "steps_en", "bring", "bring_en")
_UNNUMBERED: Mapping[str, int] = MappingProxyType({})


class BadRow(Invalid):
    """A row's change that cannot be used; `field` names which part of it: `steps[1]`, `basis[0].law`."""

    def __init__(self, key: str, /, *, field: str, **facts: Any) -> None:
        super().__init__(key, **facts)
        self.field = field


def adapted(
    pack: RulePack,
    rows: Mapping[str, Mapping[str, Any]],
    numbers: Mapping[str, int] = _UNNUMBERED,
) -> RulePack:
    """The pack with contents of RULES changes laid over its rows, by the rows' own codes.

    Where a content names another leaf, the row is answered as that one is; then what the content gives is
    put in its place. `numbers` are those of the changes. Raises `BadRow` naming the field.
    """
    for row in rows:
        if not pack.rows(row):
            raise BadRow("row_unknown", field="leaf", leaf=row)
    return replace(
        pack,
        leaves=tuple(
            _laid_over(pack, leaf, rows[leaf.row], numbers.get(leaf.row, 0)) if leaf.row in rows else leaf
            for leaf in pack.leaves
        ),
    )


def _laid_over(pack: RulePack, leaf: Leaf, content: Mapping[str, Any], number: int) -> Leaf:
    for field in content:
        if field not in FIELDS:
            raise BadRow("pack_field_unknown", field=field, word=field)
    base = _answered_as(pack, leaf, content.get("leaf", leaf.row))
    given: dict[str, Any] = {}
    for field in _TEXTS:
        if field in content:
            given[field] = _text(pack, content[field], field)
    for field in _LISTS:
        if field in content:
            given[field] = tuple(
                _text(pack, each, f"{field}[{place}]") for place, each in enumerate(_list(content, field))
            )
    # Better one language than two that differ: what a change says in Chinese only, it says so to everybody.
    for field in ("answer", "steps", "bring"):
        if field in content and f"{field}_en" not in content:
            given[f"{field}_en"] = "" if field == "answer" else ()
    if "ticket" in content:
        if not isinstance(content["ticket"], bool):
            raise BadRow("pack_no_flag", field="ticket", word=content["ticket"])
        given["ticket"] = content["ticket"]
    if "basis" in content:
        given["basis"] = tuple(
            _citation(pack, each, f"basis[{place}]") for place, each in enumerate(_list(content, "basis"))
        )
    found = replace(base, row=leaf.row, when=leaf.when, edition=number, **given)
    if not found.basis and not found.ticket:
        raise BadRow("pack_no_basis", field="basis", leaf=leaf.row)
    return found


def _answered_as(pack: RulePack, leaf: Leaf, code: Any) -> Leaf:
    if code == leaf.row:
        return leaf
    found = pack.rows(str(code))
    if not found:
        raise BadRow("row_unknown", field="leaf", leaf=code)
    return found[0]


def _list(content: Mapping[str, Any], field: str) -> list[Any]:
    found = content[field]
    if not isinstance(found, list | tuple):
        raise BadRow("pack_no_list", field=field)
    return list(found)


def _text(pack: RulePack, text: Any, field: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise BadRow("pack_no_text", field=field)
    for problem in lint.in_texts([text], region=pack.id):
        raise BadRow(problem.key, field=field, **problem.facts)
    return text.strip()


def _citation(pack: RulePack, given: Any, field: str) -> Citation:
    """A law of the pack by its short or full name, or a document of the district's own in 《》."""
    if not isinstance(given, Mapping) or not set(given) <= {"law", "article"}:
        raise BadRow("row_basis", field=field)
    law, article = str(given.get("law", "")).strip(), str(given.get("article", "")).strip()
    title = law.strip("《》")
    for short, full in pack.laws.items():
        if title in (short, full):
            return Citation(short, article, full)
    if law.startswith("《") and law.endswith("》") and title and cited(title, pack.laws) is None:
        return Citation(law, article, title)
    raise BadRow("pack_law_unknown", field=f"{field}.law", law=law)
