"""Which part of a sentence says its result, and which of its numbers are only said in passing.

One design decision: closed lists of function words and no arithmetic: a sentence is cut at the words that lead to
a result ("so", ", which leaves"), what conditions, reasons and purposes hold is laid aside, and of the numbers
that are left each gets a rank by the words around it. Where everything is said in passing, the last number is it.
"""

import re

from lema.grading.numbers import NUMBER

REACH = 110  # characters before a number in which what governs it stands
SAID, IN_PASSING, GIVEN, NAMED = range(4)

_RESULT = re.compile(
    r"\b(?:so(?! (?:that(?!['’]s\b| (?:is|are|was|will|would|makes|leaves|gives|means|comes|costs|equals)\b)|as"
    r"|many|much|far)\b)|then|thus|therefore|hence"
    r"|meaning|bringing|leaving|making|giving|totall?ing|resulting in|for a total)\b"
    r"|\b(?:which|that|this|and|it) (?:then |now |only |still )?(?:leaves|means|makes|gives|brings|comes|equals"
    r"|totals"
    r"|amounts|results|rounds|would leave|will leave|left)\b|[:;] |=> ?|→|\u21d2"
    r"|\bwhich (?:is|was|are) (?:about |exactly |only |just )?(?=[$\d])")
_ABLE = re.compile(r" (?:he|she|it|they|we|i|you) (?:can|could|has|have|gets?)\b", re.I)
_OUGHT = re.compile(r"\b(?:needs?|must|should|(?:has|have) to|ought)\b(?!.*(?: and |, ))", re.S)
_WORKED_OUT = re.compile(r"\b(?:divid|multipl|add|subtract|split|sum|times|minus|plus)", re.I)
_LEADING = re.compile(
    r"\s*(?:(?:so|thus|therefore|hence|now|then|and|but|finally|(?:this|that|which) means(?: that)?|in total"
    r"|altogether|however)\b,? "
    r"?)*(?:if|when|whenever|since|as|after|before|because|given|while|once|for|with|in|at|during|to|of|out of"
    r"|from|by"
    r"|on|over|using|assuming|every|each|until|within|between|among|having"
    r"|[A-Za-z]{3,12}ing)\b[^,;]{1,200}?, (?=[A-Za-z$\d])", re.I)
_TRAILING = re.compile(
    r",? \(?\b(?:because|since|if|when|whenever|while|as long as|given that|assuming|in order (?:to|that|for)"
    r"|even though|although"
    r"|unless|until|till|before|after|considering|rather than|instead of|compared (?:to|with)|so (?:that"
    r"|as to))\b|, (?:as|and not|not|where|whose|whereas|but not)\b|,? and not (?=[$\d])")
_PREPOSITIONS = frozenset((
    "for", "in", "of", "from", "per", "when", "than", "with", "over", "at", "by", "after", "before", "within",
    "during",
    "every", "until", "into", "on", "since", "if", "because", "once", "while", "step", "among", "between",
    "through",
    "across", "against", "around", "above", "below", "under", "beyond", "worth", "weighing", "costing", "holding",
    "containing", "measuring", "having", "lasting", "including", "using", "to"))
_STOPS = frozenset((
    "is", "are", "was", "were", "be", "has", "have", "had", "gets", "get", "got", "makes", "made", "need", "needs",
    "needed", "takes", "take", "took", "costs", "cost", "pays", "pay", "paid", "earns", "earn", "earned", "spends",
    "spend", "spent", "equals", "equal", "leaves", "leave", "left", "will", "would", "can", "must", "and", "or",
    "there", "total", "all"))
"""Words behind a preposition that end its reach."""

