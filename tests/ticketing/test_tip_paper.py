"""The printed tip: sizes, fonts, heads, marks, numbering as the standard has them; the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.shared import Mm, RGBColor

from knowledge.tips import TipHead
from ticketing import tip_paper
from ticketing.tip_paper import PaperFacts
from ticketing.tip_paper_facts import Attachment, Part, lines
from ticketing.tip_paper_form import TEMPLATE, eighths, form, twips, width

AT = datetime(2026, 11, 20, 4, 5, 7, tzinfo=UTC)
DRAFT = "未签发，不作为正式文件"
TOLD = PaperFacts(
    key="work_tip:3",
    at=AT,
    head=TipHead.PLAIN,
    office="东浦区选举委员会办公室",
    title="关于尚未编制门牌号的登记地址填写的提示",
    number="第3期",
    addressed_to="各选举工作组、各镇选举委员会",
    chain="本期替代第2期",
    parts=(
        Part("一、来由", ("共收到相似咨询23件。",)),
        Part(
            "二、统一口径",
            ("（一）有楼号的。照楼号填写。", "（二）只有地块名称的", "（三）" + "长" * 50 + "。好"),
        ),
        Part("三、操作步骤", ("1. 核对合同；", "（1） 没有的写“待定”。", "12:00 前报送")),
    ),
    attachments=(Attachment("填写示例", ("示例一。",)), Attachment("", ("小区一览表", "1. 书香苑"))),
    dated=date(2026, 1, 5),
    printed=date(2026, 1, 6),
    note="仅供内部工作使用",
    copied_to="区委办公室",
    people=("拟稿：李强", "签发：王芳"),
    print_run=50,
)
RED = replace(
    TOLD, head=TipHead.RED, document_no="东选办〔2026〕3号", issue="工作提示2026年第3期"
)  # fmt: skip


def opened(told: PaperFacts) -> Any:
    return Document(io.BytesIO(tip_paper.paper(told)))


def texts(paper: Any) -> list[str]:
    return [paragraph.text for paragraph in paper.paragraphs]


def found(paper: Any, text: str) -> Any:
    return next(paragraph for paragraph in paper.paragraphs if paragraph.text == text)


def font(style: Any) -> str:
    return str(style.element.rPr.rFonts.get(qn("w:eastAsia")))


def after(paper: Any, text: str) -> list[str]:
    said = texts(paper)
    return said[said.index(text) + 1 :]


def test_page_grid_and_foot_are_those_of_the_standard() -> None:
    paper = opened(TOLD)
    (section,) = paper.sections
    assert [section.page_width, section.page_height] == [pytest.approx(Mm(n), abs=700) for n in (210, 297)]
    margins = [section.top_margin, section.bottom_margin, section.left_margin, section.right_margin]
    assert margins == [pytest.approx(Mm(n), abs=700) for n in (37, 35, 28, 26)]
    grid = section._sectPr.find(qn("w:docGrid"))
    assert (grid.get(qn("w:type")), grid.get(qn("w:linePitch"))) == ("linesAndChars", "579")
    pitch, space = int(grid.get(qn("w:linePitch"))), int(grid.get(qn("w:charSpace")))
    assert 22 * pitch <= twips(225) < 23 * pitch
    room = twips(210) - twips(28) - twips(26)
    assert 28 * (320 + space * 20 / 4096) <= room < 29 * (320 + space * 20 / 4096)
    normal = paper.styles["Normal"]
    assert normal.paragraph_format.line_spacing.pt == pytest.approx(28.95)
    (spacing,) = normal.element.rPr.findall(qn("w:spacing"))
    assert 28 * (320 + int(spacing.get(qn("w:val")))) <= room
    assert (normal.font.size.pt, font(normal), normal.font.name) == (16, "仿宋_GB2312", "仿宋_GB2312")
    # The dash, in the middle of its line, is 7 mm below the type area; the number stands outside.
    line = paper.styles["TipFoot"].paragraph_format.line_spacing
    assert Mm(35) - section.footer_distance - line / 2 == pytest.approx(Mm(7), abs=Mm(0.1))
    assert paper.settings.odd_and_even_pages_header_footer
    assert (font(paper.styles["TipFoot"]), paper.styles["TipFoot"].font.size.pt) == ("宋体", 14)
    for footer, aligned, side in ((section.footer, 2, "right"), (section.even_page_footer, 0, "left")):
        (number,) = footer.paragraphs
        assert (number.text.replace("1", "").split(), number.alignment) == (["—", "—"], aligned)
        assert number._p.pPr.ind.get(qn(f"w:{side}Chars")) == "100"
        assert [one.get(qn("w:instr")) for one in number._p.findall(qn("w:fldSimple"))] == ["PAGE"]


def test_head_a_has_series_number_editor_and_date_above_the_rule() -> None:
    paper = opened(TOLD)
    said = texts(paper)
    assert said[:3] == ["", "选民登记工作提示", "第3期"]
    last = found(paper, "\t东浦区选举委员会办公室\t2026年1月5日")
    assert last._p.pPr.find(qn("w:pBdr")) is not None
    assert last._p.pPr.ind is None, "a rule is as wide as its paragraph"
    assert after(paper, last.text)[:5] == [
        "", "", TOLD.title, "（本期替代第2期）", "",
    ]  # fmt: skip
    assert after(paper, "（本期替代第2期）")[:3] == ["", "各选举工作组、各镇选举委员会：", "一、来由"]
    title = found(paper, TOLD.title)
    assert (font(title.style), title.style.font.size.pt) == ("方正小标宋简体", 22)
    assert title.style.paragraph_format.alignment == 1
    assert opened(replace(TOLD, number="", dated=None)).paragraphs[2].text == "第　　期"


def test_head_b_is_red_35_millimetres_down_with_its_rule_4_below_the_number() -> None:
    paper = opened(RED)
    space, mark, *rest = paper.paragraphs
    assert space.paragraph_format.line_spacing == pytest.approx(Mm(35), abs=700)
    assert mark.text == "东浦区选举委员会办公室文件"
    assert mark.runs[0].font.color.rgb == RGBColor(255, 0, 0)
    assert width(mark.text) * mark.runs[0].font.size.pt * 20 <= form().room
    assert [one.text for one in rest[:6]] == ["", "", RED.document_no, "", "", RED.title]
    edge = rest[2]._p.pPr.find(qn("w:pBdr"))[0]
    told = {key: edge.get(qn(f"w:{key}")) for key in ("color", "space", "val")}
    assert told == {"color": "FF0000", "space": "11", "val": "single"}
    # 期号 stands below the title, not beside 发文字号; what it replaces stands with it.
    chain = "（工作提示2026年第3期；本期替代第2期）"
    assert after(paper, RED.title)[:2] == [chain, ""]
    assert found(paper, chain).style.name == "TipChain"
    assert "（工作提示2026年第3期）" in texts(opened(replace(RED, chain="")))
    unnumbered = opened(replace(RED, issue="", chain=""))
    assert after(unnumbered, RED.title)[:2] == ["", "各选举工作组、各镇选举委员会："]
    # 份号 and 密级 take the first lines; the mark does not move.
    marked = opened(replace(RED, copy_no="000012", classification="秘密★1年"))
    assert texts(marked)[:2] == ["000012", "秘密★1年"]
    assert font(marked.paragraphs[1].style) == "黑体"
    down = marked.paragraphs[2].paragraph_format.line_spacing + 2 * Mm(225 / 22)
    assert down == pytest.approx(Mm(35), abs=Mm(0.1))
    crowded = opened(replace(RED, office="很长的名称" * 12))
    assert crowded.paragraphs[1].runs[0].font.size.pt == form().red.smallest


def test_levels_have_their_fonts_and_two_characters_of_indent() -> None:
    paper = opened(TOLD)
    for text, style, name in (
        ("一、来由", "TipLevel1", "黑体"), ("（二）只有地块名称的", "TipLevel2", "楷体_GB2312"),
        ("1.核对合同；", "TipText", "仿宋_GB2312"), ("（1）没有的写“待定”。", "TipText", "仿宋_GB2312"),
        ("12:00 前报送", "TipText", "仿宋_GB2312"),
    ):  # fmt: skip
        line = found(paper, text)
        assert (line.style.name, font(line.style)) == (style, name)
        assert line.style.element.pPr.ind.get(qn("w:firstLineChars")) == "200"
    lead, rest = found(paper, "（一）有楼号的。照楼号填写。").runs
    assert (lead.text, font(lead.style), rest.text) == ("（一）有楼号的。", "楷体_GB2312", "照楼号填写。")
    assert len(found(paper, TOLD.parts[1].lines[2]).runs) == 1
    assert [text for text in texts(paper) if text[:2] in ("一、", "二、", "三、")] == [
        "一、来由", "二、统一口径", "三、操作步骤",
    ]  # fmt: skip


def test_attachments_are_named_below_the_text_and_each_begins_a_page() -> None:
    paper = opened(TOLD)
    assert after(paper, "12:00 前报送")[:3] == ["", "附件：1.填写示例", "2.小区一览表"]
    assert found(paper, "附件：1.填写示例")._p.pPr.ind.get(qn("w:leftChars")) == "600"
    for head, title in (("附件1", "填写示例"), ("附件2", "小区一览表")):
        assert found(paper, head).paragraph_format.page_break_before
        assert (font(found(paper, head).style), after(paper, head)[:3]) == ("黑体", ["", title, ""])
    assert after(paper, "附件2")[3:] == ["1.书香苑", ""]
    alone = texts(opened(replace(TOLD, attachments=TOLD.attachments[:1])))
    assert "附件：填写示例" in alone
    assert "附件" in alone


def test_an_attachment_without_text_is_listed_and_takes_no_page() -> None:
    empty = Attachment("小区一览表", ())
    paper = opened(replace(TOLD, attachments=(TOLD.attachments[0], empty, Attachment("流程图", ("一",)))))
    assert after(paper, "12:00 前报送")[1:4] == ["附件：1.填写示例", "2.小区一览表", "3.流程图"]
    heads = [text for text in texts(paper) if re.fullmatch(r"附件\d*", text)]
    assert heads == ["附件1", "附件3"]
    alone = opened(replace(TOLD, attachments=(empty,)))
    assert not [one for one in alone.paragraphs if one.paragraph_format.page_break_before]


def test_signature_leaves_room_for_the_seal_and_an_unsigned_one_for_the_date() -> None:
    paper = opened(TOLD)
    said = after(paper, "2.小区一览表")
    assert said[:6] == ["", "", "", TOLD.office, "2026年1月5日", "（仅供内部工作使用）"]
    day = found(paper, "2026年1月5日")
    assert (day.alignment, day._p.pPr.ind.get(qn("w:rightChars"))) == (2, "400")
    assert "　　　　年　　月　　日" in texts(opened(replace(TOLD, dated=None)))


def test_closing_stands_at_the_foot_between_rules() -> None:
    (table,) = opened(TOLD).tables
    said = [row.cells[0].text for row in table.rows]
    assert said == [
        "抄送：区委办公室。",
        "东浦区选举委员会办公室\t2026年1月6日印发",
        "拟稿：李强　签发：王芳\t（共印50份）",
    ]
    place = table._tbl.tblPr.find(qn("w:tblpPr"))
    assert (place.get(qn("w:tblpYSpec")), place.get(qn("w:vertAnchor"))) == ("bottom", "margin")
    rules = [
        [edge.get(qn("w:sz")) for edge in cell.iter(qn("w:top"), qn("w:bottom"))]
        for cell in table._tbl.iter(qn("w:tc"))
    ]
    assert rules == [["8", "6"], ["6", "8"], []]
    assert eighths(0.35) == 8
    style = table.cell(0, 0).paragraphs[0].style
    assert (font(style), style.font.size.pt) == ("仿宋_GB2312", 14)


def test_the_mark_stands_on_every_page_and_only_while_there_is_one() -> None:
    for mark in (DRAFT, "本期已由第5期替代", ""):
        paper = opened(replace(RED, mark=mark))
        for section in paper.sections:
            heads = (section.header, section.even_page_header)
            assert [[one.text for one in head.paragraphs] for head in heads] == [[mark], [mark]]
            assert not any(head.is_linked_to_previous for head in heads)
            assert not section.different_first_page_header_footer


def test_what_is_empty_is_left_out() -> None:
    bare = PaperFacts("work_tip:1", AT, TipHead.RED, "东浦区选举办", "题")
    paper = opened(bare)
    said = [text for text in texts(paper) if text.strip()]
    assert said == ["东浦区选举办文件", "题", "东浦区选举办", "　　　　年　　月　　日"]
    assert [row.cells[0].text for row in paper.tables[0].rows] == ["东浦区选举办\t　　　　年　　月　　日印发"]


def test_same_facts_same_bytes_and_nothing_embedded() -> None:
    packed = tip_paper.paper(TOLD)
    assert packed == tip_paper.paper(replace(TOLD))
    with zipfile.ZipFile(io.BytesIO(packed)) as parts:
        names = parts.namelist()
        table = parts.read("word/fontTable.xml").decode()
        settings = parts.read("word/settings.xml").decode()
        whole = "".join(parts.read(name).decode() for name in names if name.endswith((".xml", ".rels")))
        assert {part.date_time for part in parts.infolist()} == {(2026, 11, 20, 12, 5, 6)}
    assert not [name for name in names if "fonts/" in name or name.endswith((".jpeg", ".odttf"))]
    assert "embed" not in settings
    assert 'w:altName w:val="仿宋,FangSong,华文仿宋"' in table
    assert not re.search("python-docx|thumbnail", whole)
    told = Document(io.BytesIO(packed)).core_properties
    assert (told.title, told.author, told.identifier) == (TOLD.title, TOLD.office, "work_tip:3")


def test_elements_stand_in_the_order_of_the_schema() -> None:
    orders = {
        "pPr": "pStyle keepNext keepLines pageBreakBefore widowControl pBdr tabs autoSpaceDE autoSpaceDN"
        " snapToGrid spacing ind jc outlineLvl rPr sectPr",
        "rPr": "rStyle rFonts b bCs i iCs color spacing sz szCs lang",
        "tblPr": "tblpPr tblOverlap tblW tblInd tblLayout tblCellMar",
        "tcPr": "tcW tcBorders",
        "sectPr": "headerReference footerReference pgSz pgMar cols docGrid",
    }  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(tip_paper.paper(replace(RED, mark=DRAFT)))) as parts:
        names = [name for name in parts.namelist() if re.match("word/[a-z]+[12]?.xml", name)]
        roots = [parse_xml(parts.read(name)) for name in names]
    seen = set()
    for root in roots:
        for one in root.iter(*(qn(f"w:{name}") for name in orders)):
            name = one.tag.rpartition("}")[2]
            places = [orders[name].split().index(child.tag.rpartition("}")[2]) for child in one]
            assert places == sorted(places), [child.tag for child in one]
            seen.add(name)
    assert seen == set(orders)


def test_any_text_comes_out_as_it_was_and_long_ones_do_not_hurt() -> None:
    nasty = "<b>&amp; _x_ *y* ]]> 😀👨‍👩‍👧 “引” \x00\x07\u202e𠮷"
    (clean,) = lines(nasty)
    assert clean == "<b>&amp; _x_ *y* ]]> 😀👨‍👩‍👧 “引” 𠮷"
    assert lines(" 一\r\n\r\n 二\t三 \n") == ("一", "二 三")
    told = replace(
        TOLD, title=clean * 6, addressed_to=clean, copied_to=clean, mark=clean, office=clean, chain=clean,
        parts=(Part(clean, ("字" * 6000, clean)),), attachments=(Attachment(clean, (clean,)),),
    )  # fmt: skip
    said = texts(opened(told))
    assert {clean * 6, "字" * 6000, clean, f"（{clean}）", f"{clean}："} <= set(said)


def test_settings_that_no_paper_can_be_made_from_are_refused(tmp_path: Any) -> None:
    told = TEMPLATE.read_text(encoding="utf-8")
    for old, new in (
        ('"FF0000"', '"red"'),
        ("lines: 22", "rows: 22"),
        ("left: 28", "left: 190"),
        ("top: 35,", ""),
    ):
        file = tmp_path / "tip_paper.yaml"
        file.write_text(told.replace(old, new, 1), encoding="utf-8")
        form.cache_clear()
        with pytest.raises(ValueError, match="tip_paper"):
            form(file)
    form.cache_clear()
