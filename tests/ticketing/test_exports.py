"""Exports: one snapshot, the same bytes; guarded cells, marks, reasons, the audit, checking a file."""

from __future__ import annotations

import io
import string
import zipfile
from datetime import datetime, timedelta

import pytest
from docx import Document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from office import audit
from office.cells import guarded, plain, written
from office.errors import Invalid, NotFound, NotPermitted
from office.seal import Sealer
from office.store import Store
from tests.conftest import NOW
from tests.make import Cast
from tests.ticketing.work import opened
from ticketing import export_files, export_rows, exports, queue, record_sheet, tickets
from ticketing.export_rows import Cell, Form, Marks, Sheet, Snapshot
from ticketing.filters import ALL_STATES, Filter

FILES = (Form.DOCX, Form.XLSX, Form.CSV)
# What spreadsheets calculate, what XML cannot hold, what an own escape might swallow.
NASTY = st.text(
    st.one_of(
        st.sampled_from("=+-@＝＋－＠﹢−'\"\t\r\n\v\0\x1f \u3000\u200b\ufeff&<>;,_x0041_"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=30,
)


def snapshot(rows: list[tuple[Cell, ...]], heads: tuple[str, ...] = ("编号", "问题", "数")) -> Snapshot:
    made = export_rows.sheet(
        "试验表", heads, rows, [1] * len(heads), notes=("条件：全部",), signatures=("填表",)
    )
    digest = export_rows.digest(made.heads, made.rows)
    return Snapshot(made, Marks("李强", NOW, 17, digest, "试验"), "")


@given(NASTY)
def test_the_apostrophe_comes_off_again(text: str) -> None:
    assert plain(guarded(text)) == text
    assert guarded(text) in (text, f"'{text}")


@given(st.text("  \u3000\u200b\ufeff", max_size=3), st.sampled_from("=+-@＝＋－＠'\t\n\r"), NASTY)
def test_whatever_a_spreadsheet_would_calculate_is_guarded(before: str, sign: str, after: str) -> None:
    assert guarded(before + sign + after).startswith("'")


@given(NASTY)
def test_a_written_text_stays_as_it_is(text: str) -> None:
    once = written(text)
    assert written(once) == once
    assert not set(once) & set("\r\t\0\v")


@pytest.mark.parametrize("form", FILES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(NASTY, NASTY, st.integers(0, 10**6)), max_size=4))
def test_every_export_gives_its_rows_back(form: Form, rows: list[tuple[str, str, int]]) -> None:
    made = snapshot(rows)  # type: ignore[arg-type]
    held = export_files.read(exports.file(made, form))
    assert held.heads == made.sheet.heads
    assert held.rows == tuple(tuple(map(str, row)) for row in made.sheet.rows)
    assert (held.snapshot, held.shown) == (17, made.marks.digest[:12])
    assert held.digest == made.marks.digest


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(NASTY, NASTY, NASTY), min_size=1, max_size=3))
def test_no_cell_is_a_formula_or_a_link(rows: list[tuple[str, str, str]]) -> None:
    made = snapshot(rows)  # type: ignore[arg-type]
    with zipfile.ZipFile(io.BytesIO(exports.file(made, Form.XLSX))) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    for line in exports.file(made, Form.CSV).decode("utf-8-sig").splitlines():
        assert line.strip('"')[:1] not in ("=", "+", "-", "@", "＝")


@pytest.mark.parametrize("form", FILES)
def test_one_snapshot_gives_the_same_bytes(form: Form) -> None:
    made = snapshot([("DP-1120-01-A", "问", 3)])
    content = exports.file(made, form)
    assert exports.file(made, form) == content
    if form is Form.CSV:
        return
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        # The snapshot's moment in Beijing, nothing of when the file was packed.
        assert {entry.date_time for entry in packed.infolist()} == {(2026, 11, 20, 10, 5, 0)}
        core = packed.read("docProps/core.xml").decode()
    assert core.count("2026-11-20T02:05:00Z") >= 2


@pytest.mark.parametrize("form", FILES)
def test_the_marks_stand_on_the_file(form: Form) -> None:
    made = snapshot([("DP-1120-01-A", "问", 3)])
    content = exports.file(made, form)
    marks = "导出人：李强 · 时间：2026-11-20 10:05:00（北京时间） · 快照号：17 · 内容校验："
    if form is Form.CSV:
        assert marks in content.decode("utf-8-sig")
    elif form is Form.XLSX:
        rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
        assert marks in rows[2][0]
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            printed = packed.read("xl/worksheets/sheet1.xml").decode()
        assert f"<oddHeader>&amp;L&amp;8{marks}" in printed
        assert "第 &amp;P 页 / 共 &amp;N 页" in printed
    else:
        (section,) = Document(io.BytesIO(content)).sections
        assert marks in section.header.paragraphs[0].text
        footer = section.footer.paragraphs[0]._p.xml
        assert "填表：＿" in footer
        assert 'w:instr="PAGE"' in footer
        assert 'w:instr="NUMPAGES"' in footer


def test_a_text_with_ampersands_gives_no_command_in_the_head_of_a_page() -> None:
    made = snapshot([("1", "2", 3)])
    marked = Snapshot(made.sheet, Marks("李强", NOW, 17, made.marks.digest, "a&P&" * 60), "")
    with zipfile.ZipFile(io.BytesIO(exports.file(marked, Form.XLSX))) as packed:
        printed = packed.read("xl/worksheets/sheet1.xml").decode()
    assert "a&amp;&amp;P" in printed
    assert len(printed.split("<oddHeader>")[1].split("</oddHeader>")[0].replace("&amp;", "&")) <= 255


