"""The journal: what was paid for is kept as it was, and never asked for again."""

import contextlib
import random
import shutil
import sqlite3
import time

import pytest

from lema.errors import RunError
from lema.journal import Journal, complete, last_replies, spent_in
from lema.journal.waiting import call_of
from lema.messages import Completion, Message, Request
from lema.records import Sampling
from tests.answering import Echo, Failing, ask, texts
from tests.patience import PATIENCE


class Silent(Echo):
    """Must not be asked."""

    def answer(self, request):
        raise AssertionError(request)


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


def test_every_field_that_reaches_the_model_is_in_the_key_and_nothing_else():
    model = {"model": "m"}
    changed = [ask("q", 1), ask("p"), Request((Message("system", "q"),)), Request((Message("user", "q"),) * 2)]
    changed += [ask("q", sampling=Sampling(**{name: value})) for name, value in [
        ("temperature", 0.5), ("top_p", 0.5), ("max_tokens", 7), ("stop", ("x",)), ("seed", 1)]]
    keys = {call_of(model, request).key for request in [ask("q"), *changed]}
    assert len(keys) == 1 + len(changed)
    assert call_of({"model": "n"}, ask("q")).key not in keys
    assert call_of(model, ask("q", about=("a record",))).key == call_of(model, ask("q")).key


def test_a_second_pass_asks_nothing_and_gives_the_same(journal):
    requests = [ask(f"q{i}", i % 3) for i in range(700)]
    first, second = Echo(), Echo()
    once = list(complete(journal, first, requests))
    assert once == [first.answer(request) for request in requests]
    assert list(complete(journal, second, iter(requests))) == once
    assert len(first.asked) == 700 and not second.asked


@pytest.mark.parametrize("text", ["", "lone \ud800 and \udfff", "a\x00b", "Ω≈ç 🙂", "a\r\nb\n", "'; DROP TABLE x"])
def test_any_text_comes_back_as_it_was(tmp_path, text):
    class Says(Echo):
        def answer(self, request):
            return Completion(text, "length", 1, 2)

    with Journal(tmp_path / "j") as journal:
        list(complete(journal, Says(), [ask("q " + text)]))
    with Journal(tmp_path / "j") as journal:
        assert list(complete(journal, Echo(), [ask("q " + text)])) == [Completion(text, "length", 1, 2)]


def test_a_failure_is_recorded_but_asked_again(journal):
    requests = [ask("good"), ask("bad")]
    assert [c.failed for c in complete(journal, Failing(), requests)] == [False, True]
    mended = Echo()
    assert [c.failed for c in complete(journal, mended, requests)] == [False, False]
    assert texts(map(mended.answer, mended.asked)) == ["echo: bad 0"]
    with sqlite3.connect(journal.path) as reading:
        assert reading.execute("SELECT finish, text FROM failures").fetchall() == [("error: 500", b"half")]
    reading.close()


def test_what_was_asked_can_be_read_from_the_journal(journal):
    before = time.time()
    list(complete(journal, Echo(), [ask("why?", index) for index in range(3)]))
    with sqlite3.connect(journal.path) as reading:
        rows = reading.execute("SELECT path, model, facts, finish, prompt_tokens, tokens, created "
                               "FROM completions JOIN requests ON hash = request ORDER BY path").fetchall()
        assert reading.execute("SELECT count(*) FROM requests").fetchone() == (1,)  # the prompt is kept once
    reading.close()
    assert [row[:2] for row in rows] == [(0, "echo"), (1, "echo"), (2, "echo")]
    assert '"messages":[["user","why?"]]' in rows[0][2] and '"temperature":0.0' in rows[0][2]
    assert rows[0][3:6] == ("stop", 3, 4) and before <= rows[0][6] <= time.time()


def test_a_completion_is_on_the_disk_before_it_is_seen(journal):
    reading = sqlite3.connect(journal.path)
    for number, completion in enumerate(complete(journal, Echo(), (ask(f"q{i}") for i in range(300)))):
        found = reading.execute("SELECT 1 FROM completions WHERE text = ?", (completion.text.encode(),)).fetchone()
        assert found, f"completion {number} was seen before it was kept"
    reading.close()


