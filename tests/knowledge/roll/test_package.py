"""The file a roll travels in: whole, sorted, counted, signed, or refused with the reason."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from knowledge.roll import keys, package
from knowledge.roll.keys import OfflineKey
from knowledge.roll.package import MAGIC, RECORD, SIGNATURE, BadPackage, Block, Header
from knowledge.roll.records import Mark
from tests import rolls
from tests.voters import AYGUL, CAST, HE_JIE, LIN_YAN, OUYANG

KEY = keys.make(rolls.ELECTION)
ROWS = rolls.rows(KEY.digest, marks={HE_JIE: Mark(0), OUYANG: Mark.REGISTERED | Mark.SUPPRESSED})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sound package of four voters with their receipts."""
    rolls.write(tmp_path / "a.roll", KEY, ROWS)
    return tmp_path / "a.roll"


def refused(path: Path) -> str:
    with pytest.raises(BadPackage) as caught:
        package.check(path)
    return caught.value.key.removeprefix("roll_package.")


def signed(path: Path, header: bytes, body: bytes, key: OfflineKey = KEY) -> Path:
    """Whatever bytes, under a signature that fits."""
    content = MAGIC + header + body
    path.write_bytes(content + key.signing.sign(hashlib.sha256(content).digest()))
    return path


def test_what_was_written_is_read_again(path: Path):
    found = package.check(path)
    assert found.hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.header.places == rolls.PLACES
    assert found.header.made_at == rolls.MADE_AT
    assert np.concatenate(list(found.blocks())).tobytes() == ROWS.tobytes()
    assert next(package.blocks(path))[0] == ROWS[0]


def test_its_counts_are_of_persons_and_of_receipts_apart(path: Path):
    assert dict(package.check(path).header.counts) == {
        "read": 4, "good": 4, "refused": 0, "doubtful": 0, "persons": 4, "registered": 3, "ask_station": 1,
        "suppressed": 1, "canaries": 0, "receipts": 4,
    }  # fmt: skip


