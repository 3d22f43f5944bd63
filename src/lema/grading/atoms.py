"""The smallest parts of a formula: numbers, names, groups, roots, fractions, functions, matrices.

One design decision: each kind of part is read by one short method that looks at the next token only; lists, sums
and products are the parser's (latex), which these methods call for what stands inside brackets.
"""

from fractions import Fraction

from lema.grading import tokens
from lema.grading.tokens import Cursor, Unreadable

DEEPEST = 40  # levels of brackets
ONE = ("num", Fraction(1), 0)


class Atoms(Cursor):
    """A cursor that reads parts. A subclass gives it `items`, `sum`, `factor`, `power`, `exponent`, `postfix`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.bars: list[str] = []  # the bars of absolute values that are open

    def deeper(self) -> None:
        """One level of brackets more. Raises Unreadable where there are too many."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unreadable("too deep")

    def atom(self) -> tuple:
        """One number, name, group, root, fraction or function."""
        self.deeper()
        tree = self._atom(self.any())
        self.depth -= 1
        return tree

    def _atom(self, token: str) -> tuple:
        if token[0] in tokens.DIGITS or (token[0] == "." and len(token) > 1 and token != "..."):
            return ("num", Fraction(token), len(token.partition(".")[2]))
        if token in tokens.CLOSING:
            return self._group(token)
        if token in tokens.BARS:
            return self._absolute(token)
        if token in tokens.ROUNDED:
            inside = self.sum()
            self.need(tokens.ROUNDED[token][0])
            return ("fn", tokens.ROUNDED[token][1], inside, None)
        if token in tokens.IGNORED:
            return self.atom()
        return self._named(token.removeprefix("\\"), token)

    def _named(self, name: str, token: str) -> tuple:
        if name in tokens.WORDS:
            return tokens.WORDS[name]
        if name in tokens.FUNCTIONS:
            return self._function(name)
        if name == "frac":
            return ("div", self._digit_or_group(), self._digit_or_group())
        if name == "sqrt":
            return self._root()
        if name == "binom":
            return ("fn", "binom", self._digit_or_group(), self._digit_or_group())
        if name == "begin":
            return self._matrix()
        if name in ("emptyset", "varnothing"):
            return ("set", ())
        if name in tokens.DOMAINS:
            return tokens.DOMAINS[name]
        if name in tokens.GREEK:
            return ("sym", name)
        if len(token) == 1 and token.isalpha():
            return ("const", token) if token in "ei" else ("sym", token)
        raise Unreadable(token)

    def _digit_or_group(self) -> tuple:
        """What follows \\frac: a group in braces, or one sign of it, as in \\frac12."""
        token = self.next
        if token is not None and len(token) > 1 and tokens.DIGITS.issuperset(token):
            self.tokens[self.at:self.at + 1] = [token[0], token[1:]]
            self.spaced[self.at:self.at + 1] = [self.spaced[self.at], False]
        return self.atom()

    def _root(self) -> tuple:
        if self.take("["):
            degree = self.sum()
            self.need("]")
            return ("fn", "root", self._digit_or_group(), degree)
        return ("fn", "root", self.postfix(self.atom()), None)

    def _group(self, opening: str) -> tuple:
        closing, open_bars = tokens.CLOSING[opening], self.bars
        if self.take(closing):
            return ("set", ())
        if opening in ("{", "\\{", "\\lbrace") and (built := self._such(closing)):
            return built
        self.bars = []
        items, _ = self.items()
        self.bars = open_bars
        closed = self.any()
        if closed == closing or (opening, closed) in (("(", "]"), ("[", ")"), ("]", "[")):
            return _bracketed(opening, closed, tuple(items))
        raise Unreadable(f"{closing} is missing")

    def _such(self, closing: str) -> tuple | None:
        """What follows the brace of { x in R | x > 3 }: a name, perhaps where it is from, and a condition."""
        start, letter = self.at, self.next
        if letter is None or not (len(letter) == 1 and letter.isalpha()):
            return None
        self.at += 1
        within = self.atom() if self.take("\\in") else None
        if not self.take(*tokens.SUCH_THAT):
            self.at = start
            return None
        self.deeper()
        open_bars, self.bars = self.bars, []
        items, either = self.items()
        self.bars = open_bars
        self.depth -= 1
        self.need(closing)
        condition = items[0] if len(items) == 1 else ("or" if either else "list", tuple(items))
        return ("such", condition, within)

    def _absolute(self, opening: str) -> tuple:
        closing = tokens.BARS[opening]
        self.bars.append(opening)
        inside = self.sum()
        self.bars.pop()
        self.need(closing)
        return ("fn", "abs", inside, None)

    def _function(self, name: str) -> tuple:
        base = raised = None
        if name in ("log", "lg") and self.take("_"):
            base = self._digit_or_group()
        if self.take("^"):
            raised = self.exponent()
        if name in ("max", "min", "gcd", "lcm"):
            raise Unreadable(name)
        if self.next == "(":
            argument = self.postfix(self.atom())
        else:
            argument = self.factor()
            while self.next != "(" and self.starts_factor():
                if self.next.removeprefix("\\") in tokens.FUNCTIONS:
                    break
                argument = ("mul", argument, self.power())
        if raised == ("neg", ONE):
            return ("fn", "arc" + name, argument, base)
        tree = ("fn", name, argument, base)
        return ("pow", tree, raised) if raised else tree

    def _matrix(self) -> tuple:
        """\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}: its rows."""
        name = self.raw()
        if not name.endswith(("matrix", "array", "cases")):
            raise Unreadable(name)
        cell = self.relation if name.endswith("cases") else self.sum
        if name == "array" and self.next == "{":
            self.raw()
        rows: list[list[tuple]] = [[]]
        while not self.take("\\end"):
            if self.take("\\\\", "\\cr"):
                rows.append([])
            elif not self.take("&"):
                rows[-1].append(cell())
        self.raw()
        full = tuple(tuple(row) for row in rows if row)
        if not full or len({len(row) for row in full}) != 1:
            raise Unreadable("rows of unequal length")
        if name.endswith("cases"):
            return ("list", tuple(row[0] for row in full)) if len(full[0]) == 1 else (
                "set", tuple(("tuple", row) for row in full))
        return ("matrix", full)


def _bracketed(opening: str, closed: str, items: tuple) -> tuple:
    """What a pair of brackets with these items is."""
    round_or_brace = opening in ("(", "{", "\\lparen")
    if closed != tokens.CLOSING[opening]:
        if len(items) != 2:
            raise Unreadable("an interval has two ends")
        return ("interval", *items, opening.replace("]", "(") + closed.replace("[", ")"))
    if len(items) == 1 and (round_or_brace or (opening == "[" and items[0][0] != "rel")):
        if items[0][0] == "matrix" or opening != "[":
            return items[0]
        return ("closed", items)
    if opening in ("{", "\\{", "\\lbrace"):
        return ("set", items)
    if opening in ("[", "\\lbrack"):
        if any(item[0] in ("interval", "closed") for item in items):
            return ("closed", items)  # the rows of a matrix
        return ("interval", *items, "[]") if len(items) == 2 else ("closed", items)
    return ("tuple", items)
