"""What changed between two versions, as a reader sees it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from admin.differences import Part, between, of_lines, of_text
from knowledge.versions import Content

WORDS = st.text(alphabet="选民登记站，。abc", max_size=30)


@given(WORDS, WORDS)
def test_both_texts_can_be_read_from_the_parts(before: str, after: str) -> None:
    parts = of_text(before, after)
    assert "".join(p.text for p in parts if p.kind != "added") == before
    assert "".join(p.text for p in parts if p.kind != "removed") == after
    assert all(p.text for p in parts)


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=6))
def test_both_lists_can_be_read_from_the_parts(before: list[str], after: list[str]) -> None:
    parts = of_lines(before, after)
    assert [p.text for p in parts if p.kind != "added"] == before
    assert [p.text for p in parts if p.kind != "removed"] == after


def test_an_inserted_word_is_one_insertion() -> None:
    assert of_text("由登记站告诉您", "由登记站当场告诉您") == [
        Part("same", "由登记站"),
        Part("added", "当场"),
        Part("same", "告诉您"),
    ]


def test_scattered_single_matches_become_one_change() -> None:
    assert of_text("最迟三日里答复", "最迟五日内答复") == [
        Part("same", "最迟"),
        Part("removed", "三日里"),
        Part("added", "五日内"),
        Part("same", "答复"),
    ]


def test_only_fields_that_differ_are_told() -> None:
    old = Content(topic="age", question="问", phrasings=("甲", "乙"), short="短", scope_unit_id=1,
                  basis=({"law": "选举法", "article": "第四条"},))  # fmt: skip
    new = Content(topic="age", question="问", phrasings=("甲", "丙"), short="短", scope_unit_id=1,
                  basis=({"law": "选举法", "article": "第四条"},), confirmed=False)  # fmt: skip
    changes = {change.field: change for change in between(old, new, lambda name, value: f"{name}={value}")}
    assert set(changes) == {"phrasings", "confirmed"}
    assert changes["phrasings"].lines
    assert Part("added", "confirmed=False") in changes["confirmed"].parts
    assert between(old, old, lambda name, value: str(value)) == []
