"""How messages become the tokens that a model sees: the one way for training, sampling, serving and export.

    render(tokenizer, [Message("user", "Leo has 3.")], "chat")
    → Rendered("<|im_start|>user\nLeo has 3.<|im_end|>\n<|im_start|>assistant\n", special=False)

One design decision: `render` is the only place that knows chat templates, and a `Rendered` carries how it is to be
encoded; so a model is asked in exactly the tokens that it was trained on, whoever asks and whatever its template
does.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from lema.checkpoints import panics_as_errors
from lema.checkpoints.templates import rendered_by_template
from lema.errors import ModelError
from lema.messages import Message
from lema.records import Example

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Form = Literal["chat", "completions"]
"""chat: by the checkpoint's chat template, where it has one; completions: past it, as one plain text."""


class Tokens(NamedTuple):
    """An example as the model sees it: all that carries no loss, and the completion with its end token."""

    prompt: Sequence[int]
    completion: Sequence[int]

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.completion)


class Rendered(NamedTuple):
    """A prompt up to where the model begins to write. `special`: the tokenizer puts its start token before it,
    which a chat template writes itself."""

    text: str
    special: bool

    def ids(self, tokenizer: "PreTrainedTokenizerBase", more: str = "") -> list[int]:
        """The tokens of the prompt, followed by `more` text of the model's."""
        return _encoded(tokenizer, self.text + more, self.special)


def render(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message], form: Form = "chat") -> Rendered:
    """The messages as a prompt: by the tokenizer's chat template, else their contents with an empty line between
    them. ModelError where the template refuses them, or comes to no end."""
    if not by_template(tokenizer, form):
        return Rendered(plain_text(messages), special=True)
    return Rendered(rendered_by_template(tokenizer, messages), special=False)


def by_template(tokenizer: "PreTrainedTokenizerBase", form: Form) -> bool:
    """Whether prompts of this form go through the tokenizer's chat template."""
    return form == "chat" and bool(tokenizer.chat_template)


def plain_text(messages: Sequence[Message]) -> str:
    """The messages as one plain text."""
    return "\n\n".join(message.content for message in messages)


def encode(tokenizer: "PreTrainedTokenizerBase", example: Example, form: Form = "chat") -> Tokens:
    """An example's tokens. What stands before the completion is encoded exactly as sampling would: where the
    joint text would melt the two sides into one token, they are encoded apart."""
    prompt = render(tokenizer, [Message("user", example.prompt)], form)
    before = prompt.ids(tokenizer, example.prefix)
    joint = prompt.ids(tokenizer, example.prefix + example.completion)
    if joint[:len(before)] == before:
        after = joint[len(before):]
    else:
        after = _encoded(tokenizer, example.completion, special=False)
    return Tokens(before, [*after, tokenizer.eos_token_id])


def _encoded(tokenizer: "PreTrainedTokenizerBase", text: str, special: bool) -> list[int]:
    try:
        with panics_as_errors("the model's tokenizer"):
            return tokenizer(text, add_special_tokens=special, verbose=False)["input_ids"]
    except ModelError:
        raise
    except Exception as error:  # tokenizers raises bare ones
        raise ModelError(f"the model's tokenizer refuses a text ({error})") from None
