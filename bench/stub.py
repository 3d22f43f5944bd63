"""A fast OpenAI-compatible stub in a process of its own: python bench/stub.py [--seconds 0.05]

One design decision: it knows as little of HTTP as a well-behaved client needs, so that the client is what is
measured: every POST gets the same canned completion (as many choices as it asks for). A GET tells how many were
answered since the last GET, and when the first came (on the clock that all processes of a machine share). Prints
its port, then serves until its standard input ends.
"""

import argparse
import asyncio
import json
import sys
import time

TEXT = "Step 1: There are 3 + 4 = 7 apples.\nStep 2: Half of them is 7 / 2 = 3.5.\nStep 3: The answer is 3.5."


def reply(n: int) -> bytes:
    choices = [{"index": i, "finish_reason": "stop", "logprobs": None,
                "message": {"role": "assistant", "content": TEXT, "refusal": None}} for i in range(n)]
    body = json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "stub",
                       "choices": choices, "usage": {"prompt_tokens": 90, "completion_tokens": 41 * n,
                                                     "total_tokens": 90 + 41 * n}}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


class Stub(asyncio.Protocol):
    """One connection. Bodies come with a Content-Length. `seen`: when the first came, and how many."""

    def __init__(self, seconds: float, canned: dict[int, bytes], seen: list) -> None:
        self.seconds, self.canned, self.seen, self.have = seconds, canned, seen, b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.have += data
        while (end := self.have.find(b"\r\n\r\n")) >= 0:
            head = self.have[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15:].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.have) < end + 4 + length:
                return
            body, self.have = self.have[end + 4:end + 4 + length], self.have[end + 4 + length:]
            if head.startswith(b"get"):
                self._tell()
                continue
            self.seen[0] = self.seen[0] or time.perf_counter()
            at = body.find(b'"n": ')
            n = int(body[at + 5:].split(b",", 1)[0].split(b"}", 1)[0]) if at >= 0 else 1
            answer = self.canned[n]
            if self.seconds:
                asyncio.get_running_loop().call_later(self.seconds, self._write, answer)
            else:
                self._write(answer)

    def _tell(self) -> None:
        first, count = self.seen
        self.seen[:] = [0.0, 0]
        body = json.dumps({"answered": count, "first": first}).encode()
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    def _write(self, answer: bytes) -> None:
        self.seen[1] += 1
        if not self.transport.is_closing():
            self.transport.write(answer)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=0.0, help="how long each answer takes")
    options = parser.parse_args()
    loop = asyncio.get_running_loop()
    canned, seen = {n: reply(n) for n in range(1, 17)}, [0.0, 0]
    server = await loop.create_server(lambda: Stub(options.seconds, canned, seen), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
