"""What a report says, as plain data: filled by the report stage, set as a page or as a terminal table.

One design decision: sentences are never handed in. They are made here from the differences themselves, so that
neither the page nor the table can say "better" of an interval that holds zero. `page.render` and
`terminal.table` set the same data.
"""

from dataclasses import dataclass, field

from lema.report.curves import LossCurve
from lema.report.tables import Table
from lema.runs.bills import Bill
from lema.statistics import Accuracy, Difference, Verdict, holm, reading, verdict


@dataclass(frozen=True, slots=True)
class Loss:
    """Rows that fell out on the way to a stage, and why."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class FunnelStage:
    """A stage of a funnel: how many rows came out, and what was lost on the way here.

    Where a stage counts the same things as the one before, count + losses is the count before.
    """

    name: str
    count: int
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class Funnel:
    """One round from questions to training examples."""

    name: str  # "First round", "Evolved from corrections", ...
    stages: tuple[FunnelStage, ...]


@dataclass(frozen=True, slots=True)
class LevelScore:
    """An arm's accuracy on the questions of one level, the mean over its seeds."""

    level: int
    questions: int
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One row of the comparison: what the arm was given, and what came of it. Trained tokens are those
    of one seed's training (the mean where seeds differ); `difference` is None for the baseline itself and for a
    row that is shown for orientation only, as the untrained student."""

    name: str
    description: str = ""
    examples: int = 0  # of its training set, each once
    unique_questions: int = 0
    prompt_tokens: int = 0
    trained_tokens: int = 0  # tokens with loss
    epochs: float = 0.0  # how often each example was seen within the budget
    teacher_tokens: int = 0  # written by the teacher for this arm's examples
    teacher_prompt_tokens: int = 0  # read by it for them
    student_tokens: int = 0  # sampled of the students for them
    dollars: float | None = None  # what the teacher was paid for them; None where a price is not known
    accuracy: Accuracy
    difference: Difference | None = None
    levels: tuple[LevelScore, ...] = ()
    shared: dict[str, tuple[int, int]] = field(default_factory=dict)  # other arm -> its examples, questions too

    @property
    def paid(self) -> float:
        """The dollars that are known."""
        return self.dollars or 0.0


@dataclass(frozen=True, slots=True)
class PlannedComparison:
    """An arm against another, named in the config."""

    arm: str
    baseline: str
    difference: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCorrection:
    """One correction in full; step texts come without their numbers, as in the records."""

    question: str
    gold: str
    student: str  # the model whose mistake it is
    stated: str  # the wrong final answer
    path: tuple[str, ...]
    wrong_step: int  # 1-based
    explanation: str
    corrected: tuple[str, ...]  # the first one is number `wrong_step`
    corrector: str
    checks: tuple[tuple[str, bool], ...] = ()  # every check, and whether it passes
    outcome: str = "kept"
    reply: str = ""  # as it was written, where it holds no steps


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """Everything that a report shows. Arms come in the config's order, the baseline among them."""

    title: str
    baseline: str  # the arm that every row's difference is against
    arms: tuple[Arm, ...]
    headline: PlannedComparison | None = None
    standing: str = ""  # of a run without a comparison: how far it came
    named: bool = False  # whether the plan is checked to be that of the run's first start
    control: PlannedComparison | None = None  # the headline's arm against the arm of equal teacher tokens
    pairs: tuple[PlannedComparison, ...] = ()  # what else the run was made for
    elsewhere: tuple[float, ...] = ()  # p-values of the comparisons on further test sets, of the same family
    disagreement: float | None = None  # share of questions on which two seeds of one arm disagree
    funnels: tuple[Funnel, ...] = ()
    gallery: tuple[ShownCorrection, ...] = ()
    made: tuple[str, ...] = ()  # when, how long it took, on which machine
    tables: tuple[Table, ...] = ()  # beside the comparison
    bill: Bill | None = None
    config: str = ""  # the TOML text as run
    versions: tuple[tuple[str, str], ...] = ()  # lema first
    checked: tuple[str, ...] = ()  # what the run's folder says of its plan and its looks at the test questions
    notes: tuple[str, ...] = ()
    curves: tuple[LossCurve, ...] = ()  # how the arms' fits went

    @property
    def differences(self) -> dict[str, Difference]:
        """The difference from the baseline, by arm."""
        return {arm.name: arm.difference for arm in self.arms if arm.difference is not None}

    @property
    def judged(self) -> tuple[Arm, ...]:
        """The arms that the comparison is about: the baseline and those with a difference from it."""
        return tuple(arm for arm in self.arms if arm.difference is not None or arm.name == self.baseline)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The arms whose price is not known, where that of another one is."""
        unknown = (arm.name for arm in self.arms if arm.dollars is None and arm.teacher_tokens)
        return tuple(unknown) if any(arm.paid for arm in self.arms) else ()

    @property
    def seeds(self) -> int:
        """The most seeds that any row was trained with."""
        return max((len(arm.accuracy.seeds) for arm in self.arms), default=0)


@dataclass(frozen=True, slots=True)
class Family:
    """All comparisons of a report, corrected together (Holm): those with the baseline, the planned ones, and those
    on further test sets, which only count here."""

    differences: dict[tuple[str, str], Difference]  # by (arm, what it is held against)
    p_values: dict[tuple[str, str], float]  # Holm's
    total: int  # those on further test sets counted

    def claim(self, arm: str, other: str) -> Verdict:
        return verdict(self.differences[arm, other], self.p_values[arm, other])

    def sentence(self, arm: str, other: str) -> str:
        """What a comparison shows, with its intervals."""
        shown = reading(self.differences[arm, other], self.p_values[arm, other], self.total)
        return f"{arm} against {other}: {shown}."

    def detectable(self, arm: str, other: str) -> float:
        """The smallest difference that the comparison detects, the number of comparisons counted."""
        return self.differences[arm, other].detectable(self.total)


def family(data: ReportData) -> Family:
    """The comparisons that the report shows, each once."""
    differences = {(arm, data.baseline): difference for arm, difference in data.differences.items()}
    for planned in filter(None, (data.headline, data.control, *data.pairs)):
        differences.setdefault((planned.arm, planned.baseline), planned.difference)
    p_values = holm([*(difference.p_value for difference in differences.values()), *data.elsewhere])
    return Family(differences, dict(zip(differences, p_values, strict=False)), len(p_values))


def claims(data: ReportData) -> dict[str, Verdict]:
    """What each arm's difference from the baseline bears, once corrected for the number of comparisons."""
    every = family(data)
    return {arm: every.claim(arm, data.baseline) for arm in data.differences}
