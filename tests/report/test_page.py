"""The page: its figures are the data's, its words follow the intervals, and nothing in it reaches out."""

import json
import re
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from lema.figures import count, percent, tokens
from lema.report import Funnel, FunnelStage, Loss, PlannedComparison, ReportData, family
from lema.report.page import render
from lema.report.tables import Table
from lema.statistics import accuracy, bracket, difference, points
from tests.report.elements import Elements
from tests.report.examples import SCRIPT, answers, hostile, report


def test_the_page_refers_to_nothing_outside_itself():
    page = render(replace(report(), config='base_url = "https://api.example.org/v1"'))
    found = Elements(page)
    for tag, attributes in found.elements:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image"}
        assert tag != "a" or attributes["href"].startswith("#"), "only places of this page are linked"
        outward = {"src", "href", "xlink:href", "srcset", "action", "data", "background"}
        assert tag == "a" or not outward & attributes.keys()
    style = page[page.index("<style>"):page.index("</style>")]
    assert "url(" not in style and "@import" not in style and "http" not in style
    assert page.count("https://") == 1, "the config's own address, as text"


def test_the_page_forbids_itself_scripts_and_the_network():
    policy = dict(Elements(render(report())).elements)["meta"] is not None and re.search(
        r'Content-Security-Policy" content="([^"]*)"', render(report()))
    assert policy and policy[1] == "default-src 'none'; style-src 'unsafe-inline'"


def test_no_text_of_a_model_or_a_config_becomes_markup():
    page = render(hostile())
    clean = Elements(render(report()))
    found = Elements(page)
    assert [tag for tag, _ in found.elements if tag in {"script", "img", "b"}] == [
        tag for tag, _ in clean.elements if tag in {"script", "img", "b"}]
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert SCRIPT not in page and SCRIPT in found.text


def test_every_text_of_the_data_is_in_the_hostile_page_and_shown_as_text():
    shown = Elements(render(hostile())).text
    attributes = " ".join(str(v) for _, each in Elements(render(hostile())).elements for v in each.values())
    for place, text in texts(hostile(), "data"):
        assert text in shown or text in attributes or re.sub(r"[ \n]+", " ", text) in shown, place


def texts(value: object, place: str):
    """Every string in a tree of dataclasses and tuples, with where it stands."""
    if isinstance(value, str):
        yield place, value
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name), f"{place}.{field.name}")
    elif isinstance(value, tuple):
        for number, part in enumerate(value):
            yield from texts(part, f"{place}[{number}]")


def test_text_that_cannot_be_encoded_or_hides_is_made_visible():
    data = report()
    page = render(replace(data, gallery=(replace(
        data.gallery[0], explanation="half \ud800 pair, \u202ereversed\u202c, bell \x07, line\r\nend"),)))
    page.encode("utf-8")
    assert "half ? pair, ⟨U+202E⟩reversed⟨U+202C⟩, bell ⟨U+0007⟩, line\nend" in page


def test_the_tables_figures_are_the_datas():
    data = report()
    shown = Elements(render(data)).text
    for arm in data.arms:
        assert arm.description in shown and count(arm.examples) in shown and tokens(arm.teacher_tokens) in shown
        seeds = ", ".join(percent(share) for share in arm.accuracy.seeds)
        row = f"{arm.name} {seeds} {percent(arm.accuracy.mean)} {100 * arm.accuracy.deviation:.1f}"
        if arm.difference:
            row += (f" {points(arm.difference.mean)} {bracket(arm.difference.crossed)} "
                    f"{bracket(arm.difference.over_questions)} "
                    f"{bracket(arm.difference.over_seeds)}")
        assert row in squeezed(shown), arm.name
        assert " ".join([arm.name, *(percent(score.accuracy) for score in arm.levels)]) in squeezed(shown)


def squeezed(text: str) -> str:
    return re.sub(r"\s+([,.])", r"\1", text)


