"""How problems are drawn from a seed.

One design decision: rules come first and numbers after, person by person, so that asking for hard rules in a row
does not quietly turn into easy ones; a row of rules that no numbers fit is given up as a whole.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from lema.tasks.lab.problems import LARGEST, LARGEST_PART, RULES, SOURCE, TARGET, Given, Problem, Relation
from lema.tasks.lab.wording import WORDINGS
from lema.tasks.lab.words import NAMES, SCENES


def draw_rules(rng: random.Random, level: int, share: float) -> list[str]:
    """`level` rules, each a target rule with probability `share`."""
    return [rng.choice(TARGET if rng.random() < share else SOURCE) for _ in range(level)]


def draw(rng: random.Random, rules: Sequence[str], tries: int = 300) -> Problem | None:
    """A problem that takes `rules` in this order, every value within 1..LARGEST; None if none was found."""
    for _ in range(tries):
        facts = _draw_facts(rng, rules)
        problem = Problem(rng.choice(SCENES), tuple(facts))
        try:
            fits = max(problem.values().values()) <= LARGEST
        except ValueError:
            fits = False
        if fits:
            worded = (replace(fact, wording=rng.randrange(len(WORDINGS[fact.rule])))
                      if isinstance(fact, Relation) else fact for fact in facts)
            return replace(problem, facts=tuple(worded))
    return None


def _draw_facts(rng: random.Random, rules: Sequence[str]) -> list[Given | Relation]:
    """Each step rests on the person before it, so every fact is needed; values are not checked."""
    fresh = iter(rng.sample(NAMES, len(NAMES)))
    facts: list[Given | Relation] = [Given(next(fresh), rng.randint(2, LARGEST))]
    for kind in rules:
        rule = RULES[kind]
        of = (facts[-1].name,)
        if rule.people == 2:
            others = [fact.name for fact in facts[:-1]]
            if not others:
                facts.append(Given(next(fresh), rng.randint(2, LARGEST)))
                others = [facts[-1].name]
            of = (of[0], rng.choice(others))
        number = 0 if rule.people == 2 else rule.fixed or rng.randint(2, LARGEST_PART)
        facts.append(Relation(next(fresh), kind, of, number))
    return facts
