"""Answers out of free text, and their equality: what every verdict stands on. A library with this one door: the
rest of lema imports from here, and who reads lema may take it as given.

One design decision: reading, comparing and judging are pure functions of text; the only processes behind them are
those that run math-verify (symbolic) and those that grade many texts (many). For who wants to read it, the order:

1. kinds: the public calls, and what a task's name stands for. given: any value as text. verdict: one text, one
   verdict. conventions: what graders disagree on. quick: the commonest texts, with the same grades at once. many:
   a stream of texts.
2. extract: the answer that a text states. Below it reply_span (the model's own reply), statements ("the answer
   is", boxes), last (no statement: the last value), prose (which number a sentence says), choices (options).
3. normalize: a stated answer without its dress. numbers, number_words, units, quantities: what a number is, in
   digits, in words, in several units. phrases: words that are mathematics ("no solution").
4. compare: are two answers equal? Formulas become trees (tokens, atoms, latex), are brought to one form
   (structure, vectors, interval_sets) and compared part by part (equal) by their values (evaluate,
   numeric_equality). What cannot be decided so goes to math-verify (symbolic, symbolic_worker).
5. equations: which calculations of a worked solution are true; read from prose, evaluated within bounds.

The second graders, official (with bounded) and peer, judge whole texts as others do; nothing above uses them.
"""

from lema.grading.choices import read_choice, read_letter, same_choice, same_letter
from lema.grading.compare import same_expression, same_number, same_text
from lema.grading.conventions import Conventions
from lema.grading.equations import calculations, contradiction, equations_in, false_equation, names
from lema.grading.extract import EXPLICIT, Reading, read_expression, read_number, read_text
from lema.grading.kinds import KINDS, gold_answer, grade, read, same
from lema.grading.many import By, grade_many
from lema.grading.numbers import is_maths, read_value
from lema.grading.symbolic import GradingTimeout, MathVerifyProcess, bound_memory, same_symbolic
from lema.grading.verdict import Grade, grade_path