@pytest.mark.parametrize("other", ["self_training", "random_teacher", "evolved", "prose_only", "lema"])
def test_the_headline_says_no_difference_shown_exactly_where_its_interval_holds_zero(other):
    drawn = answers()
    for arm, baseline in ((other, "own_and_steps"), ("own_and_steps", other), (other, "cot"), (other, other)):
        found = difference(drawn[arm], drawn[baseline])
        data = replace(report(), headline=PlannedComparison(arm, baseline, found), arms=(), control=None)
        headline = Elements(render(data)).text.rsplit("How to read this page", 1)[0]
        assert ("no difference shown" in headline) == found.interval.holds(0.0)


def test_each_row_says_what_its_comparison_bears_among_all():
    data = report()
    text = Elements(render(data)).text
    for name, difference_ in data.differences.items():
        claim = family(data).claim(name, data.baseline)
        assert claim == "no difference shown" or not difference_.interval.holds(0.0)
        assert re.search(rf"{name} +[0-9., ]+ [^a-z]* {claim}", text), name


def test_a_headline_without_its_control_says_what_the_page_cannot_tell():
    text = Elements(render(replace(report(), control=None))).text
    assert "cannot say what the same teacher tokens would have bought" in text
    assert "cannot say what the same teacher tokens" not in Elements(render(report())).text


def test_the_named_step_is_the_one_marked():
    page = render(report())
    assert re.search(r'<li class="wrong"><span class="n">2</span><span class="said">Sam has three times', page)
    assert page.count('class="wrong"') == 1
    assert re.findall(r'class="mended"><span class="n">(\d)', page) == ["2", "3", "4"]


def test_losses_stand_with_their_reasons_and_missing_rows_are_called_missing():
    text = Elements(render(report())).text
    assert "− 38 corrected answer differs from the gold answer" in text and "not accounted for" not in text
    verified = FunnelStage("verified", 70, (Loss("no step named", 10),))
    leaky = Funnel("First round", (FunnelStage("wrong", 100), verified))
    assert "20 rows not accounted for" in Elements(render(replace(report(), funnels=(leaky,)))).text


@pytest.mark.parametrize("data", [
    ReportData(title="", baseline="", arms=()),
    replace(report(), funnels=(Funnel("empty", ()),), gallery=(), headline=None, control=None),
    replace(report(), funnels=(
        Funnel("zeros", (FunnelStage("questions", 0), FunnelStage("wrong", 0, (Loss("x", 0),)))),)),
    replace(report(), baseline="an arm that is not there", versions=(), config="", notes=()),
    replace(report(), arms=tuple(replace(arm, levels=()) for arm in report().arms)),
    replace(report(), arms=tuple(replace(arm, difference=None) for arm in report().arms)),
    report(questions=1, seeds=1), report(questions=2, seeds=2),
], ids=["nothing", "no funnel", "zeros", "no baseline", "no levels", "nothing compared", "one question", "two"])
def test_a_report_with_missing_pieces_is_still_a_page(data):
    assert Elements(render(data)).elements[-1][0] in {"pre", "h2", "li"}


def test_the_same_data_always_makes_the_same_page():
    assert render(report()) == render(report())


def test_a_row_for_orientation_is_neither_an_arm_nor_a_baseline():
    data = report()
    before = replace(data.arms[0], name="(before)", accuracy=accuracy(answers()["cot"][:1]), levels=())
    page = render(replace(data, arms=(before, *data.arms)))
    text = Elements(page).text
    assert "7 arms, 3 seeds, 600 test questions" in text and "not compared" in text
    assert page.count(">(before)</text>") == 2, "in accuracies and prices, not in differences"


def test_every_place_of_the_contents_is_there_and_the_config_is_folded():
    page = Elements(render(report()))
    places = [attributes["href"][1:] for tag, attributes in page.elements if tag == "a"]
    assert places and set(places) <= {attributes.get("id") for _, attributes in page.elements}
    assert ("details", {}) in page.elements and "12 minutes of work" in page.text


def test_every_arm_stands_over_what_its_teacher_wrote():
    page = render(report())
    drawing = page[page.index("Accuracy in percent over teacher tokens"):].split("</svg>")[0]
    assert drawing.count('class="point"') == len(report().arms) and ">teacher tokens</text>" in drawing


