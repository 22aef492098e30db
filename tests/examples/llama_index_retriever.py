"""A retriever for LlamaIndex over the daemon that runs: `llama_index_retriever.py QUESTION`."""

import sys

from llama_index.core import QueryBundle
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, TextNode

from pai_daemon.client import Client
from pai_daemon.config import load


class Notes(BaseRetriever):
    """Finds passages of the vault."""

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = Client.find(load()).search(query_bundle.query_str, limit=5)["results"]
        nodes = [TextNode(text=each["text"], metadata={"link": each["link"]}) for each in found]
        return [
            NodeWithScore(node=node, score=each["score"]) for node, each in zip(nodes, found, strict=True)
        ]


if __name__ == "__main__":
    for found in Notes().retrieve(sys.argv[1]):
        print(found.metadata["link"])
