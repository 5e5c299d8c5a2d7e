"""Whether what somebody writes while a question of theirs is open adds to it, or is a matter of its own."""

from __future__ import annotations

import re
from itertools import pairwise

from knowledge import answer as answers
from knowledge.features import form
from knowledge.gate import in_our_field

LONGEST = 300
_COMPLAINT = re.compile(
    r"投诉|举报|检举|控告|揭发|告发|(?:要|想|来)(?:向.{0,6})?反映"
    r"|(?:态度|服务)(?:真的?|非常|十分|特别|实在|很|太|极其|极)*(?:恶劣|差|坏|不好|蛮横|粗暴)"
)
_NO_COMPLAINT = re.compile(r"(?:不|没|别)(?:是|想|要|会|打算|准备|敢|来|有|再)*(?:投诉|举报|检举|控告|反映)")
# Whom somebody means who complains of us, without a word of registration or election.
_OURS = re.compile(
    r"登记[站点处]|投票[站点]|工作人员|登记员|志愿者|值班|你们|您们|接线|接电话|居委|街道|窗口|办公室|客服"
)
_WHO = (
    r"(?:我们?|俺们?|阿拉|本人|我家|家里人?|老人"
    r"|我?[爸妈]{1,2}|我?(?:父母|父亲|母亲|老公|老婆|爱人|儿子|女儿))?"
)
_WISH = re.compile(
    rf"(?:^|[，,。.；;！!、\s]){_WHO}(?:现在|另外|顺便|同时|也|还|就|都|只|很|再)*"
    r"(?:想(?!起|不|到)|要(?!是|么|不|紧|的)|希望|打算|申请|请求|要求|需要|请(?!问)|麻烦|帮我|帮忙)"
)
# What is wished of an answer that is owed already, or added in so many words.
_ABOUT_THE_ANSWER = re.compile(
    r"补充|说明一下|更正|尽快|赶快|快点|快一点|早点|早日|答复|回复|回电|回我|联系我|打我|等(?:你|您)|结果|催"
)
# Said in every second question: two that have no more than this in common are two.
_EVERYWHERE = re.compile(
    r"选民|登记(?!表)[站点]?|投票[站点]?|选举办?|工作人员|投诉|举报|反映|知道|希望|要求|需要|申请|麻烦|帮忙|问题"
)
_PIECE = re.compile(r"[^\W_]+")


def complains(words: str) -> bool:
    """Whether these words complain of somebody or report something (投诉, 检举)."""
    return _COMPLAINT.search(_NO_COMPLAINT.sub("", words[:LONGEST])) is not None


def complains_of_us(words: str) -> bool:
    """Whether these words complain of those who work for the election."""
    return complains(words) and _OURS.search(words[:LONGEST]) is not None


def speaks_for_itself(words: str) -> bool:
    """Whether a statement is a complaint or a wish of our field, which needs no earlier question to be read.

    A wish for the answer that is owed already is none.
    """
    said = words[:LONGEST]
    if complains(said):
        return True
    return bool(_WISH.search(said)) and not _ABOUT_THE_ANSWER.search(said) and in_our_field(said)


def belongs(words: str, asked: str) -> bool:
    """Whether a matter of its own is the one that was asked before: of the same kind, and about the same."""
    return complains(words) == complains(asked) and takes_up(words, asked)


def takes_up(words: str, before: str) -> bool:
    """Whether the words take up anything of what was said before besides what everybody speaks of."""
    return not _matter(words).isdisjoint(_matter(before))


def _matter(words: str) -> frozenset[str]:
    """The pairs of characters of what the words are about, without what stands everywhere."""
    matter = form(words[:LONGEST], answers.lexicon()).matter
    pieces = _PIECE.findall(_EVERYWHERE.sub(" ", matter))
    return frozenset(one + other for piece in pieces for one, other in pairwise(piece))
