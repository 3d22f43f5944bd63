"""Which step a corrector's reply calls wrong, and what it quotes of it.

One design decision: a number counts only behind a label ("Incorrect Step:") or in a clause that blames it ("the
error is in step 3"); where several steps are blamed none is guessed, because a correction of the wrong step is
worse than none.
"""

import re

from lema.replies.marks import DECORATION

LABEL = re.compile(
    r"(?:(?:the|identified|identify the) ){0,2}(?:first )?(?:(?:incorrect|wrong|erroneous|error|"
    r"faulty|flawed|mistaken|problematic)[ \t-]{1,3}steps?(?: number)?|(?:mistake|error)(?: (?:is|lies|"
    r"occurs))? (?:in|at)|location of (?:the )?(?:first )?(?:error|mistake)|(?:mistake|error) location|"
    r"(?:incorrect|wrong|mistake|error)(?=[*_]{0,3}: ?[*_]{0,3} ?step)|"
    r"where (?:it|the solution|things?)(?: first)? (?:went|goes|go) (?:wrong|astray))"
    r"(?: ?\(s\))?(?=[*_ \t|]{0,6}(?:[:：|–—-]|\bis\b|(?:step)? ?#?[0-9]|$))", re.I)
"""A label of the named step where it opens a line."""

_CUE = re.compile(r"(?<!\bno )\b(?:incorrect|wrong|erroneous|error) steps?\b", re.I)
_BEHIND = re.compile(
    r"[\s:：*_#\"'(\[|–—>-]{0,12}(?:(?:is|are|number|steps?|in|at)\b[\s:*_#]{0,4}){0,4}"
    r"([0-9]{1,4})(?!\w|[.,][0-9])", re.I)
_NUMBER = re.compile(r"\bsteps?[ \t*_#]{0,4}([0-9]{1,4})(?!\w|[.,][0-9])", re.I)
_LISTED = re.compile(r"[*_ \t]{0,4}(?:,|and|&|or|to|through|/|–|—|-)[*_ \t]{0,4}"
                     r"(?:(?:and|steps?)[ \t*_]{0,4}){0,2}[0-9]{1,4}\b", re.I)
_FAULT = re.compile(
    r"\b(?:wrong(?:ly)?|incorrect(?:ly)?|erroneous|mistaken(?:ly)?|faulty|flawed|invalid|errors?|mistakes?|slip|"
    r"fails?|forg[eo]ts?|disagree|should|mis(?:calculates?|reads?|interprets?|counts?)|overlooks?|ignores?|"
    r"(?:problem|issue)(?: is| lies| occurs| arises)? (?:in|with|at)|goes astray|"
    r"is not(?=[:,.]|$)|(?:not|isn't|isn’t) (?:correct|right|valid))\b", re.I)
_NO_FAULT = re.compile(
    r"\b(?:no|not an?|without|any|nor) (?:\w+ ){0,2}(?:wrong|incorrect|errors?|mistakes?|slip)\b|"
    r"\b(?:not|isn't|never) (?:wrong|incorrect|mistaken|flawed)\b|\bif\b", re.I)
_CLAUSE = re.compile(r"\n|[.;!?][*_\"”')]{0,4}[ \t]|, (?=(?:but|while|whereas|however|so|and|step)\b)", re.I)
_FIRST = re.compile(r"\b(?:first|earliest)\b", re.I)
_OPENING = re.compile(r"[\s*_#>(\[\"'-]{0,12}(?:(?:step[ \t*_]{0,4}#?)?([0-9]{1,4})(?=[*_]{0,3}(?: ?[.:)\]–—-]|"
                      r" ?(?:\n|$)))|step[ \t*_]{0,4}#?([0-9]{1,4})(?!\w|[.,][0-9]))", re.I)
_APPROVAL = re.compile(r"\b(?:correct|correctly|right|fine|holds|valid|ok|okay|good)\b|[✅✓✔]", re.I)
_NOTHING = re.compile(
    r"[\s:：*_#\"'(\[|–—-]{0,12}(?:is )?(?:none|no(?!\. ?[0-9])|n/?a|nothing|not|null)(?![\w=*/+])", re.I)
_NONE = re.compile(
    r"[\s:：*_]{0,9}(?:(?:there (?:is|are|were) )?no(?:t any)? (?:mistakes?|errors?|incorrect|wrong)\b"
    r"[^.\n]{0,60}|none|n/?a|null|nothing)[\s.!*_]{0,9}$", re.I)
_ALL_RIGHT = re.compile(
    r"\b(?:all (?:of (?:the |these |its )?|the |its |these |\w+ )?steps? (?:are|is|seem|appear|look)(?: to be)? "
    r"(?:all )?(?:correct|right|valid)|"
    r"(?:there (?:is|are)|has|contains|with|(?:i|we) (?:\w+ )?(?:see|find|found|detect|spot)|found) "
    r"(?:no|not any) (?:incorrect|wrong|erroneous|calculation|logical)? ?(?:steps?|mistakes?|errors?)|"
    r"no (?:incorrect|wrong) steps?|nothing is wrong|no corrections? (?:is |are )?(?:needed|necessary|required)|"
    r"(?:every|each) step (?:is|looks|seems) (?:correct|right|valid)|every step holds|"
    r"(?:the|this)(?: \w+)? (?:solution|path|answer|reasoning)(?: \w+)? (?:is|seems|appears to be|looks) "
    r"(?:already |entirely |completely |fully |in fact |actually )?(?:correct|right)"
    r"(?! (?:solution|answer|steps?)))\b(?!,? (?:except|but|apart|until|up to|other than|however))", re.I)
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS = ("second", "2nd", "third", "3rd", "fourth", "4th", "fifth", "5th", "sixth", "6th", "seventh", "7th",
             "eighth", "8th", "ninth", "9th", "tenth", "10th")
