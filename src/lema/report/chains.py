"""A one-step correction told: the mistake, the step that mends it, how the student went on, what comes next.

One design decision: every row tells its part of the chain from what it holds itself, in the words of a reader who
goes from one row to the next.
"""

from lema.chains import Continuation, StepCorrection
from lema.replies import number_steps, split_steps, states_the_answer

MARKS = {"right": "right", "wrong": "wrong", "no_answer": "no answer", "truncated": "cut off",
         "ungradable": "not graded", None: "not graded"}


def chain_in_words(row: StepCorrection) -> str:
    """One correction of a chain, for a terminal."""
    whose = "the student's own path" if row.corrects == row.path else "what it went on to"
    lines = [f"try {row.attempt}: {row.student} is wrong ({whose}, id={row.corrects})  id={row.id}",
             *_indented(number_steps(row.mistake))]
    if row.step is None:
        lines += [f"  {row.model} wrote no step that can be read ({row.rejected}):", *_indented(row.reply.strip())]
        return "\n".join(lines)
    lines += [f"  {row.model} writes step {row.step} anew, in {row.tokens:,} tokens:",
              *_indented(number_steps([row.text], row.step))]
    if row.explanation:
        lines += _indented(f"Reason: {row.explanation}")
    if row.continuations:
        goes_on = f"{row.student} goes on{' from before it' if states_the_answer(row.text) else ''}"
        lines.append(f"  {goes_on}, {row.agree} of {len(row.continuations)} to the gold answer:")
        for continuation in row.continuations:
            lines += _written(row, continuation)
    outcome = f"kept is {row.kept}" if row.kept else f"not kept: {row.rejected}"
    return "\n".join([*lines, f"  {outcome}"])


def _written(row: StepCorrection, continuation: Continuation) -> list[str]:
    """A continuation on lines of its own, behind what became of it."""
    mark = MARKS[continuation.verdict]
    if continuation.rejected:
        mark += f", {continuation.rejected}"
    begins = row.step + (not states_the_answer(row.text))
    steps = number_steps(split_steps(continuation.text), begins) or "(nothing)"
    return [f"    {mark}  id={continuation.id}", *_indented(steps, 6)]


def _indented(text: str, width: int = 4) -> list[str]:
    return [" " * width + line for line in text.split("\n")]
