"""One question of the lab with a right path, a wrong one and its correction, as kinds of examples see it."""

from lema.examples import Case, Corrected, Criticised, Words, find_kind
from lema.examples.take import Take
from lema.prompting import find_prompt
from lema.records import Correction, Critique, Example
from lema.replies import number_steps
from lema.tasks import find_task
from tests.stages.desk import LEO, RIGHT, WRONG, path

RIGHT_PATH = path(LEO, *RIGHT, verdict="right", model="student", tokens=40)
WRONG_PATH = path(LEO, *WRONG, model="early")
BOUGHT = path(LEO, *RIGHT, verdict="right", model="teacher", tokens=44)
WHY = "Ida has 9 more than Sam, so 9 must be added, not taken away."
KEPT = Correction(question=LEO.id, path=WRONG_PATH.id, model="teacher", reply="…", tokens=60, step=2,
                  explanation=WHY, steps=RIGHT[1:], verified=True)
REFUSED = Correction(question=LEO.id, path=WRONG_PATH.id, model="teacher", reply="!", tokens=50, step=1,
                     explanation="This step does not follow from the story.", steps=WRONG, verified=False,
                     rejected="wrong final answer")
MENDED = f"Step 1: Sam has twice as many as Leo.\nStep 2: {WHY}\nIncorrect Step: Step 2."
APPROVED = Critique(question=LEO.id, path=RIGHT_PATH.id, verdict="right", model="teacher", reply="…", tokens=30,
                    text="Step 1: Sam has twice as many as Leo.\nNothing is wrong.", said="right")
BLAMED = Critique(question=LEO.id, path=WRONG_PATH.id, verdict="wrong", model="teacher", reply="…", tokens=35,
                  text=MENDED, said="wrong", step=2)
MISSED = Critique(question=LEO.id, path=WRONG_PATH.id, verdict="wrong", model="teacher", reply="!", tokens=20,
                  text="Step 1: This step is correct.\nNothing is wrong.", said="right")
CASE = Case(question=LEO, paths=(RIGHT_PATH, WRONG_PATH), bought={"random": (BOUGHT,), "failed": (BOUGHT,)},
            corrections=(Corrected(KEPT, WRONG_PATH), Corrected(REFUSED, WRONG_PATH)),
            critiques=(Criticised(APPROVED, RIGHT_PATH), Criticised(BLAMED, WRONG_PATH),
                       Criticised(MISSED, WRONG_PATH)))
TASK = find_task("lab", {})
WORDS = Words(lambda question: TASK.prompt(question)[0].content, lambda name: find_prompt(name, "lab"), "student")
ASKED = f"Question: {LEO.text}\nSolution:\n"
WRONG_TEXT, RIGHT_TEXT = number_steps(WRONG), number_steps(RIGHT)


def made(case: Case = CASE, **take: object) -> list[Example]:
    """What a line of `take` makes of a case."""
    return list(find_kind(Take(**take), "take").make(case, WORDS))
