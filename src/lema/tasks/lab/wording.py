"""From a problem to its story and back.

One design decision: a wording is one template that both writes a sentence and, turned into a pattern, reads it;
and a story counts as read only when writing it again gives the very same text. So the teacher, who gets nothing
but text, either knows the whole solution graph or knows that it does not.
"""

import re
from functools import cache

from lema.tasks.lab.problems import RULES, Given, Problem, Relation
from lema.tasks.lab.words import SCENES, Scene

WORDINGS = {
    "more": ("{new} {verb} {n} more {thing} than {old}.",
             "{new} {verb} as many {thing} as {old} and {n} more."),
    "fewer": ("{new} {verb} {n} fewer {thing} than {old}.",
              "{new} is {n} {thing} short of {old}."),
    "twice": ("{new} {verb} twice as many {thing} as {old}.",
              "{new} {verb} double what {old} {verb}."),
    "half": ("{new} {verb} half as many {thing} as {old}.",
             "{new} {verb} half of what {old} {verb}."),
    "together": ("{new} {verb} as many {thing} as {old} and {other} together.",
                 "{old} and {other} together {plain} as many {thing} as {new}."),
    "thrice": ("{new} {verb} thrice as many {thing} as {old}.",
               "{new} {verb} three times what {old} {verb}."),
    "dozen": ("{new} {verb} a dozen more {thing} than {old}.",
              "{new} {verb} as many {thing} as {old} and a dozen more."),
    "third": ("{new} {verb} a third as many {thing} as {old}.",
              "{new} {verb} a third of what {old} {verb}."),
    "inverse": ("{old} {verb} {n} more {thing} than {new}.",
                "{old} {verb} as many {thing} as {new} and {n} more."),
}
GIVEN = "{new} {verb} {n} {thing}."
ASKED = "How many {thing} does {new} {plain}?"


def write(problem: Problem) -> str:
    """The story and its question, on one line."""
    sentences = [_tell(problem.scene, fact) for fact in problem.facts]
    if problem.scene.place:
        sentences[0] = f"{problem.scene.place} {sentences[0]}"
    return " ".join([*sentences, _fill(ASKED, problem.scene, new=problem.facts[-1].name)])


def parse(text: str) -> Problem | None:
    """The problem whose story is exactly `text`, None for any text that the lab does not write."""
    sentences = re.findall(r"[^.?]+[.?]", text)
    scene = _scene_of(text)
    if scene is None or len(sentences) < 3:
        return None
    facts: list[Given | Relation] = []
    for sentence in sentences[:-1]:
        fact = _hear(sentence.strip().removeprefix(scene.place).strip(), scene, {fact.name for fact in facts})
        if fact is None:
            return None
        facts.append(fact)
    problem = Problem(scene, tuple(facts))
    try:
        problem.values()
    except ValueError:
        return None
    return problem if problem.level and write(problem) == text else None


def _fill(template: str, scene: Scene, **parts: object) -> str:
    return template.format(verb=scene.verb, plain=scene.plain, thing=scene.thing, **parts)


def _tell(scene: Scene, fact: Given | Relation) -> str:
    if isinstance(fact, Given):
        return _fill(GIVEN, scene, new=fact.name, n=fact.value)
    people = dict(zip(("old", "other"), fact.of, strict=False))
    return _fill(WORDINGS[fact.rule][fact.wording], scene, new=fact.name, n=fact.number, **people)


def _scene_of(text: str) -> Scene | None:
    for scene in SCENES:
        start = f"{scene.place} " if scene.place else ""
        if re.match(rf"{start}[A-Z][a-z]+ {scene.verb} \d+ {scene.thing}\.", text):
            return scene
    return None


@cache
def _pattern(template: str, scene: Scene) -> re.Pattern:
    name = "(?P<{}>[A-Z][a-z]+)".format
    written = _fill(re.sub(r"([.?])", r"\\\1", template), scene, new=name("new"), old="{old}", other=name("other"),
                    n=r"(?P<n>\d{1,4})")
    first, *again = written.split("{old}")
    return re.compile(first + name("old") + "(?P=old)".join(again) if again else first)


def _hear(sentence: str, scene: Scene, people: set[str]) -> Given | Relation | None:
    """The fact in one sentence: a relation's old people must be among `people`, its new one must not."""
    stated = _pattern(GIVEN, scene).fullmatch(sentence)
    if stated:
        return Given(stated["new"], int(stated["n"])) if stated["new"] not in people else None
    for rule, templates in WORDINGS.items():
        for place, template in enumerate(templates):
            match = _pattern(template, scene).fullmatch(sentence)
            parts = match.groupdict() if match else {}
            of = tuple(parts[part] for part in ("old", "other") if part in parts)
            if match and people.issuperset(of) and parts["new"] not in people:
                return Relation(parts["new"], rule, of, _number(rule, parts), place)
    return None


def _number(rule: str, parts: dict[str, str]) -> int:
    if RULES[rule].people == 2:
        return 0
    return RULES[rule].fixed or int(parts["n"])
