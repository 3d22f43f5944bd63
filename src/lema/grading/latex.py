"""LaTeX and plain formulas as trees.

One design decision: a recursive parser of our own for what answers are made of, with a bound on length and
depth. It reads or it raises `Unreadable`; it never guesses, and nothing is ever evaluated by Python.

A tree is a tuple whose first item says what it is: ("num", Fraction, decimals), ("sym", name), ("const", name),
("neg" | "pct" | "deg" | "fact", a), ("add" | "mul" | "div" | "pow" | "pm" | "mp", a, b), ("fn", name, a, b or
None), ("based", digits, base), ("tuple" | "closed" | "set" | "list" | "or", items), ("interval", low, high,
ends), ("union" | "inter" | "minus", a, b), ("rel", signs, sides), ("matrix", rows).
"""

from fractions import Fraction

from lema.grading.atoms import Atoms
from lema.grading.number_words import read_words
from lema.grading.tokens import BARS, CLOSING, DIGITS, ENDS, OVER, RELATIONS, SEPARATORS, STOPS, TIMES, Unreadable

LONGEST = 600  # characters of a formula that is parsed
ZERO = ("num", Fraction(0), 0)
_ADDED = {"+": "add", "\\pm": "pm", "\\mp": "mp"}
_BEHIND = {"!": "fact", "%": "pct", "°": "deg"}


def parsed(text: str) -> tuple:
    """The tree of a normalized text. Raises Unreadable."""
    if len(text) > LONGEST:
        raise Unreadable("too long")
    parser = _FormulaParser(text)
    tree = parser.answer()
    if parser.next is not None:
        raise Unreadable(parser.next)
    return tree


class _FormulaParser(Atoms):
    def answer(self) -> tuple:
        """A list of relations without brackets, or the one that there is."""
        items, either = self.items()
        if len(items) == 1:
            return items[0]
        return ("or" if either else "list", tuple(items))

    def items(self) -> tuple[list[tuple], bool]:
        self.deeper()
        relations, either = [self.relation()], False
        while self.next is not None:
            separated = self.take(*SEPARATORS)
            if self.take("and", "\\wedge", "&", "\\land"):
                separated = False
            elif self.take("or", "\\vee", "\\lor"):
                separated, either = False, True
            elif not separated:
                break
            if separated and (self.next is None or self.next in ENDS):
                break
            relations.append(self.relation())
        self.depth -= 1
        return relations, either

    def relation(self) -> tuple:
        sides, signs = [self.sets()], []
        while self.next in RELATIONS:
            signs.append(RELATIONS[self.next])
            self.at += 1
            sides.append(self.sets())
        return ("rel", tuple(signs), tuple(sides)) if signs else sides[0]

    def sets(self) -> tuple:
        tree = self.sum()
        while self.next in ("\\cup", "\\cap", "\\setminus", "\\backslash"):
            kind = {"\\cup": "union", "\\cap": "inter"}.get(self.next, "minus")
            self.at += 1
            tree = (kind, tree, self.sum())
        return tree

    def sum(self) -> tuple:
        tree = ("pm", ZERO, self.product()) if self.take("\\pm") else self.signed()
        while True:
            if self.take("-"):
                tree = ("add", tree, ("neg", self.signed()))
            elif self.next in _ADDED:
                tree = (_ADDED[self.any()], tree, self.signed())
            else:
                return tree

    def signed(self) -> tuple:
        if self.take("-"):
            return ("neg", self.product())
        self.take("+")
        return self.product()

    def product(self) -> tuple:
        tree = self.power()
        while True:
            if self.next in TIMES:
                self.at += 1
                tree = ("mul", tree, self.factor())
            elif self.next in OVER:
                self.at += 1
                tree = ("div", tree, self.factor())
            elif self.starts_factor():
                right_at = self.at
                right = self.power()
                tree = self._joined(tree, right, right_at)
            else:
                return tree

    def _joined(self, tree: tuple, right: tuple, at: int) -> tuple:
        """Two neighbours: a mixed number, else a product."""
        whole = tree[0] == "num" and not tree[2]
        if whole and right[0] == "pct" and self.tokens[at] == "\\frac":
            return ("pct", self._joined(tree, right[1], at))
        if whole and right[0] == "div" and self.tokens[at] == "\\frac" and _both_whole(right):
            return ("add", tree, right)
        if whole and right[0] == "num" and self.tokens[at] not in CLOSING:
            if self.next == "/" and self.spaced[at]:
                self.at += 1
                lower = self.power()
                if lower[0] == "num" and not right[2] and not lower[2]:
                    return ("add", tree, ("div", right, lower))
            raise Unreadable("two numbers side by side")
        if right[0] == "num" and self.tokens[at] not in CLOSING:
            raise Unreadable("a number behind a factor")
        return ("mul", tree, right)

    def factor(self) -> tuple:
        if self.take("-"):
            return ("neg", self.power())
        self.take("+")
        return self.power()

    def starts_factor(self) -> bool:
        token = self.next
        if token is None:
            return False
        if token in BARS:
            return not self.bars
        return token not in STOPS and (token[0].isalnum() or token[0] in "\\([{.")

    def power(self) -> tuple:
        tree = self.postfix(self.atom())
        if self.take("^", "**"):
            tree = self.postfix(("pow", tree, self.exponent()))
        return tree

    def exponent(self) -> tuple:
        if self.take("-"):
            return ("neg", self.exponent())
        if self.next is not None and self.next[0] in DIGITS and self.tokens[self.at - 1] == "^":
            return self.atom()
        return self.power()

    def postfix(self, tree: tuple) -> tuple:
        while True:
            if self.next in _BEHIND:
                tree = (_BEHIND[self.any()], tree)
            elif self.take("'"):
                if tree[0] != "sym":
                    raise Unreadable("a prime")
                tree = ("sym", tree[1] + "'")
            elif self.next == "_":
                self.at += 1
                tree = self.lowered(tree)
            else:
                return tree

    def lowered(self, tree: tuple) -> tuple:
        """x_1 is a name; 2012_3 is a number in base 3."""
        digits = self.tokens[self.at - 2]
        name = self.raw()
        if tree[0] == "sym":
            return ("sym", f"{tree[1]}_{name}")
        if tree[0] == "num" and name.isalpha() and (number := read_words(name)) is not None:
            name = str(number)
        if tree[0] == "num" and DIGITS.issuperset(name) and 1 <= len(name) <= 2:
            return ("based", digits, int(name))
        raise Unreadable("subscript")


def _both_whole(fraction: tuple) -> bool:
    return all(side[0] == "num" and not side[2] for side in fraction[1:])
