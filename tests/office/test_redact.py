"""What is taken out of text before it is kept or logged, and what must stay."""

import logging
import random
import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from office import redact
from office.redact import PLACEHOLDER, LogRedaction

# All numbers here are made up: no check digit is right, no region, station or bank is meant.
ID, OLD_ID, MOBILE, CARD = "310104199001010012", "310104900101001", "13812345678", "6222021234567890"


def gone(raw: str, *published: str) -> str:
    """The text after redaction, with the placeholder written short."""
    return redact.text(raw, published).text.replace(PLACEHOLDER, "▮")


# --- what is removed ---


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (ID, "id_number"),
        ("31010419900101001X", "id_number"),
        ("31010419900101001x", "id_number"),
        ("31010419900101001 Ｘ", "id_number"),
        ("31010419900101001Х", "id_number"),  # a Cyrillic letter
        (OLD_ID, "id_number"),
        ("31010419900101001", "id_number"),  # a digit forgotten
        ("31010419 9001-0100-1X", "id_number"),  # ends like a receipt code
        ("3 1 0 1 0 4 1 9 9 0 0 1 0 1 0 0 1 x", "id_number"),
        ("310104 19900101 0012", "id_number"),
        ("310104-19900101-001X", "id_number"),
        ("310104-1990-01-01-0012", "id_number"),
        ("310104\u201419900101\u20120012", "id_number"),
        ("310104 － 19900101 － 0012", "id_number"),
        ("310104\u300019900101\u00a00012", "id_number"),
        ("310104.19900101.0012", "id_number"),
        ("310104\n19900101\n0012", "id_number"),
        ("3 1 0 1 0 4 1 9 9 0 0 1 0 1 0 0 1 2", "id_number"),
        ("３１０１０４１９９００１０１００１Ｘ", "id_number"),
        ("٣١٠١٠٤١٩٩٠٠١٠١٠٠١٢", "id_number"),
        ("３１0104１990٠١01००12", "id_number"),
        ("三一〇一〇四一九九〇〇一〇一〇〇一二", "id_number"),
        ("叁壹零壹零肆壹玖玖零零壹零壹零零壹贰", "id_number"),
        ("三1〇1〇4一990零1零1001二", "id_number"),
        ("3\u200b1\u200b0104\ufeff199001\u200d010012", "id_number"),
        (ID + MOBILE, "id_number"),
        (MOBILE, "phone"),
        ("138 1234 5678", "phone"),
        ("138-1234-5678", "phone"),
        ("138·1234·5678", "phone"),
        ("1-3-8-1-2-3-4-5-6-7-8", "phone"),
        ("１３８—１２３４—５６７８", "phone"),
        ("138一1234一5678", "phone"),  # a dash turned into the digit one by the keyboard
        ("一三八一二三四五六七八", "phone"),
        ("幺三八幺二三四五六七八", "phone"),
        ("①③⑧①②③④⑤⑥⑦⑧", "phone"),
        ("1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "phone"),
        ("8613812345678", "phone"),
        ("0086-138-1234-5678", "phone"),
        ("013812345678", "phone"),
        ("021-12345678", "phone"),
        ("021 1234 5678", "phone"),
        ("02112345678", "phone"),
        ("(021)12345678", "phone"),
        ("（０２１）１２３４５６７８", "phone"),
        ("0 2 1 1 2 3 4 5 6 7 8", "phone"),
        ("0571-1234567", "phone"),
        ("021-12345678-801", "phone"),
        (CARD, "card"),
        ("6222 0212 3456 7890", "card"),
        ("6222 0212 3456 7890 123", "card"),
        ("6222021234567890123", "card"),
        ("45-71-16-54-02-84-55-62", "card"),
        ("E12345678", "passport"),
        ("e 1234 5678", "passport"),
        ("EA1234567", "passport"),
        ("Ｇ１２３４５６７８", "passport"),
        ("D12345678", "passport"),
        ("S12345678", "passport"),
        ("P12345678", "passport"),
        ("H12345678", "permit"),
        ("M1234567890", "permit"),
        ("H120261229", "permit"),
        ("C12345678", "permit"),
        ("L12345678", "permit"),
        ("T12345678", "permit"),
    ],
)
def test_personal_numbers_are_taken_out_and_counted(raw: str, kind: str) -> None:
    for before, after in (("", ""), ("我是张敏，", "，请查"), ("（", "）"), ("号码：", "\n谢谢")):
        found = redact.text(before + raw + after)
        assert found.text == f"{before}{PLACEHOLDER}{after}"
        assert found.counts == {kind: 1}
    assert redact.has_id_number(raw) is (kind == "id_number")


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        ("台胞证12345678", "台胞证▮"),
        ("臺胞證號碼：12345678", "臺胞證號碼：▮"),
        ("台湾居民来往大陆通行证：0123456789(B)", "台湾居民来往大陆通行证：▮"),
        ("通行证到期20261229", "通行证到期20261229"),
        ("护照 20261229 到期", "护照 20261229 到期"),
    ],
)
def test_a_permit_without_a_letter_is_known_by_the_word_before_it(raw: str, left: str) -> None:
    assert gone(raw) == left


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (f"{ID} {MOBILE}", "▮ ▮"),
        (f"{MOBILE}/{'13900001111'}", "▮/▮"),
        (f"2026-12-29 {MOBILE}", "2026-12-29 ▮"),
        (f"{MOBILE} 2026-12-29 8:30", "▮ 2026-12-29 8:30"),
        (f"12-03 {MOBILE}", "12-03 ▮"),
        (f"12-03 {ID} 2026-12-29", "12-03 ▮ 2026-12-29"),
        ("12-03 310104 19900101 001X", "12-03 ▮"),
        (f"DP-1120-07-K {MOBILE}", "DP-1120-07-K ▮"),
        (f"周一{MOBILE}打给我", "周一▮打给我"),
        (f"{MOBILE}一次也没接", "▮一次也没接"),
        (f"5 {MOBILE} 张敏", "5 ▮ 张敏"),
        (f"5 {MOBILE} 13900001111", "5 ▮ ▮"),
        (f"abc{MOBILE}def", "abc▮def"),
        (f"{ID} xiaoming", "▮ xiaoming"),
        (" ".join(ID) + " x 2", "▮ x 2"),
        ("12345 2026-12-29 12-03 310104-19900101-0012", "▮"),
    ],
)
def test_neighbours_stay_where_they_can_be_told_apart(raw: str, left: str) -> None:
    assert gone(raw) == left


