"""Records put aside: found by key, read back in the order of keys, gone with the process."""

import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from lema.records import Question, ReasoningPath
from lema.scratch import IdTable, ScratchTable, TurnTable, by_id
from tests.processes import ended


def _question(number: int) -> Question:
    return Question(text=f"question {number}", answer=str(number))


def test_records_come_back_in_the_order_of_their_keys_and_as_they_were_put_under_one(tmp_path):
    keys = [f"{(number * 7919) % 3000:04}" for number in range(2500)]
    with ScratchTable(tmp_path, Question, ReasoningPath) as shelf:
        shelf.fill((key, _question(number)) for number, key in enumerate(keys))
        shelf.put("0000", ReasoningPath(question="q", model="m", text="one more"))
        groups = list(shelf.groups())
        assert [key for key, _ in groups] == sorted({*keys, "0000"})
        assert [type(record) for record in groups[0][1]] == [Question, ReasoningPath]
        assert shelf.get(keys[5]) == _question(5) == shelf.get(keys[5])
        assert shelf.get("none") is None
        assert shelf.under("none") == []


def test_records_come_back_as_often_as_wanted_in_the_order_in_which_they_were_put():
    with ScratchTable(None, Question) as shelf:
        shelf.fill((f"{-number}", _question(number)) for number in range(2500))
        assert len(shelf) == 2500
        assert list(shelf) == list(shelf) == [_question(number) for number in range(2500)]


def test_records_put_aside_by_their_ids_are_there_under_them(tmp_path):
    questions = [_question(number) for number in range(3)]
    with by_id(tmp_path, Question, iter(questions)) as shelf:
        assert [shelf.get(question.id) for question in questions] == questions


def test_a_lone_surrogate_is_put_aside_as_it_is_written(tmp_path):
    with ScratchTable(tmp_path, Question) as shelf:
        shelf.put("a", Question(text="half \ud83d", answer="1"))
        assert shelf.get("a").text == "half ?"


@settings(max_examples=20, deadline=None)
@given(pairs=st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz", max_size=3))))
def test_turns_take_one_of_every_group_in_the_order_of_keys(pairs):
    expected, taken = [], dict.fromkeys("abc", 0)
    for place, (family, key) in sorted(enumerate(pairs), key=lambda item: (item[1][1], item[0])):
        expected.append((taken[family], key, place))
        taken[family] += 1
    with TurnTable(None, Question) as turns:
        turns.fill((family, key, _question(place)) for place, (family, key) in enumerate(pairs))
        assert len(turns) == len(pairs)
        for _ in range(2):
            assert [question.answer for question in turns] == [str(place) for *_, place in sorted(expected)]


@settings(max_examples=20)
@given(texts=st.lists(st.text(max_size=5)))
def test_seen_says_of_every_text_once_that_it_is_new(tmp_path_factory, texts):
    with IdTable(tmp_path_factory.getbasetemp()) as seen:
        new = [seen.add(text.encode("utf-8", "replace").decode()) for text in texts]
    assert new == [text not in texts[:place] for place, text in enumerate(texts)]


def test_nothing_stays_of_a_process_that_is_killed(tmp_path):
    code = ("import os, sys; from pathlib import Path; from lema.scratch import IdTable\n"
            f"seen = IdTable(Path({str(tmp_path)!r}))\n"
            "for number in range(20000): seen.add(str(number))\n"
            "os.kill(os.getpid(), 9)")
    assert ended([sys.executable, "-c", code]).returncode == -9
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_as_of_any_other_file(tmp_path):
    code = ("import errno, resource, signal; from pathlib import Path; from lema.scratch import IdTable\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # as full as a disk of that size\n"
            f"seen = IdTable(Path({str(tmp_path)!r}))\n"
            "try:\n"
            "    for number in range(2_000_000): seen.add(str(number) * 20)\n"
            "except OSError as error: print(error.errno == errno.ENOSPC)")
    done = ended([sys.executable, "-c", code])
    assert done.stdout == "True\n", done.stderr
