"""A question as the title of a tip: grammatical, or left to the drafter and marked."""

from __future__ import annotations

import pytest

from knowledge import tip_titles

TO_FILL = "关于若干问题的提示（待填写）"


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("居住证年限", "关于居住证年限的提示"),
        ("居住证年限问题", "关于居住证年限问题的提示"),
        ("候选人名单在哪里看？", "关于候选人名单在何处查看问题的提示"),
        ("请问选民登记什么时候截止", "关于选民登记何时截止问题的提示"),
        ("登记表上的地址怎么填？", "关于登记表上的地址如何填写问题的提示"),
        ("护照上的信息写错了怎么办?", "关于护照上的信息写错了如何处理问题的提示"),
        ("您好，想问一下居住证怎么办理呢", "关于居住证如何办理问题的提示"),
        ("外地户口能登记吗？", "关于外地户口是否能登记问题的提示"),
        ("台风天还要去投票吗", "关于台风天是否还要去投票问题的提示"),
        ("在居委会登记需要本人到场吗", "关于在居委会登记是否需要本人到场问题的提示"),
        ("精神残疾的老人能不能登记", "关于精神残疾的老人能否登记问题的提示"),
        ("选民名单怎么还没公布", "关于选民名单为何还没公布问题的提示"),
        ("光带户口本行不行", "关于光带户口本是否可行问题的提示"),
        ("住集体户口的人用不用再登一次？", "关于住集体户口的人是否需要再登一次问题的提示"),
        ("推荐候选人要多少人联名", "关于推荐候选人要多少人联名问题的提示"),
        ("关于停权的决定书何时送到选举委员会", "关于停权的决定书何时送到选举委员会问题的提示"),
        # A story, two clauses, somebody's own case, dialect, a yes or no that no word carries, a sentence.
        ("新楼盘还没有门牌号，登记表上的地址怎么填？", TO_FILL),
        ("联名推荐表怎么写，怎么交？", TO_FILL),
        ("我爸八十了怎么登记", TO_FILL),
        ("外地新娘子好拨伊登记伐", TO_FILL),
        ("登记过了吗", TO_FILL),
        ("名单上没有名字", TO_FILL),
        ("登记？", TO_FILL),
        ("居住证" * 11 + "怎么算", TO_FILL),
        ("  ", TO_FILL),
    ],
)
def test_a_question_becomes_the_title_of_a_paper_or_is_left_to_the_drafter(question: str, title: str) -> None:
    assert tip_titles.of_question(question) == title