def test_overlapping_finds_are_one_and_named_after_the_longest() -> None:
    # E with eight digits is a passport, the run of digits an identity number.
    found = redact.text("E12345678 1234567890")
    assert found.text == PLACEHOLDER
    assert found.counts == {"id_number": 1}


def test_numbers_of_all_kinds_are_counted() -> None:
    raw = f"{ID}，{OLD_ID}，{MOBILE}，{CARD}，E12345678，H12345678"
    counts = redact.text(raw).counts
    assert counts == {"id_number": 2, "phone": 1, "card": 1, "passport": 1, "permit": 1}


# --- what must stay ---


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "选民登记什么时候截止？",
        "2026-12-29",
        "20261229",
        "2026年12月29日",
        "二〇二六年十二月二十九日",
        "2026/12/29 2026/12/30",
        "2026.12.29-2026.12.30",
        "2026-10-01 2026-10-07",
        "20261001-20261007",
        "2026-10 2026-11 2026-12",
        "20261229173000",
        "2026-12-29 17:30:05.123",
        "8:30-11:30 13:30-17:30",
        "８：３０－１１：３０　１３：３０－１７：３０",
        "12-03",
        "12-03 12-04 12-05 12-06 12-07",
        "12-03、12-04、12-05、12-06",
        "12-03 12-04 2026-12-29 13:30",
        "DP-1120-07-K",
        "ＤＰ－１１２０－０７－Ｋ",
        "EA-1120-107-K DP-1120-08-N",
        "K-0231 12-03 2026-12-29",
        "K7M2-9QXD-4E",
        "H123-4567-89",
        "第3期 2026",
        "12345",
        "400-123-4567",
        "33613 = 27466 + 6147",
        "E-5 2026-12-29",
        "E 2026-12-29",
        "-1001234567890",
        "一、二、三、四、五、六、七、八、九、十、十一、十二",
    ],
)
def test_what_the_office_works_with_stays(raw: str) -> None:
    for before, after in (("", ""), ("请问", "怎么样了"), ("（", "）")):
        found = redact.text(before + raw + after)
        assert found == redact.Redacted(before + raw + after, {})


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        ("打021-12345678问", "打021-12345678问"),
        ("+86 21 12345678", "+86 21 12345678"),
        ("（021）１２３４５６７８", "（021）１２３４５６７８"),
        ("021-12345678转801", "021-12345678转801"),
        ("021-12345678-801", "021-12345678-801"),
        (f"12345 {MOBILE}", "12345 ▮"),
        ("138 0000 0000 / 13900001111", "138 0000 0000 / ▮"),
        ("021-12345679", "▮"),
        ("310104 12345 1990101", "▮"),  # a published number inside a longer one keeps nothing of it
    ],
)
def test_numbers_published_by_the_office_stay_in_any_spelling(raw: str, left: str) -> None:
    assert gone(raw, "021-12345678", "12345", "13800000000") == left


