"""The process in which chat templates are rendered: JSON [template or null, messages, special tokens] per line in,
["text", rendered] or ["error", why] per line out; null is the template of before. Run by templates.py.

One design decision: a template is a program that came with a checkpoint, and jinja's sandbox keeps it from files
and modules but not from working for ever; so it runs here, with bounded computing and memory and without the
caller's environment, and a template that passes a bound ends this process and nothing else. It sees what
transformers shows a template, but for the date, which is always the same: a prompt must not differ from the one
that was trained on because a day has passed.
"""

import contextlib
import json
import resource
import signal
import sys
from datetime import datetime

from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

COMPUTING_S = 2.0
"""Seconds of computing for one rendering, which takes microseconds."""
MEMORY = 512 * 1024**2
"""Bytes of address space beyond what is loaded."""
LONGEST = 16 * 1024**2
"""Characters of a rendered prompt."""
TODAY = datetime(2024, 7, 26)
"""The date of every prompt: the one that Llama's templates take where they are told none."""


class Generation(Extension):
    """`{% generation %}` marks what an assistant wrote; here it marks nothing."""

    tags = {"generation"}  # noqa: RUF012 - as jinja declares it

    def parse(self, parser):
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class PlainNamespace(Namespace):
    """A namespace that takes no names of Python's own."""

    def __init__(*args, **attributes):
        if any(str(name).startswith("_") for name in attributes):
            raise SecurityError("a namespace takes no name that begins with _")
        Namespace.__init__(*args, **attributes)

    def __setitem__(self, name, value):
        if str(name).startswith("_"):
            raise SecurityError("a namespace takes no name that begins with _")
        Namespace.__setitem__(self, name, value)


def environment() -> ImmutableSandboxedEnvironment:
    """What transformers gives its templates, with one date."""
    def refuse(message):
        raise TemplateError(message)

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                          sort_keys=sort_keys)

    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                         extensions=[Generation, "jinja2.ext.loopcontrols"])
    made.filters["tojson"] = tojson
    made.globals |= {"raise_exception": refuse, "strftime_now": lambda form: TODAY.strftime(form),
                     "namespace": PlainNamespace}
    return made


def main() -> None:
    """Renders until its input ends."""
    _bound_memory()
    jinja, template = environment(), None
    print("ready", flush=True)
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_PROF, COMPUTING_S)  # at its end the system ends this process
        try:
            text, messages, special = json.loads(line)
            if text is not None:
                template = jinja.from_string(text)
            rendered = template.render(messages=messages, tools=None, documents=None, add_generation_prompt=True,
                                       **special)
            reply = ["text", rendered] if len(rendered) <= LONGEST else ["error", "it writes without end"]
        except MemoryError:
            reply = ["error", "it needs too much memory"]
        except Exception as error:  # whatever a template can raise
            reply = ["error", str(error).strip().split("\n")[0] or type(error).__name__]
        reply = json.dumps(reply)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(reply, flush=True)


def _bound_memory() -> None:
    with contextlib.suppress(OSError, ValueError):  # where there is no /proc, or a lower limit stands
        with open("/proc/self/statm", encoding="ascii") as statm:
            most = int(statm.read().split()[0]) * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
