"""What a version claims of the words that other entries hold or answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from knowledge import base, claims
from knowledge.claims import Claim
from knowledge.lexicon import Lexicon
from knowledge.live import lexicon
from knowledge.match import Index
from knowledge.outcomes import Source

CARD = Source(
    1, "K-0001", "voter_card", "voter", "选民证丢了怎么办", ("选民证不见了", "补办选民证"), ("换证",)
)
DAY = Source(2, "K-0002", "vote_day", "voter", "哪一天投票选举", ("选举日是什么时候", "投票是几月几号"))
STAFF = Source(3, "K-0003", "st_import", "staff", "批量导入失败怎么处理", ("导入报错怎么办",))
NEW = Source(9, "K-0009", "contact", "voter", "登记站电话是多少", ("怎么打电话给登记站",))


def claimed(version: Source, *others: Source, before: Source | None = None) -> tuple[Claim, ...]:
    return claims.claims(Index((*others, version), Lexicon.from_data({})), version, before)


def test_words_of_one_s_own_claim_nothing() -> None:
    assert claimed(NEW, CARD, DAY, STAFF) == ()
    assert claimed(CARD, DAY, STAFF) == ()


@pytest.mark.parametrize("words", ["补办选民证", "补辦 选民证？", "选民证丢了怎么办", "换证"])
def test_what_another_entry_holds_word_for_word_is_claimed(words: str) -> None:
    for thief in (
        replace(NEW, phrasings=(words,)),
        replace(NEW, aliases=(words,)),
        replace(NEW, question=words),
    ):
        found = claimed(thief, CARD, DAY)
        assert found == (Claim(words, "K-0001", exact=True),)
        assert claims.faults(found) == ("claimed_words",)


def test_the_words_are_compared_as_the_lexicon_reads_them() -> None:
    read = Lexicon.from_data({"groups": [{"words": {"弄丢": "丢"}}]})
    thief = replace(NEW, phrasings=("选民证弄丢了怎么办",))
    assert claims.claims(Index((CARD, thief), read), thief) == (
        Claim("选民证弄丢了怎么办", "K-0001", exact=True),
    )


def test_the_same_topic_does_not_excuse_the_same_words() -> None:
    twin = replace(NEW, topic="voter_card", phrasings=("补办选民证",))
    assert claims.faults(claimed(twin, CARD)) == ("claimed_words",)


def test_staff_see_both_so_words_are_claimed_across_audiences() -> None:
    assert claimed(replace(NEW, phrasings=STAFF.phrasings), STAFF)[0].entry_no == "K-0003"
    assert claimed(replace(STAFF, phrasings=("补办选民证",)), CARD)[0].entry_no == "K-0001"


def test_what_others_answer_at_once_is_claimed_and_a_few_may_be() -> None:
    others = Index(base.shipped(), lexicon())
    victims = [source for source in base.shipped() if source.audience == "voter"]
    words = [f"小区群里有人问{source.question}" for source in victims[:40:3]]
    thief = Source(9999, "K-9999", "contact", "voter", "蓝色雨棚归谁收拾", tuple(words))
    others.replace(thief)
    near = [claim for claim in claims.claims(others, thief) if not claim.exact]
    assert len(near) > 2
    assert claims.faults(near[:2]) == ()
    assert claims.faults(near[:3]) == ("claimed_answers",)
    staff_only = replace(thief, audience="staff")
    others.replace(staff_only)
    assert {claim.words for claim in claims.claims(others, staff_only)} >= {claim.words for claim in near}
    # Of its own words as they are in force only the stolen ones count: the rest was decided before.
    assert [claim for claim in claims.claims(others, thief, before=thief) if not claim.exact] == []


def test_an_entry_of_the_same_topic_may_answer_at_once() -> None:
    index = Index(base.shipped(), lexicon())
    topics = {source.entry_no: source.topic for source in base.shipped()}
    words = [f"小区群里有人问{source.question}" for source in base.shipped()[:40:3]]
    thief = Source(9999, "K-9999", "contact", "voter", "蓝色雨棚归谁收拾", tuple(words))
    index.replace(thief)
    taken = claims.claims(index, thief)[0]
    friend = replace(thief, topic=topics[taken.entry_no])
    index.replace(friend)
    left = claims.claims(index, friend)
    assert taken not in left
    assert friend.topic not in {topics[claim.entry_no] for claim in left}


def test_the_shipped_entries_hold_no_words_of_each_other() -> None:
    sources = base.shipped()
    index = Index(sources, lexicon())
    for source in sources[::12]:
        assert claims.faults(claims.claims(index, source, before=source)) == (), source.entry_no