def test_a_published_number_too_short_to_be_one_keeps_nothing() -> None:
    assert gone("1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "1", "1111") == "▮"


# --- every spelling of every number ---

SCRIPTS = (
    "0123456789",
    "０１２３４５６７８９",
    "٠١٢٣٤٥٦٧٨٩",
    "०१२३४५६७८९",
    "〇一二三四五六七八九",
    "零壹贰叁肆伍陆柒捌玖",
)
SEPARATORS = ("", " ", "-", "  ", "—", " - ", "‑", "\u3000", "－", "\u00a0", "\u200b", "\u200d\u2060", "–")
LAYOUTS = (
    (),
    (1,) * 18,
    (6, 8, 4),
    (3, 4, 4),
    (4, 4, 4, 4),
    (6, 4, 4, 4),
    (6, 4, 2, 2, 4),
    (2,) * 9,
    (3,) * 6,
)
BEFORE = ("", "我是张敏，", "周一", "电话：", "12-03 ", "2026-12-29 ", "（", "DP-1120-07-K ")
AFTER = ("", " 谢谢", "一次", "，请回电", "x", "。2026-12-29", " 12-03", "）")
VALUES = {symbol: str(value) for script in SCRIPTS for value, symbol in enumerate(script)}


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def identity_number(rng: random.Random) -> str:
    born = f"{rng.randint(1930, 2008)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    return (
        rng.choice(("11", "31", "44", "65"))
        + digits(rng, 4)
        + born
        + digits(rng, 3)
        + rng.choice("0123456789X")
    )


def old_identity_number(rng: random.Random) -> str:
    number = identity_number(rng)
    return number[:6] + number[8:17]


def mobile(rng: random.Random) -> str:
    return "1" + rng.choice("3456789") + digits(rng, 9)


def landline(rng: random.Random) -> str:
    return rng.choice(("021", "010", "0571")) + rng.choice("2345678") + digits(rng, 7)


def card(rng: random.Random) -> str:
    return rng.choice("3456") + digits(rng, rng.randint(15, 18))


KINDS: tuple[Callable[[random.Random], str], ...] = (
    identity_number, old_identity_number, mobile, landline, card,
)  # fmt: skip


def spelled(number: str, rng: random.Random) -> str:
    """The number as somebody might type it: any script or several, grouped or not, any separators."""
    scripts = (rng.choice(SCRIPTS),) if rng.random() < 0.7 else SCRIPTS
    if rng.random() < 0.3:
        cuts, separators = {at for at in range(1, len(number)) if rng.random() < 0.4}, list(SEPARATORS)
    else:
        layout, separators = rng.choice(LAYOUTS), [rng.choice(SEPARATORS)]
        cuts = {sum(layout[: place + 1]) for place in range(len(layout))}
    written = []
    for at, symbol in enumerate(number):
        if at in cuts:
            written.append(rng.choice(separators))
        written.append(rng.choice("XxＸｘ") if symbol == "X" else rng.choice(scripts)[int(symbol)])
    return "".join(written)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.integers(0, 2**64))
def test_none_of_10000_numbers_survives_in_any_spelling(seed: int) -> None:
    # Twenty-five numbers an example: drawing each symbol from hypothesis would take minutes.
    rng = random.Random(seed)
    for _ in range(25):
        number = rng.choice(KINDS)(rng)
        raw = rng.choice(BEFORE) + spelled(number, rng) + rng.choice(AFTER)
        found = redact.text(raw)
        left = "".join(VALUES.get(symbol, "") for symbol in found.text.replace(PLACEHOLDER, ""))
        core = number.rstrip("X")
        assert PLACEHOLDER in found.text, raw
        assert not [core[at : at + 8] for at in range(len(core) - 7) if core[at : at + 8] in left], raw
        assert redact.text(found.text).text == found.text, raw


@given(st.text(st.sampled_from("0123456789012345678901Xx -—./:()一三〇零EHK证件日\n\u200b１٢"), max_size=60))
def test_redaction_never_fails_and_only_replaces(raw: str) -> None:
    found = redact.text(raw)
    pieces = found.text.split(PLACEHOLDER)
    assert sum(found.counts.values()) == len(pieces) - 1
    at = 0
    for piece in pieces:
        at = raw.index(piece, at) + len(piece)
    assert raw.startswith(pieces[0])
    assert raw.endswith(pieces[-1])


