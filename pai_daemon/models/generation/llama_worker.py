"""A process that holds one GGUF model and serves it on the loopback address: llama.cpp's own server.

Not in the daemon's process: a fault in native code ends only this one, ending it gives all memory back, and
its threads never hold up the event loop (D56). It takes one JSON object on its standard input, answers
with one line that holds its address, and ends when its standard input does, so it never outlives the daemon.
"""

from __future__ import annotations

import json
import os
import sys
import threading

import xllamacpp

# A person waits for one answer at a time; each more would divide the context.
ONE = 1
# What was read of earlier prompts; the latest one is kept whatever its size, and all end with the process.
PROMPTS_MIB = 512


def main() -> None:
    """Load the model that standard input names, say where it is served, and wait for the end of the input."""
    asked = json.loads(sys.stdin.readline())
    wanted = xllamacpp.CommonParams()
    wanted.model.path = asked["path"]
    wanted.model_alias = {asked["name"]}
    wanted.hostnames = ["127.0.0.1"]
    wanted.port = 0
    wanted.api_keys = [asked["key"]]
    wanted.offline = True
    wanted.ui = wanted.endpoint_slots = wanted.warmup = False
    wanted.n_ctx = asked["context_tokens"]
    wanted.n_parallel = ONE
    wanted.cache_prompt = True
    # A follow-up is rewritten in between: without this its passages were read again, 529 tokens of 533.
    wanted.cache_ram_mib = PROMPTS_MIB
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = asked["threads"]
    wanted.verbosity = 0
    server = xllamacpp.Server(wanted)
    sys.stdout.write(json.dumps({"url": server.listening_address}) + "\n")
    sys.stdout.flush()
    threading.Thread(target=_end_with_input, daemon=True).start()
    threading.Event().wait()


def _end_with_input() -> None:
    sys.stdin.read()
    # Not by way of the interpreter's end: llama.cpp may be in the midst of a computation.
    os._exit(0)


if __name__ == "__main__":
    main()
