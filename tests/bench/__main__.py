"""`scripts/bench NAME [--quick] [--json] [--model NAME]`."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path

import click

from tests.bench.data import quiet_folder
from tests.bench.report import show

BENCHES = {
    "index": "first index end to end, against the bare ONNX session",
    "embed": "the embedding engine by stage, against the bare session and peers; queries; memory; forms",
    "search": "a search by size of the index, its legs, opening and writing, against the raw limit of each",
    "scale": "search among more embeddings than are held in memory, against the product in memory",
    "load": "many clients at once while notes are indexed, against one at rest and a bare route",
    "save": "a save until it is searchable",
    "start": "a start on an unchanged vault until the first search, against the bare parts",
    "memory": "memory by part, and growth with edits and queries, against an index made anew",
    "soak": "two writers, and kills while notes change, against an index made anew",
    "notes": "reading notes, against the bare Markdown parser and embedding",
    "stream": "what is added to a generator's stream, against the bare generator",
    "quality": "the right passage first, by arm, with intervals; answers on XQuAD",
    "links": "links that were taken out, recovered; how sure suggestions are; what one note costs",
    "related": "what belongs together among related notes: hidden links and rare tags, with intervals",
    "plugin": "size, loading and main-thread work of the Obsidian plugin, in headless Chromium",
    "recall": "the right fact among the first, by arm and model; what is refused; time by number of facts",
    "routines": "lag, rest and looks of 200 routines with 10,000 events an hour; kills in the midst of runs",
    "open_webui": "the README's recipe for Open WebUI, gone through with the real one in headless Chromium",
    "n8n": "each workflow of `pai n8n` in a real n8n, which the first run without --quick installs",
    "answers": "facts, citations, refusals and time of answers, where half of the questions have none",
}


@click.command()
@click.argument("name", required=False, type=click.Choice(list(BENCHES)))
@click.option("--list", "list_them", is_flag=True, help="Name the benches.")
@click.option("--quick", is_flag=True, help="A small size, in at most 60 seconds on 2 cores.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@click.option("--model", default="multilingual-e5-small", show_default=True)
def main(name: str | None, list_them: bool, quick: bool, as_json: bool, model: str) -> None:
    """Measure NAME and print its figures."""
    if list_them or name is None:
        for known, what in BENCHES.items():
            print(f"{known:10} {what}")
        return
    module = importlib.import_module(f"tests.bench.{name}")
    with quiet_folder(Path(tempfile.mkdtemp(prefix="pai-bench-"))) as scratch:
        show(name, module.run(scratch, quick=quick, model=model), as_json=as_json)


if __name__ == "__main__":
    main()
