"""Posts the open questions of a note: each line that ends with a question mark, and what the vault says."""

import sys

from pai_daemon.client import Client
from pai_daemon.config import load

pai = Client.find(load())
for block in pai.note(sys.argv[1])["chunks"]:
    for line in block["text"].splitlines():
        if line.endswith("?"):
            answer = pai.ask(line.lstrip("-*[] "))
            print(line, answer["answer"] if answer["found"] else "(still open)", sep="\n")
