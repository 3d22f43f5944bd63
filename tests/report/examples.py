"""Report data to test with: five arms whose right and wrong answers are drawn from a fixed seed."""

from dataclasses import fields, is_dataclass, replace

import numpy as np

from lema.report import Arm, Funnel, FunnelStage, LevelScore, Loss, PlannedComparison, ReportData, ShownCorrection
from lema.runs.bills import Bill, Kept, Line
from lema.statistics import accuracy, difference

SCRIPT = "<script>document.title='taken'</script>"
QUOTES = """"'><img src=x onerror="document.title='taken'"><b>{{ 7 * 7 }}</b></style></pre>"""
QUESTIONS, SEEDS = 600, 3
ARMS = {  # name: (share right, description, teacher tokens)
    "cot": (0.505, "worked solutions only", 0),
    "self_training": (0.575, "worked solutions and own right paths", 0),
    "lema": (0.600, "worked solutions and corrections in the paper's form", 6_012),
    "own_and_steps": (0.640, "own right paths, and right prefix to corrected step", 5_981),
    "random_teacher": (0.632, "own right paths, and teacher solutions of random questions", 6_003),
    "evolved": (0.508, "corrections and questions grown from them", 11_450),
    "prose_only": (0.430, "explanations alone", 6_007),
}


def answers(questions: int = QUESTIONS, seeds: int = SEEDS) -> dict[str, np.ndarray]:
    """Right and wrong by arm, [seeds, questions]: hard questions are hard for every arm."""
    random = np.random.default_rng(7)
    hardness = random.normal(0, 0.22, questions)
    drawn = {}
    for name, (share, _, _) in ARMS.items():
        chance = np.clip(share + hardness + random.normal(0, 0.012, (seeds, 1)), 0, 1)
        drawn[name] = (random.random((seeds, questions)) < chance).astype(int)
    return drawn


def report(questions: int = QUESTIONS, seeds: int = SEEDS) -> ReportData:
    drawn = answers(questions, seeds)
    return ReportData(
        title="Learning from mistakes in the lab",
        baseline="cot",
        arms=tuple(arm(name, drawn) for name in ARMS),
        headline=PlannedComparison("own_and_steps", "self_training", difference(
            drawn["own_and_steps"], drawn["self_training"])),
        control=PlannedComparison("own_and_steps", "random_teacher", difference(
            drawn["own_and_steps"], drawn["random_teacher"])),
        funnels=(funnel("First round", 3_000), funnel("Evolved from corrections", 900)),
        gallery=(correction(), rejected()),
        made=("2026-11-21", "12 minutes of work in its stages", "Xeon, 2 cores, 24 GB"),
        bill=bill(),
        config='[task]\nname = "lab"\nseed = 1\n\n[models.teacher]\nbackend = "teacher"\nslip = 0.1\n',
        versions=(("lema", "0.1.0"), ("python", "3.11.2"), ("torch", "2.13.0")),
        notes=("No setting was chosen on the test set.", "The budget of every arm: 160k trained tokens."),
    )


def arm(name: str, drawn: dict[str, np.ndarray]) -> Arm:
    _, description, teacher_tokens = ARMS[name]
    right, level = drawn[name], np.arange(drawn[name].shape[1]) % 4 + 1
    return Arm(
        name=name, description=description, examples=12_523, unique_questions=1_100, prompt_tokens=402_118,
        trained_tokens=160_245, epochs=4.3, teacher_tokens=teacher_tokens, accuracy=accuracy(right),
        difference=None if name == "cot" else difference(right, drawn["cot"]),
        levels=tuple(LevelScore(n, int((level == n).sum()), float(right[:, level == n].mean() * (1.15 - 0.09 * n)))
                     for n in np.unique(level).tolist()),
    )


def funnel(name: str, paths: int) -> Funnel:
    wrong = paths * 2 // 5
    corrected = wrong - 150
    return Funnel(name, (
        FunnelStage("questions", paths // 3),
        FunnelStage("paths sampled", paths),
        FunnelStage("wrong", wrong, (
            Loss("right", paths - wrong - 31), Loss("without an answer", 22), Loss("cut off", 9))),
        FunnelStage("corrected", corrected, (Loss("beyond the teacher's budget", 150),)),
        FunnelStage("verified", corrected - 60, (
            Loss("corrected answer differs from the gold answer", 38), Loss("names a step that is not there", 4),
            Loss("arithmetic of a step is wrong", 18))),
        FunnelStage("examples", corrected - 71, (Loss("the same example twice", 11),)),
    ))


def bill() -> Bill:
    student = Line("paths/student", "student", 3_000, 2, 410_112, 150_404, 0.0, 0, True)
    teacher = Line("corrections", "teacher", 1_050, 0, 801_533, 90_077, 0.3804, 0, False)
    stranger = Line("evolved/votes", "stranger", 90, 1, 8_100, 9_210, None, 17_310, False)
    each = tuple(replace(line, stage="") for line in (student, teacher, stranger))
    return Bill((student, teacher, stranger), each, (
        Kept("", 990, teacher, teacher), Kept("evolved", 0, stranger, stranger)), (teacher, stranger),
        (("teacher", "the config"), ("stranger", "price unknown")))


def correction() -> ShownCorrection:
    return ShownCorrection(
        question="Leo has 15 shells. Sam has a third as many as Leo. Ida has 9 more than Sam. How many has Ida?",
        gold="14", student="student-b", stated="54",
        path=("Leo has 15 shells.", "Sam has three times as many: 15 * 3 = 45.",
              "Ida has 9 more than Sam: 45 + 9 = 54.", "The answer is 54."),
        wrong_step=2,
        explanation="A third as many means dividing by three. The step multiplies instead.",
        corrected=("Sam has a third of Leo's shells: 15 / 3 = 5.", "Ida has 9 more than Sam: 5 + 9 = 14.",
                   "The answer is 14."),
        corrector="teacher",
        checks=(("answer", True), ("step", True), ("arithmetic", False)),
    )


def rejected() -> ShownCorrection:
    """A reply that could not be read."""
    return replace(correction(), corrected=(), explanation="", reply="I see no mistake.", stated="55",
                   outcome="rejected: unreadable", checks=(("parsed", False),),
                   path=("Leo has 15.",), wrong_step=2)


def hostile() -> ReportData:
    """The same report with markup in every text that a model, a task or a user can write."""
    data = _spoilt(report())
    return replace(data, baseline=data.arms[0].name)


def _spoilt(value: object) -> object:
    """A copy of a tree of records in which every string ends in markup that would take the page over."""
    if isinstance(value, str):
        return f"{value} {SCRIPT} {QUOTES}"
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(_spoilt(part) for part in value)
    if is_dataclass(value):
        return replace(value, **{field.name: _spoilt(getattr(value, field.name)) for field in fields(value)})
    return value