_WORDS = 4  # words between a preposition and its number
_BEFORE_NUMBER = frozenset(("the", "about", "only", "just", "exactly", "a", "an"))
_REACHED = re.compile(
    r"\b(?:(?:total|equal|equals|sum|up|down|back|com(?:es?|ing)|came|amount(?:s|ed|ing)?|add(?:s|ed|ing)?"
    r"|round(?:s|ed|ing)?(?: up"
    r"| down| off)?|increas(?:es?|ed|ing)|decreas(?:es?|ed|ing)|reduc(?:es?|ed|ing)|r[io]ses?|drop(?:s|ped)?"
    r"|grows?|grew|falls?|fell"
    r"|leads?|closes?t?|corresponds?|translates?) (?:up )?to|(?:left|up|home|start(?:s|ed)?|remain(?:s|ed|ing)?"
    r"|is|are|ends?|ended|finish(?:es|ed)?"
    r"|begins?|began|away|(?:leav(?:es?|ing)|left) [A-Za-z]{2,12}) (?:only )?with"
    r"|(?:total|sum|average|mean|profit|loss|discount|cost|price|difference|weight|length|height|width|depth"
    r"|distance|speed|rate"
    r"|score|salary|balance|amount|value|area|volume|perimeter|probability|chance|percentage|ratio|age|bill"
    r"|income|revenue"
    r"|saving|savings|gain|raise|tip|fee|fine|payment|charge|number|maximum|minimum|product|quotient|remainder)"
    r"(?: [a-z]{1,12}){0,2} of|as)(?: (?:about|exactly|only|just|approximately|around|roughly))? [$£€]?\Z", re.I)
"""A preposition before a number that the sentence comes to: "equal to 5", "left with 5", "a profit of 5"."""

_DETERMINERS = frozenset(("the", "these", "those", "his", "their", "its", "my", "your", "our", "both"))
_RELATIVES = frozenset(("that", "which", "who"))
_BE = frozenset(("is", "are", "was", "were"))
_OF_THINGS = _BE | {
    "costs", "cost", "weighs", "weigh", "holds", "hold", "contains", "contain", "measures", "measure", "lasts",
    "last",
    "takes", "take", "sells", "sell", "fits", "fit", "seats", "seat", "pays", "pay", "needs", "need", "earns",
    "earn",
    "travels", "travel", "runs", "run", "has", "have", "had"}
"""Verbs of a clause that describes a thing: "the bike that costs"."""

_NAMES = frozenset((
    "step", "grade", "page", "room", "level", "chapter", "question", "part", "case", "horse", "type", "number",
    "no.",
    "problem", "round", "version", "figure", "day", "week", "month", "year", "lane", "bus", "gate", "floor",
    "table",
    "apartment", "exercise", "equation", "column", "row", "line", "#"))
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b|-[A-Za-z]")
_AWAY = re.compile(
    r"(?: [A-Za-z]{2,12}){1,2} (?:from now|ago|later|earlier|away|from (?:home|here)|old\b(?= [A-Za-z])"
    r"|long\b(?= [A-Za-z]))")
_CAN = re.compile(r"(?: [A-Za-z-]{2,15}){1,3} (?:can|could|will|would) (?!be\b|remain\b|fit\b|have\b)[a-z]")
_COMPLEMENTS = frozenset((
    "need", "needs", "needed", "needing", "has", "have", "had", "having", "want", "wants", "wanted", "going",
    "able",
    "likely", "supposed", "expected", "used", "required", "ought", "got", "gets", "get", "likes", "like", "plans",
    "plan", "planned", "decides", "decided", "hopes", "hoped", "tries", "tried", "continues", "starts", "started",
    "began", "begins", "left", "allowed", "willing", "chooses", "chose", "manages", "managed", "wishes", "is",
    "are",
    "was", "were", "be", "still", "ready", "helps", "helped", "agreed", "forced", "bound", "set", "due", "about"))
"""Words whose "to" goes on with what the sentence says: "needs to sell 5"; any other "to sell 5" is a purpose."""

_FINITE = frozenset((
    "is", "are", "was", "were", "has", "have", "had", "will", "would", "can", "could", "must", "should", "needs",
    "takes", "costs", "gets", "and", "or", "which", "that", "so"))
_DOWN_TO = re.compile(r"(?: (?:down|up|back))? to [$£€]?\Z")
_PURPOSE_WORDS = 7  # words between the "to" of a purpose and its number


