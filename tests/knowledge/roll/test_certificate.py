"""The certificate: what was done and nothing more, the same bytes for the same facts."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from typing import Any

import pytest
from docx import Document

from knowledge.roll import certificate
from knowledge.roll.key_end import KeyEnd
from knowledge.roll.records import PurgeState, RollPurge

AT = datetime(2027, 1, 29, 2, 5, tzinfo=UTC)
OFFICE = "东浦区选举委员会办公室"


def a_purge(end: KeyEnd = KeyEnd.DESTROYED, storage: str = "done", **changes: Any) -> RollPurge:
    facts: dict[str, Any] = {
        "election_day": "2026-12-29",
        "early": "",
        "deleted": {
            "rows": 10_000_000, "places": 120, "suppressions": 3, "receipt_stops": 41, "links": 2,
            "tickets": 7,
        },
        "packages": [{"hash": "ab" * 32, "rows": 10_000_000, "made_at": "2026-11-19T08:00:00+00:00",
                      "applied_at": ""}],
        "key_ids": ["0123456789abcdef"],
        "asked_by": "王芳",
        "done_by": "冯一",
        "key": {"end": end.value, "why": "PermissionError", "at": AT.isoformat()},
        "storage": storage,
    }  # fmt: skip
    return RollPurge(
        id=1, state=PurgeState.DONE, election="东浦区2026", asked_by_id=1, asked_at=AT,
        basis="选举委员会决定", done_by_id=2, done_at=AT, facts=facts | changes,
    )  # fmt: skip


def told(content: bytes) -> str:
    sheet = Document(io.BytesIO(content))
    cells = [cell.text for table in sheet.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in sheet.paragraphs), *cells])


def test_it_tells_what_went_who_did_it_and_what_is_left_to_do() -> None:
    text = told(certificate.document(a_purge(), OFFICE))
    for words in (
        "选民名册数据清除证书", "Certificate of the purge", "10,000,000", "ab" * 32, "0123456789abcdef",
        "王芳，2027-01-29 10:05", "冯一，2027-01-29 10:05", "2026年12月29日", "2027年3月5日",
        "已于2027-01-29 10:05覆盖并删除",
        "第一份保管人", "第二份保管人", "Keeper of the second half",
    ):  # fmt: skip
        assert words in text, words


def test_the_same_facts_give_the_same_bytes() -> None:
    first, second = (certificate.document(a_purge(), OFFICE) for _ in range(2))
    assert first == second
    assert certificate.document(a_purge(early="演练"), OFFICE) != first
    with zipfile.ZipFile(io.BytesIO(first)) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert packed.namelist()[0] == "[Content_Types].xml"


@pytest.mark.parametrize("end", [end for end in KeyEnd if end is not KeyEnd.DESTROYED])
def test_a_key_that_was_not_destroyed_is_not_claimed_to_be(end: KeyEnd) -> None:
    text = told(certificate.document(a_purge(end), OFFICE))
    assert "覆盖并删除" not in text
    assert "overwritten and removed" not in text


def test_files_that_still_hold_something_are_told() -> None:
    text = told(certificate.document(a_purge(storage=""), OFFICE))
    assert "可能残留" in text
    assert "may hold remains" in text


def test_what_was_only_asked_for_has_no_certificate() -> None:
    with pytest.raises(ValueError, match="not done"):
        certificate.document(a_purge_asked(), OFFICE)


def a_purge_asked() -> RollPurge:
    return RollPurge(id=1, election="东浦区2026", asked_by_id=1, asked_at=AT, basis="x", facts={})


def test_backups_end_after_thirty_five_days() -> None:
    assert (date(2027, 3, 5) - date(2027, 1, 29)).days == certificate.BACKUPS.days
