#!/usr/bin/env python3
"""Stands in for a Python that has vLLM: takes the command line of vLLM's server and answers as it would.

Prompts come back as texts that show what was asked; it leaves a worker process behind, as the real one does, and
writes both process ids where PIDS says. `--dtype float16` makes it end with an error, as on a machine without it.
"""

import errno
import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply({})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = json.dumps({key: body.get(key) for key in ("model", "prompt", "seed", "max_tokens", "top_k")})
        self.reply({"choices": [{"text": text, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": len(body["prompt"].split()), "completion_tokens": 1}})

    def reply(self, value):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def listening(port: int) -> ThreadingHTTPServer:
    """The server at a port that was free a moment ago; where another test has it now, once it gives it back."""
    while True:
        try:
            return ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            time.sleep(0.05)


def main() -> None:
    arguments = sys.argv[1:]
    if "float16" in arguments:
        sys.exit("ValueError: float16 is not supported here")
    server = listening(int(arguments[arguments.index("--port") + 1]))
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", os.environ["PIDS"]])
    with open(os.environ["PIDS"], "w") as pids:
        json.dump({"server": os.getpid(), "worker": worker.pid, "arguments": arguments}, pids)
    server.serve_forever()


if __name__ == "__main__":
    main()
