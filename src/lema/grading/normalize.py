"""A stated answer without its dress: dollar signs, boxes, fonts, spacing commands, unusual characters.

One design decision: what means nothing is taken away once, by a few linear replacements, so that reading a
number and parsing an expression start from the same plain text.
"""

import re
import unicodedata
from functools import lru_cache
from math import gcd

from lema.grading.number_words import NO_UNITS

REMEMBERED = 200  # characters of an answer that is remembered without its dress
EDGES = " \t\r\n.,;:!?*_`\"'“”‘’$"

_SIGNS = str.maketrans({
    **dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t\n\r", " "),
    **dict.fromkeys("\u2212\u2012\u2013\u2014\ufe63\uff0d", "-"),
    **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff",
                    ""),
    **dict.fromkeys("·⋅∙×✕＊", "*"), "÷": "/", "∕": "/", "⁄": "/", "≤": "\\le ", "⩽": "\\le ", "≥": "\\ge ",
    "⩾": "\\ge ", "≠": "\\ne ", "≈": "\\approx ", "π": "\\pi ", "∞": "\\infty ", "∪": "\\cup ", "∩": "\\cap ",
    "∈": "\\in ", "±": "\\pm ", "∓": "\\mp ", "θ": "\\theta ", "α": "\\alpha ", "β": "\\beta ", "º": "°", "˚": "°",
    "⌊": "\\lfloor ", "⌋": "\\rfloor ", "⌈": "\\lceil ", "⌉": "\\rceil ", "∖": "\\setminus ", "∅": "\\emptyset ",
    "ℝ": "\\mathbb{R}", "ℤ": "\\mathbb{Z}", "ℕ": "\\mathbb{N}", "ℚ": "\\mathbb{Q}", "∛": "\\cbrt ", "✓": "",
    "✔": "", "✅": "",
    "∣": "|", "⟨": "\\langle ", "⟩": "\\rangle ", "′": "'", "，": ",", "。": ".", "（": "(", "）": ")", "＝": "=",
    "＋": "+", "％": "%", "：": ":", "．": ".",
    "٪": "%", "٫": ".", "٬": ",", "＄": "$", "∠": "\\angle "})
"""Signs that are written as others. `√` and superscripts need more than a replacement; see `folded`."""

_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿˣ", "0123456789-+nx", strict=True))
_RAISED = re.compile(f"[{''.join(_SUPERSCRIPTS)}]+")
_LOWERED = re.compile("[₀₁₂₃₄₅₆₇₈₉]+")
_ROOT = re.compile("√ ?([0-9]+|[a-z]|(?=[({]))")

_REPEATING = re.compile(
    r"([0-9]{0,20})\.([0-9]{0,20})(?:\\(?:overline|bar|dot) ?\{? ?([0-9]{1,20}) ?\}?"
    r"|\(([0-9]{1,20})\)(?=\W{0,3}\Z))")
_QUOTES = re.compile(r"[\"“”‘’'`*]")
_NOON = re.compile(r"\b([ap])\. ?m\b\.?", re.I)
_ARTICLE = re.compile(r"^(?:the|an|a) ")
_BOX = re.compile(r"\\(?:begin)?(?:boxed|fbox) ?(?=\{)")
_DOMAIN = re.compile(r"\\mathbb ?(?:\{ ?([RZNQC]) ?\}|([RZNQC])(?![A-Za-z]))")
_UNIT_VECTOR = re.compile(
    r"\\(?:mathbf|hat|widehat|vec|boldsymbol|bm) ?\{ ?(?:\\(?:mathbf|hat|boldsymbol"
    r"|text) ?\{ ?)?\\?([ijk])(?:math)? ?\}? ?\}")
_WORD = (r"\\(?:text|mathrm|mbox|textrm|textnormal|operatorname|rm) ?"
         r"\{\s{0,3}(?:[A-Za-zµμ°.²³ /*·-]|\\cdot){1,30}?\s{0,3}\}")
_POWER = r"(?: ?\^ ?(?:\{ ?-? ?[1-9] ?\}|[1-9]))?"
_UNIT = re.compile(
    r"(?<=[0-9})\] \\,;:!a-z])(?:\s|~|\\[,;:! ])*(?:\^ ?\{? ?\\circ ?\}? ?\\(?:text|mathrm) ?\{ ?[CF] ?\}"
    rf"|\\[dt]?frac ?\{{ ?{_WORD}{_POWER} ?\}} ?\{{ ?{_WORD}{_POWER} ?\}}"
    rf"|{_WORD}{_POWER}(?: ?(?:/|\\cdot|\\,) ?{_WORD}{_POWER}){{1,3}}"
    r"|\\(?:text|mathrm|mbox|textrm) ?\{\s{0,3}(?:[A-Za-zµμ]{1,12}(?:(?:[ /*·-]| ?\\cdot ?)[A-Za-z]{1,12}){0,3}"
    r"|[A-Za-z]{1,4}/[A-Za-z]{1,4}(?:\^[23]|²|³))\s{0,3}\}"
    + _POWER + r")(?=(?:[\s.$]|\\[,;:! )\]])*\Z)")
