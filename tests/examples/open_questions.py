"""Posts what the vault says to each line of a note that ends with a question mark: `… NOTE.md`."""

import sys

from pai_daemon.client import Client
from pai_daemon.config import load

pai = Client.find(load())
for block in pai.note(sys.argv[1])["chunks"]:
    for line in block["text"].splitlines():
        if line.endswith("?"):
            answer = pai.ask(line.lstrip("-*[] "))
            print(line, answer["answer"] if answer["found"] else "(still open)", sep="\n")
