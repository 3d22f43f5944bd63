"""Replies: how a reasoning path becomes numbered steps, and how a correction is written and read back.

One design decision: everything is read line by line with short bounded patterns, so that reading is linear in
the text whatever a model writes; what cannot be read comes back as `Unparsed` with the reason, never as an error.
"""

from lema.replies.correction import parse_correction
from lema.replies.naming import finds_nothing
from lema.replies.numbered import answer_sentence, drop_calculator_marks, number_steps, rejoin, split_steps
from lema.replies.one_step import STEP_LABEL, parse_step, render_step
from lema.replies.opened import opened
from lema.replies.own_text import own_text
from lema.replies.reply_span import reply_span
from lema.replies.rewrite import parse_rewrite
from lema.replies.solution import states_the_answer
from lema.replies.written import Parsed, Rewrite, Unparsed, render_correction, render_rewrite
