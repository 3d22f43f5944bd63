#!/usr/bin/env python3
"""Stands in for a Python that has vLLM: takes the command line of vLLM's server and refuses what that refuses.

Prompts come back as texts that show what was asked; it leaves a worker process behind, as the real one does, and
writes both process ids where PIDS says, a line for each start to PIDS.starts and one for each end to PIDS.ends.
`--dtype float16` makes it end with an error, as on a machine without it. What it refuses is what vLLM 0.32 was
seen to refuse: unknown flags, adapters without --enable-lora, of too large a rank or without files, models that it
does not serve, prompts without room.
"""

import argparse
import errno
import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("model", "host", "served-model-name", "dtype", "quantization"):
        parser.add_argument(f"--{name}")
    for name in ("port", "seed", "max-model-len", "max-num-seqs", "tensor-parallel-size", "max-loras",
                 "max-cpu-loras"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--max-lora-rank", type=int, choices=RANKS, default=16)
    parser.add_argument("--gpu-memory-utilization", type=float)
    parser.add_argument("--lora-modules", nargs="+", type=json.loads, default=[])
    for name in ("enable-lora", "enforce-eager", "enable-prefix-caching"):
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction)
    return parser.parse_args(arguments)


def adapters_of(flags: argparse.Namespace) -> list[str]:
    """The names of the adapters; ends where vLLM would not start."""
    if flags.lora_modules and not flags.enable_lora:
        sys.exit("ValueError: LoRA is not enabled. Use --enable-lora to enable LoRA.")
    if (flags.max_cpu_loras or 99) < (flags.max_loras or 1):
        sys.exit(f"ValueError: max_cpu_loras ({flags.max_cpu_loras}) must be >= max_loras ({flags.max_loras}).")
    names = []
    for module in flags.lora_modules:
        config = Path(module["path"]) / "adapter_config.json"
        if not config.is_file():
            sys.exit(f"ValueError: Loading lora {module['name']} failed: No adapter found for {module['path']}")
        rank = json.loads(config.read_text())["r"]
        if rank > flags.max_lora_rank:
            sys.exit(f"ValueError: LoRA rank {rank} is greater than max_lora_rank {flags.max_lora_rank}.")
        if module["name"] in (*names, flags.served_model_name):
            sys.exit(f"ValueError: The lora adapter '{module['name']}' conflicts with a served base model.")
        names.append(module["name"])
    return names


class Handler(BaseHTTPRequestHandler):
    served: tuple[str, ...] = ()
    room = 10**6

    def do_GET(self):
        self.reply({})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body.get("model") not in self.served:
            self.refuse(404, f"The model `{body.get('model')}` does not exist.")
            return
        if len(body["prompt"].split()) >= self.room:
            self.refuse(400, f"This model's maximum context length is {self.room} tokens.")
            return
        text = json.dumps({key: body.get(key) for key in ("model", "prompt", "seed", "max_tokens", "top_k")})
        self.reply({"choices": [{"text": text, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": len(body["prompt"].split()), "completion_tokens": 1}})

    def refuse(self, status, message):
        self.reply({"error": {"message": message, "type": "BadRequestError", "code": status}}, status)

    def reply(self, value, status=200):
        data = json.dumps(value).encode()
        self.send_response(status)
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


def noted(kind: str, what: object) -> None:
    with open(f"{os.environ['PIDS']}.{kind}", "a") as lines:
        lines.write(json.dumps(what) + "\n")


def main() -> None:
    arguments = sys.argv[1:]
    flags = parsed(arguments[2:])
    if flags.dtype == "float16":
        sys.exit("ValueError: float16 is not supported here")
    Handler.served = (flags.served_model_name, *adapters_of(flags))
    Handler.room = flags.max_model_len or Handler.room
    server = listening(flags.port)
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", os.environ["PIDS"]])
    with open(os.environ["PIDS"], "w") as pids:
        json.dump({"server": os.getpid(), "worker": worker.pid, "arguments": arguments}, pids)

    def ended(*_):
        noted("ends", time.time())
        os._exit(0)

    signal.signal(signal.SIGTERM, ended)
    noted("starts", {"at": time.time(), "served": Handler.served, "arguments": arguments,
                     "cards": os.environ.get("CUDA_VISIBLE_DEVICES")})
    server.serve_forever()


if __name__ == "__main__":
    main()