"""A unit that LaTeX sets upright at the end: \\text{ m/s}^2, \\frac{\\text{m}}{\\text{s}}, ^\\circ\\text{C}."""
_REMARK = re.compile(r"(?<=[0-9})\]]) ?(?:\\[ ,;:])? ?\\text ?\{ ?\([^{}()]{3,80}\) ?\}\W{0,4}\Z")
"""What is said about an answer behind it, in brackets."""
_MEANT = re.compile(
    "|".join(NO_UNITS) + r"|pct|illion|\b(?:and|or|if|not|no|all|more|less|mod|base|undefined|factorial)\b", re.I)

_FONTS = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|up|normal|normalfont|color)?|math(?:rm|bf|it|sf|tt|bb|cal|ord|normal)|mbox|hbox"
    r"|textnormal|operatorname\*?|bold(?:symbol)?|bm|rm|bf|it|emph|ensuremath|underline|displaylines) ?"
    r"(?:\{([^{}]{0,400})\}|(?=\{))")
_SIZES = re.compile(
    r"\\(?:left|right|middle|[bB]igg?[lrm]?|displaystyle|textstyle|scriptstyle|limits|nolimits|phantom\{\}|rm|bf"
    r"|it|[lL]arge|LARGE|[hH]uge|small|normalsize|checkmark|quad|nonumber|notag)(?![A-Za-z])\.?")
_COLOUR = re.compile(r"\\(?:text)?color ?\{ ?[a-zA-Z]{1,12} ?\}")
_TIGHT = re.compile(r",?\\! ?|\{ ?, ?\}|(?<=[0-9])\\[,;:] ?(?=[0-9]{3}(?![0-9]))")
_SPACES = re.compile(r"(?<!\\)\\(?:[,;:> ]|q?quad|hspace\{[^{}]{0,20}\}|hfill)|~|&nbsp;")
_DEGREES = re.compile(r"\^ ?(?:\{ ?\\(?:circ|degree) ?\}|\\(?:circ|degree)(?![A-Za-z]))|\\degree(?![A-Za-z])")
_SCALE = re.compile(r"(?<=[0-9})] )° ?[CF](?![A-Za-z])|(?<=[0-9})])°[ $]*[CF](?![A-Za-z])")
_LABEL = re.compile(
    r"\A[\s$]{0,4}\\(?:text(?:bf|it|rm)?|math(?:rm|bf)|mbox) ?\{ ?(?:the )?(?:final )?(?:answer|ans|result"
    r"|total|solution|value)"
    r" ?(?:is|:|=|is:)? ?\}(?:\s|\\[ ,;:!]|\\q?quad(?![A-Za-z])|~|[:=])*(?=[^\s$.])", re.I)
_MATHS_SIGNS = re.compile(r"(?<!\\)\\[()\[\]]|\$")
_PERCENT = re.compile(r" ?\b(?:per ?cent(?:age)?(?: points?)?|pct)\b\.?")
_ESCAPES = re.compile(r"^\\\\?\"|\\\\?\"$")
_ORDINAL = re.compile(r"(?<=[0-9]) ?\^ ?\{? ?(?:th|st|nd|rd)\b ?\}?")
_FRACTIONS = re.compile(r"\\(?:[dtc]|nice|s)frac(?![A-Za-z])")
_DOUBLED = re.compile(
    r"\\\\(?=(?:d?frac|sqrt|left|right|text|pi|cdot|times|boxed|infty|le|ge|in|cup)(?![A-Za-z]))")


def trimmed(text: str) -> str:
    """The text without the dollar signs, bold and full stop around it."""
    return text.strip(EDGES)


def words(text: str) -> str:
    """The words alone: case, spaces, quotation marks, articles and the full stop do not count; of a text without
    letters and digits, its signs."""
    if not any(map(str.isalnum, text)):
        return "".join(text.split()).strip(EDGES)
    if ".m" in text or ".M" in text or ". m" in text:
        text = _NOON.sub(r"\1m", text)
    return _ARTICLE.sub("", " ".join(_QUOTES.sub("", text).strip(EDGES + "()\\").casefold().split()))


def normalized(text: str) -> str:
    """The text without an upright unit behind it and without its dress."""
    return _remembered(text) if len(text) <= REMEMBERED else _normalized(text)


