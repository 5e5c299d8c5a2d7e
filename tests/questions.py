"""A few golden questions, and entries that have nothing to do with them: the replay in small."""

from typing import Any

from knowledge.replay import Case

OPEN = tuple(
    Case(words, "voter_card") for words in ("选民证掉了咋办", "我把选民证弄丢了", "选民证遗失到哪里补")
)
SEALED = (Case("密封：选民证不见了怎么办", "voter_card", sealed=True),)
OTHER: dict[str, Any] = {"question": "登记站礼拜天开不开门？",
         "phrasings": ("周日登记站上班吗", "星期天能去登记站吗", "登记站周末开门吗")}  # fmt: skip
ANOTHER: dict[str, Any] = {"topic": "contact", "question": "值班电话是多少？",
           "phrasings": ("电话几号", "怎么打电话给选举办", "选举办联系电话")}  # fmt: skip
