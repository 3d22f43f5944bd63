"""Worked solutions: one step per relation, its formula in names first and then in numbers.

One design decision: the formula in names is written out ("Sam = Leo * 2 = 15 * 2 = 30."), because a tiny model
learns to reckon through it and not without it.
"""

from lema.tasks.lab.problems import RULES, Problem, Relation


def worked_steps(problem: Problem) -> tuple[str, ...]:
    """The texts of the steps, without numbers; the last one states the answer."""
    values = problem.values()
    return (*(step_text(relation, values) for relation in problem.relations), answer_text(problem.answer))


def step_text(relation: Relation, values: dict[str, int]) -> str:
    right = values[relation.of[1]] if len(relation.of) > 1 else relation.number
    numbers = f"{values[relation.of[0]]} {RULES[relation.rule].sign} {right}"
    return f"{relation.name} = {relation.formula} = {numbers} = {values[relation.name]}."


def answer_text(answer: int) -> str:
    return f"The answer is {answer}."