@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "12-03 ", "13812345678 ", "-", "1    ", "E1 ", "一1", "2026-12-29 ", "2026-12-2 9", "86 ",
     "0", "K7M2-", "138 1234 ", "通行证 :", "(021", "1\u200b", "1234 ", "123456 1990 ", "A-", "00:00", "x"],
)  # fmt: skip
def test_time_grows_with_length_only(piece: str) -> None:
    # A pattern that looks back over the whole text would need a thousandfold time for 30-fold text and
    # run for minutes; in a straight line it is a small fraction of the limit, even on a busy machine.
    raw = piece * (180_000 // len(piece)) + "!"
    before = time.process_time()
    redact.text(raw, ["021-12345678", "12345"])
    assert time.process_time() - before < 5


# --- logging ---


def logged(record: logging.LogRecord, *published: str) -> str:
    assert LogRedaction(published).filter(record) is True
    return logging.Formatter("%(message)s").format(record)


def record(message: object, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("desk", logging.INFO, "ask.py", 1, message, arguments, None)
    vars(made).update(extra)
    return made


class Asker:
    def __str__(self) -> str:
        return f"asker {MOBILE}"


@pytest.mark.parametrize(
    ("message", "arguments", "line"),
    [
        (f"asked by {MOBILE}", (), f"asked by {PLACEHOLDER}"),
        ("asked by %s on %s", (MOBILE, "2026-12-29"), f"asked by {PLACEHOLDER} on 2026-12-29"),
        ("number %d of %s", (int(ID), "临江街道"), f"number {PLACEHOLDER} of 临江街道"),
        ("number %s", (int(ID),), f"number {PLACEHOLDER}"),
        ("%(who)s", ({"who": MOBILE},), PLACEHOLDER),
        ("%s", ([MOBILE, {"id": ID}],), f"['{PLACEHOLDER}', {{'id': '{PLACEHOLDER}'}}]"),
        ("%s", (Asker(),), f"asker {PLACEHOLDER}"),
        (Asker(), (), f"asker {PLACEHOLDER}"),
        ("%s-%s", ("310104", "199001010012"), PLACEHOLDER),  # together only in the finished line
        ("100 % of %d", (3,), None),
        ("%s took %.2f s", ("ask", 0.5), "ask took 0.50 s"),
        ("100 % done", (), "100 % done"),
        (None, (), "None"),
    ],
)
def test_log_lines_are_redacted(message: object, arguments: tuple[object, ...], line: str | None) -> None:
    written = logged(record(message, *arguments))
    assert written == (line or "log record withheld: it could not be searched for numbers")


def test_arguments_stay_separate_for_formatters_that_need_them() -> None:
    made = record("%s %s %d", "GET", f"/ask?q={MOBILE}", 200)
    assert logged(made) == f"GET /ask?q={PLACEHOLDER} 200"
    assert made.args == ("GET", f"/ask?q={PLACEHOLDER}", 200)


def test_numbers_published_by_the_office_stay_in_the_log() -> None:
    assert logged(record("call %s or %s", "021-12345678", MOBILE), "021-12345678") == (
        f"call 021-12345678 or {PLACEHOLDER}"
    )


def test_exception_text_is_redacted_along_its_whole_chain() -> None:
    made = record("failed")
    try:
        try:
            raise KeyError(ID)
        except KeyError as inner:
            raise ValueError(f"no such asker: {MOBILE}") from inner
    except ValueError:
        made.exc_info = sys.exc_info()
    written = logged(made)
    assert written.count(PLACEHOLDER) == 2
    assert ID not in written
    assert MOBILE not in written
    assert "ValueError: no such asker" in written
    assert made.exc_info is None


def test_extra_fields_and_the_stack_are_redacted() -> None:
    made = record("asked", contact=MOBILE, facts={"id": ID, "n": 3}, tried=2, stack_info=f"in {MOBILE}")
    assert MOBILE not in logged(made)
    assert vars(made)["contact"] == PLACEHOLDER
    assert vars(made)["facts"] == {"id": PLACEHOLDER, "n": 3}
    assert vars(made)["tried"] == 2


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError(MOBILE)


def test_what_cannot_be_searched_is_withheld_and_stops_nobody() -> None:
    for made in (record("%s", Unprintable()), record("asked", contact=Unprintable())):
        written = logged(made)
        assert written == "log record withheld: it could not be searched for numbers"
        assert "contact" not in vars(made)


def test_on_a_handler_it_covers_every_logger(caplog: pytest.LogCaptureFixture) -> None:
    guard = LogRedaction()
    caplog.handler.addFilter(guard)
    try:
        logging.getLogger("desk.child").warning("asked by %s", MOBILE)
    finally:
        caplog.handler.removeFilter(guard)
    assert MOBILE not in caplog.text
    assert PLACEHOLDER in caplog.text