def test_the_first_of_two_processes_decides_what_is_kept(tmp_path):
    with Journal(tmp_path / "j") as one, Journal(tmp_path / "j") as other:
        call = call_of({"model": "m"}, ask("q"))
        assert one.put(call, Completion("first")).result() == Completion("first")
        assert other.put(call, Completion("second")).result() == Completion("first")
        assert other.kept([call.key]) == {call.key: Completion("first")}


def test_a_damaged_journal_is_named_with_what_to_do(tmp_path):
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"this was a journal once" * 500)
    with pytest.raises(RunError, match=r"journal\.sqlite: damaged .*lema journal mend "):
        Journal(path)


def test_damage_inside_the_file_is_named_when_it_is_met(tmp_path):
    path = tmp_path / "journal.sqlite"
    requests = [ask(f"q{i} " * 50) for i in range(500)]
    with Journal(path) as journal:
        list(complete(journal, Echo(), requests))
    whole = bytearray(path.read_bytes())
    whole[8192:] = b"\xa5" * (len(whole) - 8192)
    path.write_bytes(whole)
    with pytest.raises(RunError, match="damaged") as error, Journal(path) as journal:
        list(complete(journal, Echo(), requests))
    assert "\n" not in str(error.value)


def test_a_journal_of_before_there_were_batches_keeps_what_it_holds(tmp_path):
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        list(complete(journal, Echo(), [ask("q")]))
    with sqlite3.connect(path) as older:
        for table in ("completions", "failures"):
            older.execute(f"ALTER TABLE {table} DROP COLUMN share")
        older.execute("DROP TABLE jobs")
    older.close()
    with Journal(path) as journal:
        (completion,) = complete(journal, Silent(), [ask("q")])
        assert (completion.text, completion.share) == ("echo: q 0", 1.0)
        assert journal.spent() == [("echo", 1, 3, 4, 3.0, 4.0)]


def test_a_folder_that_is_not_there_is_one_clear_line(tmp_path):
    with pytest.raises(RunError, match="cannot be opened for writing"):
        Journal(tmp_path / "nowhere" / "journal.sqlite")


def test_a_ticket_is_done_only_when_the_row_is_on_the_disk(journal):
    calls = [call_of({"model": "m"}, ask(f"q{i}")) for i in range(2500)]
    tickets = [journal.put(call, Completion(str(i))) for i, call in enumerate(calls)]
    assert [ticket.result(PATIENCE).text for ticket in tickets] == [str(i) for i in range(2500)]
    assert journal.holds([call.key for call in calls]) == {call.key for call in calls}