_SPELT = re.compile(rf"\bstep ({'|'.join(_WORDS)})\b|\b({'|'.join(_ORDINALS)}) step\b", re.I)

HEAD = 6000  # characters before the corrected solution in which a named step is looked for


def finds_nothing(text: str) -> bool:
    """Whether the reply says that no step is wrong."""
    return bool(_ALL_RIGHT.search(text[:HEAD]))


def denies(section: str) -> bool:
    """Whether what stands behind the label of mistakes says, as a whole, that there are none."""
    return bool(_NONE.match(section))


def behind_label(section: str) -> int | None:
    """The number that stands behind a label; the first of several ("Steps 2 and 3"), 0 where it says that there
    is none, None where there is no number."""
    section = _in_digits(section[:HEAD])
    if _NOTHING.match(section) or _NONE.match(section):
        return 0
    named = _BEHIND.match(section)
    return int(named[1]) if named else _only(section.strip().split("\n", 1)[0])


def blamed(head: str) -> list[int]:
    """The steps that prose calls wrong, in order, each once; the one that is called the first stands alone."""
    steps: list[int] = []
    for clause in _CLAUSE.split(_in_digits(head[:HEAD])):
        number = _blamed_in(clause)
        if number and _FIRST.search(clause):
            return [number]
        if number and number not in steps:
            steps.append(number)
    return steps


def opens_with(head: str) -> int | None:
    """The step that the text opens with ("Step 2." or "2"), unless it is called right there."""
    opening = _OPENING.match(head)
    if opening is None:
        return None
    rest = head[opening.end():opening.end() + 200].split("\n", 1)[0]
    if _APPROVAL.search(rest) and not _FAULT.search(rest):
        return None
    return int(opening[1] or opening[2]) or None


def _in_digits(text: str) -> str:
    """The text with "step two" and "second step" as "step 2"; "first step" stays, for "first" says more often
    which one is wrong."""
    def digits(spelt: re.Match) -> str:
        number = spelt[1] and _WORDS.index(spelt[1].lower()) + 1
        return f"step {number or _ORDINALS.index(spelt[2].lower()) // 2 + 2}"
    return _SPELT.sub(digits, text)


def _blamed_in(clause: str) -> int | None:
    fault = _FAULT.search(clause)
    if fault is None or (_NO_FAULT.search(clause) and not _CUE.search(clause)):
        return None
    if (cue := _CUE.search(clause)) and (named := _BEHIND.match(clause, cue.end())):
        return int(named[1])
    return _only(clause)


def _only(line: str) -> int | None:
    """The one step that a line speaks of; of a list ("steps 2 and 3") the first."""
    mentions = list(_NUMBER.finditer(line))
    numbers = {int(mention[1]) for mention in mentions}
    if len(numbers) > 1:
        for mention in mentions:
            listed = _LISTED.match(line, mention.end())
            numbers -= set(map(int, re.findall(r"[0-9]+", listed[0]))) if listed else set()
    return numbers.pop() if len(numbers) == 1 else None


def quoted(head: str, step: int, *, labelled: bool) -> str:
    """The words of the named step that are repeated behind its number, at least three of them; else nothing.

    What stands in quotation marks is a quotation; without them what follows a colon is one where it stands behind
    a label, and so is a quoted block.
    """
    place = re.search(rf"step[ \t*_#]{{0,4}}{step}(?![0-9])[*_]{{0,3}}[ \t]{{0,3}}", head, re.I)
    if place is None:
        return ""
    rest = head[place.end():place.end() + 2000]
    line, _, below = rest.partition("\n")
    marks = re.match(r"[\s:.,(*_–—-]{0,9}[\"“”'‘`]{1,3}(.{3,}?)[\"“”’`]{1,3}(?=[\s).,:*_]|$)", line)
    bare = re.match(r" ?[:：.][*_ \t]{0,5}(?=\S)", line) if labelled else None
    block = re.match(r"[\s*_.:]{0,6}(?:\n|^) ?> ?([^\n]+)", "\n" + below)
    quote = ""
    if marks:
        quote = marks[1]
    elif bare:
        quote = line[bare.end():]
    elif block and not line.strip(DECORATION + ".:"):
        quote = block[1]
    quote = re.sub(rf"^step[ \t]{{0,3}}{step}[:.)][ \t]{{0,3}}", "", quote.strip(), flags=re.I)
    quote = quote.strip(DECORATION + "\"“”'()[]{}\n")
    return quote if len(quote.split()) >= 3 else ""