def result_clause(sentence: str) -> str:
    """The part of a sentence that says what it comes to: behind the last word that leads to a result, without the
    conditions, reasons and purposes before and behind it. Each cut is made only where a number is left."""
    start = 0
    for joint in _RESULT.finditer(sentence):
        purpose = _ABLE.match(sentence, joint.end()) and _OUGHT.search(sentence[start:joint.start()])
        if purpose and NUMBER.search(sentence, start, joint.start()):
            sentence = sentence[:joint.start()]  # "he has to work 5 days so he can buy the one for $90"
            break
        if NUMBER.search(sentence, joint.end()):
            start = joint.end()
    clause = sentence[start:]
    if (lead := _LEADING.match(clause)) and NUMBER.search(clause, lead.end()):
        clause = clause[lead.end():]
    for end in _TRAILING.finditer(clause):
        if NUMBER.search(clause, 0, end.start()):
            return clause[:end.start()]
    return clause


def rank(text: str, start: int, end: int) -> int:
    """How much in passing the number is said that stands there: SAID, IN_PASSING, GIVEN or NAMED."""
    before = text[max(0, start - REACH):start]
    words = before.lower().rstrip("$£€ ").split()[-8:]
    if (words and words[-1] in _NAMES) or before.endswith("#") or _ORDINAL.match(text, end) or (
            _is_adjacent(text, start, end)):
        return NAMED
    if _is_given(words) or _is_purpose(before):
        return GIVEN
    if _governed(words, before) or _AWAY.match(text, end) or (not words and _CAN.match(text, end)):
        return IN_PASSING
    return SAID


def _governed(words: list[str], before: str) -> bool:
    """Whether a preposition, whose reach no verb ends, governs what stands behind these words."""
    for place, word in enumerate(reversed(words[-_WORDS - 1:])):
        if word in _PREPOSITIONS:
            after = words[-place] if place else ""
            if (word == "at" and after in ("least", "most")) or (word == "to" and (
                    place > 1 or (place and after not in _BEFORE_NUMBER))):
                return False
            return word not in ("to", "with", "of", "as") or _REACHED.search(before[-70:]) is None
        if word in _STOPS or not word.replace("'", "").replace("-", "").isalpha():
            return False
    return False


def _is_given(words: list[str]) -> bool:
    """Whether the words before a number make it one that is known: "the 36", "that costs"."""
    if not words:
        return False
    if words[-1] in _DETERMINERS or (words[-1] == "all" and words[-2:-1] != ["in"]):
        return True
    for place in range(len(words) - 2, max(-1, len(words) - 7), -1):
        if words[place] in _RELATIVES and words[place + 1] in _OF_THINGS:
            directly = place + 2 == len(words) and words[place + 1] in _BE and words[place] != "who"
            return not directly and all(word.isalpha() for word in words[place:])
    return False


def _is_adjacent(text: str, start: int, end: int) -> bool:
    """Whether another number stands right before this one, which then describes things: "2 $10 bills"."""
    before = text[max(0, start - 3):start]
    return before[-1:] == " " and before[-2:-1].isdigit() and text[end:end + 2].strip(" -")[:1].isalpha()


def _is_purpose(before: str) -> bool:
    """Whether a "to" with a verb, and no word that asks for it, governs what follows: "to buy the bike for"."""
    lowered = _DOWN_TO.sub("", f" {before.lower()}")
    at = lowered.rfind(" to ")
    words = lowered[at + 4:].split()
    if at < 0 or not words or len(words) > _PURPOSE_WORDS or "," in lowered[at:]:
        return False
    if not _FINITE.isdisjoint(words[1:]):
        return False
    head = lowered[:at].rstrip(" ").rsplit(" ", 1)[-1].strip(",$")
    if words[0] in ("get", "give", "find", "obtain", "make") and _WORKED_OUT.search(before):
        return False
    return head not in _COMPLEMENTS and words[0].isalpha() and "enough" not in lowered