def test_nothing_personal_is_in_the_file(path: Path):
    content = path.read_bytes()
    for voter in CAST:
        for text in (voter.name, voter.number, voter.receipt):
            assert text.encode() not in content


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A package of one voter."""
    rolls.write(
        tmp_path / "small.roll", KEY, rolls.rows(KEY.digest, [LIN_YAN], places=1), places=rolls.PLACES[:1]
    )
    return tmp_path / "small.roll"


def test_every_altered_byte_is_noticed(small: Path):
    path, content = small, small.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert refused(path) in {"foreign", "header", "large", "shortened", "longer", "altered"}


def test_every_cut_is_noticed(small: Path):
    path, content = small, small.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert refused(path) in {"foreign", "header", "shortened"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: b"PK\x03\x04" + content, "foreign"),
        (lambda content: b"", "foreign"),
        (lambda content: content + b"\0", "longer"),
        (lambda content: content[:-1], "shortened"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "altered"),
        (lambda content: content[:-65] + bytes([content[-65] ^ 1]) + content[-64:], "altered"),
    ],
    ids=["another kind", "empty", "a byte more", "a byte less", "another signature", "another last row"],
)
def test_what_is_wrong_is_named(path: Path, change: Callable[[bytes], bytes], reason: str):
    path.write_bytes(change(path.read_bytes()))
    assert refused(path) == reason


def test_a_file_that_is_not_there(tmp_path: Path):
    assert refused(tmp_path / "none.roll") == "missing"
    assert refused(tmp_path) == "missing"


@pytest.mark.parametrize(
    "line",
    [
        b"{}\n",
        b"[" * 100_000 + b"\n",
        b"[]\n",
        b"no json\n",
        b'{"rows":' + b"9" * 5_000 + b"}\n",
        b"\xff\xfe\n",
    ],
    ids=["no fields", "deep", "a list", "words", "a huge number", "no text"],
)
def test_a_header_of_anything_is_refused(tmp_path: Path, line: bytes):
    assert refused(signed(tmp_path / "x.roll", line, b"")) == "header"


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": -1},
        {"rows": True},
        {"rows": 1.0},
        {"rows": 2**31},
        {"package_id": "x" * 32},
        {"signer": "ab"},
        {"election": ""},
        {"election": "东" * 81},
        {"election": "东浦\x00区"},
        {"made_at": "2026-11-19T08:00:00"},
        {"made_at": "2026-11-19T16:00:00+08:00"},
        {"made_at": "yesterday"},
        {"places": [["第一选区", "12-01"]]},
        {"places": [["第一选区", "1" * 17, ""]]},
        {"places": [["第一选区", 12, ""]]},
        {"counts": {"read": 1}},
        {"names": ["nobody's"]},
    ],
    ids=str,
)
def test_each_field_of_the_header_is_held_to_its_form(tmp_path: Path, changes: dict[str, object]):
    fields = json.loads(rolls.header(KEY, ROWS).line()) | changes
    line = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    assert refused(signed(tmp_path / "x.roll", line, ROWS.tobytes())) == "header"


def test_the_header_has_one_way_to_be_written(tmp_path: Path):
    line = rolls.header(KEY, ROWS).line()
    for other in (line.replace(b",", b", "), line.replace(b"{", b'{"rows":1,', 1)):
        assert refused(signed(tmp_path / "x.roll", other, ROWS.tobytes())) == "header"


def test_absurd_sizes_are_refused_before_anything_is_read(tmp_path: Path):
    line = rolls.header(KEY, ROWS, rows=package.MOST_ROWS + 1).line()
    assert refused(signed(tmp_path / "x.roll", line, b"")) == "large"
    (tmp_path / "y.roll").write_bytes(MAGIC + b" " * (package.LONGEST_HEADER + 2))
    assert refused(tmp_path / "y.roll") == "large"
    line = rolls.header(KEY, ROWS, rows=package.MOST_ROWS).line()
    assert refused(signed(tmp_path / "x.roll", line, ROWS.tobytes())) == "shortened"


def bodies() -> Iterator[Block]:
    yield ROWS[::-1]
    yield np.concatenate([ROWS[:1], ROWS[:-1]])
    for field, value in (("place", len(rolls.PLACES)), ("mark", 16)):
        changed = ROWS.copy()
        changed[field][3] = value
        yield changed


@pytest.mark.parametrize("body", list(bodies()), ids=["unsorted", "twice", "no such place", "no such mark"])
def test_rows_that_break_the_rules_are_refused_though_signed(tmp_path: Path, body: Block):
    line = rolls.header(KEY, body).line()
    assert refused(signed(tmp_path / "x.roll", line, body.tobytes())) == "rows"
    with pytest.raises(BadPackage, match=r"roll_package\.rows"):
        package.write(tmp_path / "y.roll", rolls.header(KEY, body), [body], KEY)


def test_counts_that_do_not_fit_the_rows_are_refused(tmp_path: Path):
    sound = rolls.header(KEY, ROWS)
    header = dataclasses.replace(sound, counts={**sound.counts, "persons": 5})
    assert refused(signed(tmp_path / "x.roll", header.line(), ROWS.tobytes())) == "counts"
    with pytest.raises(BadPackage, match=r"roll_package\.counts"):
        package.write(tmp_path / "y.roll", header, [ROWS], KEY)


def test_order_holds_across_blocks(tmp_path: Path):
    header = rolls.header(KEY, ROWS)
    with pytest.raises(BadPackage, match=r"roll_package\.rows"):
        package.write(tmp_path / "x.roll", header, [ROWS[4:], ROWS[:4]], KEY)
    package.write(tmp_path / "x.roll", header, [ROWS[:4], ROWS[:0], ROWS[4:]], KEY)
    assert package.check(tmp_path / "x.roll").header == header


def test_a_package_appears_whole_or_not_at_all(tmp_path: Path, path: Path):
    def breaking() -> Iterator[Block]:
        yield ROWS[:4]
        raise RuntimeError("the stick was pulled")

    before = path.read_bytes()
    with pytest.raises(RuntimeError):
        package.write(path, rolls.header(KEY, ROWS), breaking(), KEY)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.roll"]


def test_a_header_that_names_other_keys_is_not_signed(tmp_path: Path):
    with pytest.raises(ValueError, match="other keys"):
        package.write(tmp_path / "x.roll", rolls.header(KEY, ROWS), [ROWS], keys.make(rolls.ELECTION))


def test_a_file_that_changes_after_the_check_is_noticed_at_its_end(path: Path):
    found = package.check(path)
    other = rolls.rows(KEY.digest, [LIN_YAN, HE_JIE, OUYANG, AYGUL])
    rolls.write(path, KEY, other)
    with pytest.raises(BadPackage, match=r"roll_package\.altered"):
        list(found.blocks())


def many(count: int) -> Block:
    dice = np.random.default_rng(count)
    made = np.zeros(count, RECORD)
    made["digest"] = dice.integers(0, 256, (count, 16), dtype=np.uint8)
    made["mark"] = Mark.REGISTERED
    made.sort(order="digest")
    return made


def test_checking_takes_the_same_memory_for_any_size(tmp_path: Path):
    peaks = []
    for count in (package.BLOCK, package.BLOCK * 8):
        block = many(count)
        package.write(tmp_path / "x.roll", header_of(block), [block], KEY)
        tracemalloc.start()
        package.check(tmp_path / "x.roll")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.3


def header_of(block: Block) -> Header:
    return rolls.header(KEY, block, made_at=datetime(2026, 11, 19, 8, 0, 0, 5, tzinfo=UTC))


def test_digests_that_end_in_zeros_keep_their_length(tmp_path: Path):
    block = many(3)
    block["digest"][:, 8:] = 0
    package.write(tmp_path / "x.roll", header_of(block), [block], KEY)
    size = len(MAGIC) + len(header_of(block).line()) + 3 * RECORD.itemsize + SIGNATURE
    assert (tmp_path / "x.roll").stat().st_size == size
