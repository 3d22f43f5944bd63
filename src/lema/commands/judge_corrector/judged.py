"""Asking a corrector about labelled paths, and what came back as rows.

One design decision: a row holds what the reply said, what is true, and which checks it fails; every figure is
counted from rows afterwards, so that whoever keeps the rows can count anew.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from lema.checks import CHECK, Checked
from lema.checks.form import without_repeated
from lema.commands.judge_corrector.labelled import Labelled
from lema.grading import GradingTimeout
from lema.messages import Completion, Request
from lema.printable import one_line
from lema.prompting import CRITIQUE_CUE, CUE, Prompt, correction_values, critique_values
from lema.prompting.order import messages
from lema.records import Correction, Sampling
from lema.replies import Parsed, number_steps, parse_correction
from lema.replies.judgements import Judgement, critique_judgement, parse_judgement

OF_A_VERDICT = ("complete", "step", "earlier", "explanation")
"""What can be asked of a reply that names a step and corrects nothing."""


@dataclass(frozen=True, kw_only=True)
class JudgedReply:
    """One reply beside the truth. `named` is the step that it calls wrong; `bad` is None where nothing is
    corrected."""

    id: str
    source: str
    steps: int
    first_error: int | None
    verdict: Literal["wrong", "right", "unreadable", "failed"]
    named: int | None = None
    bad: bool | None = None
    checks: tuple[str, ...] = ()  # those that could be asked
    failed: tuple[str, ...] = ()
    reply: str = ""
    tokens: int = 0

    def row(self) -> str:
        """The reply as a line of rows.jsonl."""
        renamed = {"verdict": "said", "checks": "asked"}
        line = json.dumps({renamed.get(name, name): value for name, value in asdict(self).items()},
                          ensure_ascii=False)
        return one_line(line).encode("utf-8", "replace").decode()


def requests(labels: Iterable[Labelled], prompt: Prompt, sampling: Sampling, form: str) -> Iterator[Request]:
    """One request per labelled path."""
    for label in labels:
        path = number_steps(label.steps)
        if prompt.cue == CRITIQUE_CUE:
            values = critique_values(label.as_question, path)
        else:
            values = correction_values(label.as_question, path, prompt.cue)
        yield Request(messages(prompt, form, values), sampling, 0, (label.as_question, label))


def judge(label: Labelled, reply: Completion, without: Collection[str] = (), cue: str = CUE) -> JudgedReply:
    """What the reply to this cue said of the path. `without` are checks that this corrector cannot be asked."""
    row = {"id": label.id, "source": label.source, "steps": len(label.steps), "first_error": label.first_error,
           "reply": reply.text, "tokens": reply.tokens}
    if reply.failed:
        return JudgedReply(**row, verdict="failed")
    judgement = critique_judgement(reply.text) if cue == CRITIQUE_CUE else parse_judgement(reply.text)
    if not isinstance(judgement, Judgement):
        return JudgedReply(**row, verdict="unreadable")
    if judgement.right:
        return JudgedReply(**row, verdict="right")
    if judgement.step is None:
        return JudgedReply(**row, verdict="wrong")
    parsed = parse_correction(reply.text)
    correction = _correction(label, reply, judgement, parsed if isinstance(parsed, Parsed) else None)
    if not correction.explanation:
        without = {*without, "explanation"}
    names = [name for name in (CHECK if correction.steps else OF_A_VERDICT) if name not in without]
    checked = Checked(correction, label.steps, label.question, label.gold, _right(label, correction.answer))
    bad = label.is_bad(judgement.step, correction.steps, correction.first_number)
    return JudgedReply(**row, verdict="wrong", named=judgement.step, bad=bad, checks=tuple(names),
                       failed=tuple(name for name in names if not CHECK[name].passes(checked)))


def _correction(label: Labelled, reply: Completion, judgement: Judgement, parsed: Parsed | None) -> Correction:
    fields = {"step": judgement.step, "explanation": judgement.reason}
    if parsed:
        first, steps = without_repeated(parsed.step, parsed.first_number, parsed.steps, label.steps)
        fields |= {"explanation": parsed.explanation, "steps": steps, "first_number": first, "quote": parsed.quote}
        fields["answer"] = label.read(number_steps(steps)).answer
    return Correction(question=label.id, path=label.id, model="", reply=reply.text, finish=reply.finish, **fields)


def _right(label: Labelled, answer: str | None) -> bool:
    try:
        return answer is not None and bool(label.gold) and label.same(answer)
    except GradingTimeout:
        return False
