"""The transformers backend in a real process that is killed: one batch at most is computed twice for each kill."""

from tests.faults.sampling_killed import BATCH, killed_until_done


def test_killed_while_it_samples_it_computes_only_the_batch_in_flight_again(tmp_path):
    same, paid, hit = killed_until_done(tmp_path, requests=200, kills=2, seed=4)
    assert same and hit > 0
    assert 200 <= paid <= 200 + hit * BATCH
