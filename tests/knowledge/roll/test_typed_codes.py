"""Receipt codes as people type them, and all that only looks a little like one."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import yaml

from knowledge.roll import receipts, typed_codes
from knowledge.roll.typed_codes import PLACEHOLDER
from tests import voters
from tests.make import DATA

_CHANCE = random.Random(3)
CODES = [voters.code("".join(_CHANCE.choices(receipts.ALPHABET, k=receipts.LENGTH - 1))) for _ in range(300)]
FORMS = {
    "printed": "{w}", "solid": "{c}", "small": "{w:l}", "in a sentence": "我的回执码是{c}，帮我查一下",
    "between spaces": "帮我看看 {w} 登了没", "small and solid": "查{c:l}谢谢", "twice": "{w} {w}",
}  # fmt: skip


class _Written(str):
    def __format__(self, how: str) -> str:
        return self.lower() if how == "l" else str(self)


@pytest.mark.parametrize("form", FORMS)
def test_each_code_is_found_and_taken_out(form: str) -> None:
    missed = 0
    for code in CODES:
        said = FORMS[form].format(w=_Written(receipts.written(code)), c=_Written(code))
        found = typed_codes.find(said)
        if found is None:
            missed += 1
            continue
        assert receipts.read_code(found.code) == code
        assert code not in found.text.upper().replace("-", "")
        assert PLACEHOLDER in found.text
    # Without its hyphens one that may be a ticket's number, or the end of an identity number, is left.
    assert missed <= 2, form


def test_gaps_full_width_and_hidden_marks_change_nothing() -> None:
    written = receipts.written(CODES[0])
    wide = "".join(chr(ord(symbol) + 0xFEE0) for symbol in written)
    for said in (wide, written.replace("-", " "), written.replace("-", "－"), "\u200b".join(written)):
        found = typed_codes.find(said)
        assert found is not None, said
        assert receipts.read_code(found.code) == CODES[0]
        assert found.text == PLACEHOLDER


def test_a_slip_of_the_finger_gives_nothing_away() -> None:
    chance = random.Random(5)
    for code in CODES:
        at = chance.randrange(receipts.LENGTH)
        wrong = code[:at] + chance.choice(receipts.ALPHABET.replace(code[at], "")) + code[at + 1 :]
        found = typed_codes.find(receipts.written(wrong))
        assert found is None or found.text == PLACEHOLDER
        assert found is not None or wrong[:-1].isdigit()


@pytest.mark.parametrize(
    "said",
    ["DP-1120-07-K", "DP112007K", "DP1120107K", "DP-1120-107-K", "进度 DP-1120-07-K 7K2M", "K-0231", "12-03",
     "12-03 12-04 12-05", "2026-11-20", "2026年11月20日9:00-17:00", "0000-12345678", "7K2M", "A4纸要几张",
     "vote 2026 in", "5hao keyi ma", "registered", "nihaozaima", "xuanminzheng diu le zenmeban",
     "3101 0419 9001 0100 1X", "st_12-03__p07x12345", "K-0300 K-0301 怎么办", "", "。", "COVID19怎么办"],
)  # fmt: skip
def test_what_is_no_code_is_left_alone(said: str) -> None:
    assert typed_codes.find(said) is None


def test_no_question_anybody_has_asked_is_taken_for_one() -> None:
    asked = [
        json.loads(line)["q"]
        for path in (DATA / "golden").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    for path in Path(DATA / "entries").glob("*.yaml"):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["entries"]:
            asked += [entry["question"], *entry["phrasings"], entry["short"]]
    assert len(asked) > 5000
    assert [words for words in asked if typed_codes.find(words)] == []


@pytest.mark.parametrize("said", ["123456", "K7M2", "K7M2-9QXD", "abc 123 def", "KMTQ-XDWA"])
def test_what_was_asked_for_may_look_otherwise(said: str) -> None:
    assert typed_codes.find(said) is None
    found = typed_codes.alone(said)
    assert (found is not None) == (len(said) > 4)


@pytest.mark.parametrize(
    "said", ["选民证丢了怎么办", "DP-1120-07-K", "hello", "/start", "7K2M", "", "x" * 30]
)
def test_but_not_anything_is_meant(said: str) -> None:
    assert typed_codes.alone(said) is None


def test_a_code_shows_in_no_repr() -> None:
    found = typed_codes.find(CODES[0])
    assert CODES[0] not in repr(found)


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    assert typed_codes.find("A1" * 3000) is None
    assert typed_codes.find("A1B2-" * 1200) is None
    assert typed_codes.find("A1B2 " * 1200) is None