def test_flipped_bits_never_become_what_a_model_wrote(tmp_path):
    path, requests = tmp_path / "journal.sqlite", [ask(f"q{i} " * 40) for i in range(40)]
    with Journal(path) as journal:
        once = list(complete(journal, Echo(), requests))
    whole, rng, met = path.read_bytes(), random.Random(11), 0
    for _ in range(200):
        flipped = bytearray(whole)
        flipped[rng.randrange(4096, len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        try:
            with Journal(path) as journal:
                model = Echo()
                assert list(complete(journal, model, requests)) == once
                met += bool(journal.damaged)
                assert list(complete(journal, Silent(), requests)) == once, "what took its place is kept"
        except RunError as error:
            assert "damaged" in str(error)
        for left in tmp_path.glob("journal.sqlite-*"):
            left.unlink()
    assert met > 4


def test_a_damaged_completion_is_asked_again_and_stays_on_the_bill(tmp_path):
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        list(complete(journal, Echo(), [ask("q"), ask("p")]))
    with sqlite3.connect(path) as file:
        file.execute("UPDATE completions SET text = x'00' WHERE text = ?", (b"echo: q 0",))
    file.close()
    with Journal(path) as journal:
        model = Echo()
        assert texts(complete(journal, model, [ask("q"), ask("p")])) == ["echo: q 0", "echo: p 0"]
        assert model.asked == [ask("q")] and len(journal.damaged) == 1
        assert journal.spent()[0][1] == 3


def test_a_journal_of_before_there_were_checksums_is_taken_up(tmp_path):
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        list(complete(journal, Echo(), [ask("q"), ask("p")]))
    with sqlite3.connect(path) as older:
        older.execute("ALTER TABLE completions DROP COLUMN checksum")
    older.close()
    with Journal(path) as journal:
        assert texts(complete(journal, Silent(), [ask("q")])) == ["echo: q 0"]
        list(complete(journal, Echo(), [ask("new")]))
    with sqlite3.connect(path) as file:
        assert [row[0] is None for row in file.execute("SELECT checksum FROM completions ORDER BY rowid")] == [
            True, True, False]
    file.close()
    with Journal(path) as journal:
        assert texts(complete(journal, Silent(), [ask("p"), ask("new")])) == ["echo: p 0", "echo: new 0"]


def test_a_journal_that_is_a_link_or_of_something_else_is_left_as_it_is(tmp_path):
    elsewhere = tmp_path / "elsewhere.sqlite"
    with sqlite3.connect(elsewhere) as file:
        file.execute("CREATE TABLE songs (title TEXT)")
    file.close()
    before = elsewhere.read_bytes()
    (tmp_path / "journal.sqlite").symlink_to(elsewhere)
    with pytest.raises(RunError, match="a link or no plain file, which is never followed"):
        Journal(tmp_path / "journal.sqlite")
    with pytest.raises(RunError, match="no journal"):
        Journal(elsewhere)
    assert elsewhere.read_bytes() == before


def damaged_and_not_closed(folder):
    """The path of a journal that a killed process left, with two pages that hold the same rows; nothing that is
    asked for lies there. SQLite alone goes on."""
    path, requests = folder / "journal.sqlite", [ask(f"q{i} " * 50) for i in range(500)]
    with Journal(path) as journal:
        list(complete(journal, Echo(), requests))
    whole = bytearray(path.read_bytes())
    leaf = 13  # the first byte of a page of rows
    first, second, *_ = (at for at in range(4096, len(whole), 4096)
                         if whole[at] == leaf and b"echo: q" in whole[at:at + 4096])
    whole[first:first + 4096] = whole[second:second + 4096]
    path.write_bytes(whole)
    with Journal(path) as journal:
        kept = complete(journal, Echo(), [ask("new")])
        assert texts(kept) == ["echo: new 0"], "one that was closed is believed, but for its rows' checksums"
        for end in ("", "-wal"):
            shutil.copyfile(f"{path}{end}", folder / f"killed.sqlite{end}")
    return folder / "killed.sqlite"


def test_a_journal_that_was_not_closed_is_looked_through_before_anything_is_added(tmp_path):
    killed = damaged_and_not_closed(tmp_path)
    for _ in range(2):  # nobody's look closes it as if it were whole
        with pytest.raises(RunError, match=r"damaged \(it was not closed, .*lema journal mend "):
            Journal(killed)
    assert killed.with_name("killed.sqlite-wal").stat().st_size
    with Journal(killed, read_through=True):
        pass  # by whoever started this process


def test_a_journal_that_was_not_closed_is_looked_through_where_it_is_only_looked_at(tmp_path):
    killed = damaged_and_not_closed(tmp_path)
    assert spent_in(killed) == []
    with pytest.raises(sqlite3.DatabaseError, match="it was not closed"):
        last_replies(killed, 3)


def test_an_index_that_lost_a_reply_shows_where_the_journal_was_not_closed(tmp_path):
    """Whoever asks for it would pay again; every page is whole, and SQLite's quick check says nothing."""
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        list(complete(journal, Echo(), [ask(f"q{i}") for i in range(50)]))
    index, key = 10, call_of(Echo().identity(), ask("q7")).key  # the first byte of a page of an index
    whole = bytearray(path.read_bytes())
    for page in filter(lambda at: whole[at] == index, range(4096, len(whole), 4096)):
        if (at := whole.find(key, page, page + 4096)) > 0:
            whole[at + 31] ^= 1
    path.write_bytes(whole)
    with contextlib.closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA quick_check").fetchone() == ("ok",)
        file.execute("PRAGMA user_version = 0")
        for end in ("", "-wal"):
            shutil.copyfile(f"{path}{end}", tmp_path / f"killed.sqlite{end}")
    with pytest.raises(RunError, match=r"damaged \(it was not closed, .*lema journal mend "):
        Journal(tmp_path / "killed.sqlite")
