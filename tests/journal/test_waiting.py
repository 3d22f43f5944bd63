"""The waiting line: request order, bounded read-ahead, equal requests, whole batches."""

import random
from itertools import count

import pytest

from lema.errors import ModelError
from lema.journal import Journal, complete
from lema.journal.waiting import AHEAD, READ, call_of
from lema.messages import Completion
from tests.answering import Echo, Failing, InPairs, ask, texts
from tests.patience import PATIENCE


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


def test_known_and_missing_ones_come_in_request_order(journal):
    rng = random.Random(3)
    requests = [ask(f"q{i}") for i in range(1500)]
    for share in (0.1, 0.5, 0.9):
        list(complete(journal, Echo(), [r for r in requests if rng.random() < share]))
        model = Echo()
        some = [r for r in requests if rng.random() < 0.7]
        assert texts(complete(journal, model, some)) == [f"echo: {r.messages[0].content} 0" for r in some]
        assert model.asked == sorted(model.asked, key=requests.index)


@pytest.mark.parametrize("kind", [Failing, InPairs])
def test_equal_requests_in_one_list_are_asked_once(journal, kind):
    requests = [ask("a"), ask("bad"), ask("a"), ask("b"), ask("bad"), ask("a")]
    model, counts = kind(), []
    answers = list(complete(journal, model, requests, lambda completion, known: counts.append(known)))
    assert sum(len(asked) if isinstance(asked, list) else 1 for asked in model.asked) == 3
    assert answers[0] == answers[2] == answers[5] and answers[1] == answers[4]
    assert sorted(counts) == [False] * 3 + [True] * 3


def test_a_reply_is_kept_while_slower_ones_before_it_are_under_way(journal):
    class FirstIsSlow(Echo):
        def complete_telling(self, requests, arrived):
            _, quick = requests
            assert arrived(1, self.answer(quick)).result(PATIENCE) == self.answer(quick)
            raise ModelError("cut off while the first was under way")
            yield

    with pytest.raises(ModelError):
        list(complete(journal, FirstIsSlow(), [ask("slow"), ask("quick")]))
    model = Echo()
    list(complete(journal, model, [ask("slow"), ask("quick")]))
    assert model.asked == [ask("slow")]


def test_few_requests_are_read_ahead_of_the_answers(journal):
    known = [ask(f"q{i}") for i in range(AHEAD + 3000)]
    list(complete(journal, Echo(), known))
    read = count()

    def requests():
        for request in [ask("new 1"), *known, ask("new 2")]:
            next(read)
            yield request

    model = Echo()
    answers = complete(journal, model, requests())
    assert next(answers).text == "echo: new 1 0"
    assert next(read) <= AHEAD + READ
    assert len(list(answers)) == len(known) + 1
    assert model.asked == [ask("new 1"), ask("new 2")]


def test_requests_are_taken_while_earlier_ones_are_unanswered(journal):
    class TakesTen(Echo):
        def complete(self, requests):
            while ten := [request for _, request in zip(range(10), requests, strict=False)]:
                yield from map(self.answer, ten)

    assert len(texts(complete(journal, TakesTen(), [ask(f"q{i}") for i in range(995)]))) == 995


@pytest.mark.parametrize("given", [0, 2, 4])
def test_a_backend_that_miscounts_is_found_out(journal, given):
    class Miscounts(Echo):
        def complete(self, requests):
            taken = list(requests)
            yield from [self.answer(taken[0])] * given

    with pytest.raises(ModelError, match="one"):
        list(complete(journal, Miscounts(), [ask(f"q{i}") for i in range(3)]))


def test_a_backend_that_does_not_tell_is_found_out(journal):
    class Silent(Echo):
        def complete_telling(self, requests, arrived):
            return self.complete(requests)

    with pytest.raises(ModelError, match="tell"):
        list(complete(journal, Silent(), [ask("q")]))


def test_a_batch_with_a_missing_member_is_run_whole_with_the_same_neighbours(tmp_path):
    requests = [ask("q" * (1 + i % 4) + str(i)) for i in range(9)]
    with Journal(tmp_path / "whole") as journal:
        alone = list(complete(journal, InPairs(), requests))
    with Journal(tmp_path / "cut") as journal:
        batches = InPairs().batches(requests)
        for member in (batches[0][1], batches[2][0], *batches[3]):
            journal.put(call_of(InPairs().identity(), requests[member]), alone[member]).result()
        model, counts = InPairs(), []
        again = list(complete(journal, model, requests, lambda completion, known: counts.append(known)))
    assert again == alone
    assert model.asked == [[requests[i] for i in batch] for batch in (*batches[:3], batches[4])]
    assert counts.count(False) == 5 and counts.count(True) == 4


def test_a_failed_member_of_a_batch_is_a_row_and_asked_again(journal):
    class FailsOnce(InPairs):
        def complete(self, requests):
            for request, completion in zip(requests, super().complete(requests), strict=True):
                yield Completion("", "error: out of memory") if request == ask("bb") else completion

    requests = [ask("a"), ask("bb"), ask("ccc")]
    assert [c.failed for c in complete(journal, FailsOnce(), requests)] == [False, True, False]
    assert texts(complete(journal, InPairs(), requests)) == ["a among a", "bb among ccc+bb", "ccc among ccc+bb"]
