"""What a round knows, question by question.

One design decision: rows come as their stages wrote them, model by model and reply by reply; they are put aside on
disk under their question's id and read back question by question.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from lema.examples import Case, Corrected, Criticised
from lema.records import Correction, Critique, Question, ReasoningPath
from lema.scratch import ScratchTable


def cases(folder: Path, questions: Iterable[Question], graded: Iterable[ReasoningPath],
          verified: Iterable[Correction], critiques: Iterable[Critique],
          bought: dict[str, ScratchTable]) -> Iterator[Case]:
    """One case per question, in the order of their ids; rows of unknown questions are left out."""
    with ScratchTable(folder, Question, ReasoningPath, Correction, Critique) as shelf:
        shelf.fill((question.id, question) for question in questions)
        shelf.fill((path.question, path) for path in graded)
        shelf.fill((correction.question, correction) for correction in verified)
        shelf.fill((critique.question, critique) for critique in critiques)
        for _, records in shelf.groups():
            if isinstance(records[0], Question):
                yield _case(records, bought)


def _case(records: list, bought: dict[str, ScratchTable]) -> Case:
    question, *rest = records
    paths = tuple(record for record in rest if isinstance(record, ReasoningPath))
    by_id = {path.id: path for path in paths}
    return Case(
        question=question, paths=paths,
        corrections=tuple(Corrected(record, by_id[record.path]) for record in rest
                          if isinstance(record, Correction) and record.steps),
        critiques=tuple(Criticised(record, by_id[record.path]) for record in rest
                        if isinstance(record, Critique) and not record.rejected),
        bought={name: tuple(shelf.under(question.id)) for name, shelf in bought.items()})
