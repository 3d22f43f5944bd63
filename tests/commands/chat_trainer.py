"""A user's trainer that knows the chat template alone."""

from lema import plugins


class Settings(plugins.Settings):
    """[train] with trainer = "tests.commands.chat_trainer"."""


class Trainer:
    """Trains nothing."""

    def __init__(self, settings):
        self.settings = settings

    def fit(self, examples, base, out, seed, progress=None):
        raise AssertionError("never called")

    def steps(self, lengths, seed):
        return len(lengths)
