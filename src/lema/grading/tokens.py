"""The tokens of a formula: what the parser of answers knows by name.

One design decision: tokens are cut once by one pattern; a cursor over them is all that the parser moves.
"""

import re

from lema.grading.units import IN_FORMULAS

_TOKEN = re.compile(
    r"(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|(?P<command>\\[A-Za-z]+|\\.)|(?P<word>[A-Za-z]+)|(?P<space>\s+)"
    r"|(?P<sign>\*\*|<=|>=|=<|=>|!=|==|\.\.\.|.)", re.S)
RELATIONS = {
    "=": "=", "==": "=", "<": "<", ">": ">", "<=": "<=", "=<": "<=", ">=": ">=", "=>": ">=", "!=": "!=",
    "\\le": "<=", "\\leq": "<=", "\\leqslant": "<=", "\\ge": ">=", "\\geq": ">=", "\\geqslant": ">=", "\\lt": "<",
    "\\gt": ">", "\\ne": "!=", "\\neq": "!=", "\\in": "in", "\\approx": "~", "\\equiv": "=", "\\simeq": "~",
    "\\to": "=", "\\rightarrow": "=", "\\mapsto": "=", "\\colon": ":"}
FUNCTIONS = frozenset((
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "ln", "log",
    "exp", "lg", "max", "min", "gcd", "lcm", "arccot", "cosec", "cis", "cbrt"))
GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota",
    "kappa", "lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "upsilon", "phi", "varphi", "chi", "psi", "omega",
    "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega", "ell", "hbar", "emptyset",
    "varnothing", "aleph", "Re", "Im", "uniti", "unitj", "unitk"))
DOMAINS = {f"mathbb{letter}": ("domain", letter) for letter in "RZNQC"}
WORDS = {"pi": ("const", "pi"), **dict.fromkeys(("infty", "infinity", "inf", "oo"), ("const", "inf"))}
TIMES = frozenset(("*", "\\cdot", "\\times", "\\ast", "\\cdotp"))
OVER = frozenset(("/", "\\div", ":"))
CLOSING = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "\\lbrace": "\\rbrace", "\\langle": "\\rangle",
            "\\lparen": "\\rparen", "\\lbrack": "\\rbrack"}
ENDS = frozenset(CLOSING.values())
BARS = {"|": "|", "\\vert": "\\vert", "\\lvert": "\\rvert", "\\|": "\\|", "\\lVert": "\\rVert"}
SUCH_THAT = frozenset(("\\mid", "|", ":", "\\vert", "\\colon"))
ROUNDED = {"\\lfloor": ("\\rfloor", "floor"), "\\lceil": ("\\rceil", "ceil")}
SEPARATORS = frozenset((",", ";"))
IGNORED = frozenset((
    "\\angle", "\\triangle", "\\measuredangle", "\\vec", "\\overline", "\\overrightarrow", "\\hat", "\\bar",
    "\\mathbb", "\\mathbf", "\\mathrm"))
ENGLISH = IN_FORMULAS | {
    "the", "for", "all", "not", "odd", "any", "are", "if", "is", "no", "of", "to", "as", "at", "by", "in", "on",
    "yes", "none", "has", "was", "who", "out", "than"}
"""Words that are no product of their letters: what has one of them is no formula."""

DIGITS = frozenset("0123456789")
STOPS = frozenset((
    "and", "or", "+", "-", "\\pm", "\\mp", "\\cup", "\\cap", "\\setminus", "\\backslash", "&", "\\\\", "\\end",
    "|", "\\rvert", "\\rVert", "\\mid", "\\rfloor", "\\rceil", "\\wedge", "\\vee", "\\land", "\\lor",
)) | ENDS | SEPARATORS | frozenset(RELATIONS)
"""No factor begins with these."""


class Unreadable(Exception):
    """The text is no formula that the parser knows."""


class Cursor:
    """The tokens of a text and a place among them."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        self.spaced: list[bool] = []  # whether a space stood before the token
        self.at = 0
        space = False
        for match in _TOKEN.finditer(text):
            if match.lastgroup == "space":
                space = True
                continue
            for part in _names(match[0]) if match.lastgroup == "word" else (match[0],):
                self.tokens.append(part)
                self.spaced.append(space)
                space = False

    @property
    def next(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *wanted: str) -> bool:
        """Moves on if one of these comes next."""
        if self.at < len(self.tokens) and self.tokens[self.at] in wanted:
            self.at += 1
            return True
        return False

    def need(self, wanted: str) -> None:
        """Moves over this one. Raises Unreadable where another comes next."""
        if not self.take(wanted):
            raise Unreadable(f"{wanted} is missing")

    def any(self) -> str:
        """The next one, whichever it is. Raises Unreadable at the end."""
        if self.at >= len(self.tokens):
            raise Unreadable("ends early")
        self.at += 1
        return self.tokens[self.at - 1]

    def raw(self) -> str:
        """The characters of a group in braces, or of one token."""
        if not self.take("{"):
            return self.any()
        inside: list[str] = []
        depth = 1
        while True:
            token = self.any()
            depth += (token == "{") - (token == "}")
            if not depth:
                return "".join(inside)
            inside.append(token)


def _names(word: str) -> tuple[str, ...]:
    """A word as the names that it is made of: "sqrt" and "pi" are one, "xy" is x times y, "odd" is no formula."""
    if word in FUNCTIONS or word in WORDS or word in ("sqrt", "and", "or"):
        return (word,)
    english = word in ENGLISH or (len(word) > 2 and word.lower() in ENGLISH)
    return (word,) if english or (len(word) > 3 and not word.isupper()) else tuple(word)