def _normalized(text: str) -> str:
    return as_plain_latex(without_unit(text) if "\\" in text else text)


_remembered = lru_cache(maxsize=2048)(_normalized)  # a gold answer stands beside every path of its question


def without_unit(text: str) -> str:
    """LaTeX without the unit that it sets upright at its end; words that mean something stay, and so do units
    that stand in a row of several."""
    if remark := _REMARK.search(text, max(0, len(text) - 160)):
        text = text[:remark.start()]
    unit = _UNIT.search(text, max(0, len(text) - 160))
    if not unit or _MEANT.search(unit[0]) or "\\text" in text[:unit.start()] or "\\mathrm" in text[:unit.start()]:
        return text
    return text[:unit.start()] + text[unit.end():]


def as_plain_latex(text: str) -> str:
    """The text as plain LaTeX: ASCII signs, no boxes, no fonts, no sizes, no dollar signs, single spaces."""
    if not text.isascii():
        text = folded(text)
    if "\\" in text:
        text = _LABEL.sub("", text)
        if "\\\\" in text and "\\begin" not in text:
            text = _DOUBLED.sub(r"\\", text)
        text = _DOMAIN.sub(lambda match: f"\\mathbb{match[1] or match[2]} ", _BOX.sub("", text))
        if len(set(_UNIT_VECTOR.findall(text))) > 1:
            text = _UNIT_VECTOR.sub(r"\\unit\1 ", text)
        text = _COLOUR.sub("", text.replace("\\not=", "\\ne ").replace("\\not =", "\\ne "))
        text = _FONTS.sub(lambda match: f" {match[1] or ''} ", text)
        text = _SIZES.sub(" ", text)
        text = _SCALE.sub("°", _DEGREES.sub("°", text))
        text = _TIGHT.sub("", text)
        if "\\overline" in text or "\\bar" in text or "\\dot" in text:
            text = _REPEATING.sub(_repeating, text)
        text = _FRACTIONS.sub(r"\\frac", _SPACES.sub(" ", text))
        text = text.replace("\\$", "").replace("\\%", "%").replace("\\#", "#").replace("\\&", "&")
        text = _MATHS_SIGNS.sub(" ", text)
        text = _ORDINAL.sub("", text)
        text = _ESCAPES.sub("", text)
    elif "$" in text or "{" in text or "~" in text:
        text = _ORDINAL.sub("", text)
        text = _TIGHT.sub("", text).replace("~", " ").replace("$", " ")
    if text.lstrip().startswith("{{"):
        text = _unwrapped(text.strip())
    if ".(" in text or "(" in text[-24:-2]:
        text = _REPEATING.sub(_repeating, text)
    if "+/-" in text:
        text = text.replace("+/-", "\\pm ")
    if "{:}" in text:
        text = text.replace("{:}", ":")
    if "%" not in text and ("per" in text or "pct" in text):
        text = _PERCENT.sub("%", text)
    return " ".join(text.split()).strip("*`_ ").rstrip(" .,:;?").strip("*`_ ").removesuffix("\\").rstrip()


def folded(text: str) -> str:
    """Signs of other scripts as ASCII: digits, superscripts, fractions, roots, spaces, arrows of direction."""
    text = text.translate(_SIGNS)
    text = _RAISED.sub(lambda match: "^{" + "".join(map(_SUPERSCRIPTS.get, match[0])) + "}", text)
    text = _LOWERED.sub(lambda match: "_{" + "".join(str(ord(c) - 0x2080) for c in match[0]) + "}", text)
    text = _ROOT.sub(r"\\sqrt{\1}", text).replace("\\sqrt{}", "\\sqrt ").replace("√", "\\sqrt ")
    if text.isascii():
        return text
    return "".join(_ascii(character) for character in text)


def _ascii(character: str) -> str:
    if character.isascii():
        return character
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    if unicodedata.decomposition(character).startswith("<fraction>"):
        upper, _, lower = unicodedata.normalize("NFKC", character).partition("\u2044")
        return f" {upper}/{lower} " if upper and lower else character
    return character


def _repeating(match: re.Match) -> str:
    """0.1\\overline{6} as the fraction that it is."""
    whole, fixed, again = match[1] or "0", match[2], match[3] or match[4]
    lower = (10 ** len(again) - 1) * 10 ** len(fixed)
    upper = int(whole + fixed + again) - int(whole + fixed)
    shared = gcd(upper, lower)
    return f"\\frac{{{upper // shared}}}{{{lower // shared}}}"


def _unwrapped(text: str) -> str:
    """{{{5}}} as 5; braces that do more than surround the whole stay."""
    opened = len(text) - len(text.lstrip("{ "))
    core = text[opened:].rstrip("} ")
    return core if "{" not in core and "}" not in core else text