def changed(content: bytes, form: Form, before: str, after: str) -> bytes:
    """The file with a text replaced in it, as somebody would who edits it."""
    if form is Form.CSV:
        return content.decode("utf-8-sig").replace(before, after).encode("utf-8-sig")
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(made, "w") as again:
        for name in packed.namelist():
            again.writestr(name, packed.read(name).replace(before.encode(), after.encode()))
    return made.getvalue()


async def export(store: Store, cast: Cast, now: datetime, form: Form = Form.XLSX, **more: str) -> Snapshot:
    """What 李强 exports of all tickets."""
    async with store.transaction() as session:
        found = await queue.matching(session, cast.li_qiang, Filter(states=ALL_STATES), now=now, most=100)
        sheet = await record_sheet.sheet(session, found, sealer=Sealer(b"test"))
        return await exports.make(
            session, record_sheet.WHAT, sheet, form=form, filters={"view": "all"},
            purpose=more.get("purpose", ""), actor=cast.li_qiang, now=now,
        )  # fmt: skip


async def test_an_export_while_records_change_is_told_apart_by_its_number(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now)
    first = await export(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.take(session, found, actor=cast.li_qiang, now=now)
    second = await export(store, cast, now + timedelta(seconds=1))
    assert first.marks.snapshot != second.marks.snapshot
    assert first.marks.digest != second.marks.digest
    for made in (first, second):
        for form in FILES:
            async with store.reading() as session:
                verdict = await exports.verify(session, exports.file(made, form))
            assert verdict.good
            assert (verdict.export.id, verdict.who) == (made.marks.snapshot, "李强")
    async with store.reading() as session:
        made_of = select(audit.AuditEntry).where(audit.AuditEntry.action == "export.make")
        entries = (await session.scalars(made_of)).all()
    assert [entry.subject for entry in entries] == [f"export:{one.marks.snapshot}" for one in (first, second)]
    assert entries[0].facts == {
        "what": "record_sheet", "form": "xlsx", "rows": 1, "digest": first.marks.digest,
        "filters": {"view": "all"},
    }  # fmt: skip


@pytest.mark.parametrize("form", FILES)
async def test_a_changed_file_is_found_out(store: Store, cast: Cast, now: datetime, form: Form) -> None:
    ticket = await opened(store, cast, now)
    made = await export(store, cast, now)
    other = await export(store, cast, now, purpose="别的用途")
    content = exports.file(made, form)
    async with store.reading() as session:
        words = changed(content, form, "门牌号", "门派号")
        assert not (await exports.verify(session, words)).whole
        head = changed(content, form, "问题原话", "问题摘要")
        assert not (await exports.verify(session, head)).whole
        mark = changed(content, form, made.marks.digest[:12], "0" * 12)
        assert not (await exports.verify(session, mark)).good
        number = changed(content, form, f"快照号：{made.marks.snapshot}", f"快照号：{other.marks.snapshot}")
        assert (await exports.verify(session, number)).good == (made.marks.digest == other.marks.digest)
        unknown = changed(content, form, f"快照号：{made.marks.snapshot}", "快照号：9999")
        with pytest.raises(NotFound, match=r"export\.unknown"):
            await exports.verify(session, unknown)
    assert ticket.ticket_no


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"PK\x03\x04rubbish", b"\xff\xfe\x00", b"a,b\r\nc,d\r\n", b"x" * 100]
)
def test_what_is_no_export_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match=r"export\.(unreadable|no_marks)|station_file"):
        export_files.read(content)


async def test_many_rows_need_a_reason_and_a_form_that_can_hold_them(
    store: Store, cast: Cast, now: datetime
) -> None:
    rows = [("1", "2", 3)] * 1001
    sheet: Sheet = snapshot(rows).sheet  # type: ignore[arg-type]

    async def tried(sheet: Sheet, form: Form, purpose: str) -> Snapshot:
        async with store.transaction() as session:
            return await exports.make(
                session, "x", sheet, form=form, filters={}, purpose=purpose, actor=cast.li_qiang, now=now
            )

    with pytest.raises(Invalid, match=r"export\.reason_needed"):
        await tried(sheet, Form.XLSX, "  ")
    made = await tried(sheet, Form.XLSX, "月度归档 13800138000")
    assert made.marks.purpose == "月度归档 ［号码已隐去］"
    long = Sheet(**{name: getattr(sheet, name) for name in sheet.__slots__} | {"rows": sheet.rows * 2})
    with pytest.raises(Invalid, match=r"export\.rows"):
        await tried(long, Form.DOCX, "归档")
    async with store.reading() as session:
        assert [row.rows for row, _ in await exports.listed(session, cast.li_qiang)] == [1001]


async def test_who_may_not_export_gets_nothing(store: Store, cast: Cast, now: datetime) -> None:
    for person in (cast.sun_jie, cast.zhou_ning):
        async with store.transaction() as session:
            with pytest.raises(NotPermitted):
                await exports.make(
                    session,
                    "x",
                    snapshot([]).sheet,
                    form=Form.CSV,
                    filters={},
                    purpose="",
                    actor=person,
                    now=now,
                )
            with pytest.raises(NotPermitted):
                await exports.listed(session, person)


async def test_others_exports_are_listed_within_reach(store: Store, cast: Cast, now: datetime) -> None:
    await export(store, cast, now)
    async with store.reading() as session:
        assert [name for _, name in await exports.listed(session, cast.wang_fang)] == ["李强"]
        assert await exports.listed(session, cast.zhao_lei) == []


def test_file_names_tell_nothing() -> None:
    name = exports.file_name("record_sheet", snapshot([]), Form.DOCX)
    assert name == "record_sheet-17.docx"
    assert not set(name) - set(string.ascii_letters + string.digits + "_-.")
