"""Training sets side by side: every figure of an account is shown, and what is shared in both directions."""

import dataclasses

from lema.records import Account
from lema.report.page import render
from lema.report.sets import table
from lema.runs.prices import Price
from tests.report.examples import report

COT = Account(arm="cot", examples=200, questions=180, prompt_tokens=12_500, tokens=20_000, teacher_tokens=0,
              teacher_replies=0, kinds={}, epochs=6.0, shared={"lema": (200, 180)})
LEMA = Account(arm="lema", examples=800, questions=400, prompt_tokens=90_000, tokens=1_200_000,
               teacher_tokens=12_034, teacher_replies=310, kinds={}, shared={"cot": (200, 180)},
               teachers={"corrector": (110_000, 12_034)}, student_tokens=56_306)


def cells(lines: list[str], arm: str) -> list[list[str]]:
    return [line.split()[1:] for line in lines if line.split()[:1] == [arm]]


def test_a_line_per_arm_and_the_share_of_its_examples_that_others_have():
    lines = table([COT, LEMA])
    assert cells(lines, "cot")[:2] == [["200", "180", "12.5k", "20.0k", "6.0"], ["0", "0", "0"]]
    assert cells(lines, "lema")[:2] == [["800", "400", "90.0k", "1.2M", "–"], ["12.0k", "110.0k", "56.3k"]]
    assert [line.split() for line in lines[-2:]] == [["cot", "(1)", "–", "100"], ["lema", "(2)", "25", "–"]]


def test_no_line_of_two_hundred_arms_with_long_names_is_wider_than_80_columns():
    arms = [dataclasses.replace(LEMA, arm=f"an-arm-with-a-rather-long-name-{number}",
                                kinds={"correction of a source with a name": 3, "cot worked": 100},
                                shared={f"an-arm-with-a-rather-long-name-{other}": (200 + other, 180)
                                        for other in range(200) if other != number}) for number in range(200)]
    lines = table(arms, lambda model: Price(1.0, 10.0, "a list"))
    assert max(map(len, lines)) <= 80
    assert len(lines) < 200 * 8, "no square of the arms"
    assert "  an-arm-with-a-rather-long-name-3: 50 % in an-arm-with-a-rather-long-name-199" in lines


def test_money_has_a_column_where_somebody_is_paid_and_an_unknown_price_is_never_nothing():
    def bills(price):
        lines = table([COT, LEMA], lambda model: price)
        head = next(line for line in lines if "student tokens" in line)
        return head, cells(lines, "cot")[1], cells(lines, "lema")[1]

    head, cot, lema = bills(Price(1.0, 10.0, "a list"))
    assert (head.split()[-1], cot[-1], lema[-1]) == ("money", "nothing", "$0.2303")
    assert bills(None)[2][-1] == "unknown"
    assert bills(Price(0.0, 0.0, "here", here=True))[0].split()[-1] == "tokens"


def test_money_with_a_cache_of_prompts_has_a_column_where_a_price_of_one_is_known():
    repeated = dataclasses.replace(LEMA, repeated={"corrector": 100_000})
    lines = table([COT, repeated], lambda model: Price(1.0, 10.0, "a list", cached=0.1))
    assert any(line.endswith("money  with a cache") for line in lines)
    assert cells(lines, "lema")[1][-2:] == ["$0.2303", "$0.1403"]
    assert "cache" not in "\n".join(table([COT, repeated], lambda model: Price(1.0, 10.0, "a list")))


def test_what_a_set_is_made_of_is_told_where_it_was_counted():
    made = dataclasses.replace(COT, kinds={"cot worked": 100, "step continued": 344})
    assert table([made])[-1].split("  ")[-1] == "100 cot worked, 344 step continued"


def test_one_arm_shares_with_nobody():
    assert "% that another" not in "\n".join(table([COT]))


def test_the_page_shows_what_sets_share_and_nothing_where_none_is_told():
    plain = report()
    assert "What the training sets share" not in render(plain)
    first, second, *rest = plain.arms
    first = dataclasses.replace(first, examples=200, unique_questions=100, shared={second.name: (50, 10)})
    second = dataclasses.replace(second, examples=400, unique_questions=100, shared={first.name: (50, 10)})
    page = render(dataclasses.replace(plain, arms=(first, second, *rest)))
    shared = page.split("What the training sets share", 1)[1].split("</table>", 1)[0]
    assert '25<br><span class="soft">10</span>' in shared
    assert '12<br><span class="soft">10</span>' in shared