def test_the_losses_of_every_fit_are_drawn_and_said(tmp_path):
    from lema.report.charts import losses
    from lema.report.curves import POINTS, training_curves

    for model, values in (("cot-1", [2.0, 1.0, 0.5]), ("cot-2", [3.0] * 600), ("broken-1", [])):
        folder = tmp_path / "models" / model / "model"
        folder.mkdir(parents=True)
        lines = [json.dumps({"step": step, "loss": loss}) + "\n" for step, loss in enumerate(values, 1)]
        (folder / "metrics.jsonl").write_text("".join(lines) + '{"step": 9, "lo')
    (curve,) = training_curves(tmp_path, [("cot-1", "cot", 1), ("cot-2", "cot", 2), ("broken-1", "broken", 1),
                                          ("gone-1", "gone", 1)])
    assert (curve.arm, curve.steps) == ("cot", 600)
    assert curve.losses == ((2.0, 1.0, 0.5), (3.0,) * POINTS)
    drawing = losses(curve)
    assert drawing.count("<polyline") == 2 and "cot: the loss ends at 0.5, 3" in drawing


def test_further_pairs_have_panels_and_are_called_planned_only_where_that_was_checked():
    data = report()
    pair = PlannedComparison("lema", "cot", data.differences["lema"])
    page = render(replace(data, pairs=(pair,)))
    assert page.count('<section class="claim">') == 3
    assert "Also compared" in page and "The comparison in the headline" in page and "named before" not in page
    page = render(replace(data, pairs=(pair,), named=True))
    assert "Also planned, before the run" in page and "this run was made for, named before it" in page


def test_seeds_that_would_hide_each_other_are_drawn_apart():
    from lema.report.charts import accuracies
    from lema.statistics import accuracy

    alike = replace(report().arms[0], accuracy=accuracy(np.ones((4, 50))))
    places = set(re.findall(r'class="seed" cx="([\d.]+)" cy="([\d.]+)"', accuracies((alike,))))
    assert len(places) == 4 and len({across for across, _ in places}) == 1


def test_money_has_a_picture_where_it_is_known_and_what_is_not_known_is_said():
    data = report()
    assert "dollars paid" not in render(data)
    arms = [replace(each, dollars=each.teacher_tokens / 1e4 if number != 5 else None)
            for number, each in enumerate(data.arms)]
    page = render(replace(data, arms=tuple(arms)))
    drawing = page[page.index("over dollars paid to the teacher"):].split("</svg>")[0]
    assert drawing.count('class="point"') == len(arms) - 1 and ">$0.6012</text>" in drawing
    assert "What evolved cost is not known" in page


def test_two_hundred_arms_are_one_readable_page():
    data = report()
    arms = []
    for number in range(200):
        like = data.arms[number % len(data.arms)]
        arms.append(replace(like, name=f"arm-{number}" if number else "cot", teacher_tokens=number * 50,
                            difference=data.arms[1].difference if number else None,
                            shared={f"arm-{other}": (9, 9) for other in range(1, 200) if other != number}))
    page = render(replace(data, arms=tuple(arms)))
    folded = re.findall(r"(?s)<details class=\"more\">.*?</details>", page)
    assert any("What the training sets share" in each for each in folded)
    assert any("Accuracy by level, %." in each for each in folded)
    prices = page[page.index("over teacher tokens, by arm"):].split("</svg>")[0]
    assert prices.count('class="point"') == 200 and prices.count('class="name"') <= 14
    assert len(page) < 4_000_000


def test_details_are_folded_and_long_texts_stand_below_each_other():
    texts = Table(name="Flips", columns=(("question", "text"), ("words", "text")), rows=(("1", "long " * 40),))
    detail = Table(name="Kinds", columns=(("kind", "text"), ("count", "count")), rows=(("a", 3),), detail=True)
    page = render(replace(report(), tables=(texts, detail)))
    assert '<dl class="texts"><dt>question</dt><dd class="said">1</dd>' in page
    assert '<details class="more"><summary>Kinds</summary>' in page
