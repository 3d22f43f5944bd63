"""A one-step correction read: the first wrong step's number, that step written anew and, where wanted, why.

One design decision: it is the shortest of corrections, in the same labels, so the same sections are looked at; of
a corrector that goes on behind the asked step only that step is taken, and what cannot be assigned is `Unparsed`.
"""

from collections.abc import Sequence

from lema.replies.correction import (
    Section,
    explanation_in,
    named_in,
    quote_in,
    sections_of,
    solution_in,
    unlabelled_in,
)
from lema.replies.marks import step_mark
from lema.replies.naming import finds_nothing
from lema.replies.opened import LONGEST, opened
from lema.replies.solution import DOTS, Solution, solution_lines
from lema.replies.written import Parsed, Unparsed


def parse_step(reply: str, *, reason: bool) -> Parsed | Unparsed:
    """Reads the reply to a prompt for one step; `reason`: whether the prompt asked for one. `first_number` is the
    number that the corrector wrote before the step, the named one where it wrote none."""
    if len(reply) > LONGEST:
        return Unparsed("longer than a correction can be")
    sections = sections_of(opened(reply))
    place, solution = _asked_step(sections)
    before = sections[:place]
    named = named_in(before)
    if not named:
        nothing = named == [] or finds_nothing("\n".join(section.text for section in before))
        return Unparsed("finds no mistake" if nothing else "no step named")
    if solution is None:
        place, solution, before = unlabelled_in(sections, named)
    if len(named) > 1 and (solution is None or solution.first_number not in named):
        return Unparsed("names several steps")
    step = named[0] if len(named) == 1 else solution.first_number
    if solution is None or not solution.steps:
        return Unparsed("no corrected step")
    explanation = explanation_in(before, sections[place + 1:], step) if reason else ""
    if reason and not explanation:
        return Unparsed("no explanation")
    first, steps = _from(step, solution.first_number or step, solution.steps)
    if not steps or not steps[0]:
        return Unparsed("leaves corrected steps out")
    return Parsed(step, explanation, steps[:1], first, solution.has_dots, quote_in(before, step))


def _asked_step(sections: Sequence[Section]) -> tuple[int, Solution | None]:
    """As `solution_in`; but what stands without a number before numbered steps is the asked step, not a
    lead-in."""
    place, solution = solution_in(sections)
    lines = solution_lines(sections[place].text) if solution else []
    if lines and step_mark(lines[0]) is None and any(map(step_mark, lines[1:])) and lines[0] not in DOTS:
        return place, Solution(lines[:1], None, has_dots=False)
    return place, solution


def _from(step: int, first: int, steps: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """(first number, steps) from the named step on, where the corrector began before it."""
    earlier = min(max(0, step - first), len(steps) - 1)
    return first + earlier, tuple(steps[earlier:])


def render_step(step: int, text: str, reason: str = "") -> str:
    """What follows the cue "Incorrect Step:" where one step is asked for."""
    why = f"Reason: {reason}\n" if reason else ""
    return f" {step}\n{why}{STEP_LABEL} {text}"


STEP_LABEL = "Corrected Step:"
"""What stands before the step that is written anew; a prompt that holds it asks for one step."""
