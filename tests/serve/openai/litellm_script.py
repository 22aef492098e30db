"""What a router does with the daemon: LiteLLM, whole and streamed, and its embeddings; `… URL TOKEN`."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from typing import Any

import litellm

# It prints advice beside an error, where the answer is to stand alone.
litellm.suppress_debug_info = True
QUESTION = "When is the hull varnished?"


def run(url: str, token: str) -> dict[str, Any]:
    """Return what each way of asking gave."""
    here: Any = {"api_base": url, "api_key": token, "num_retries": 0}
    messages = [{"role": "user", "content": QUESTION}]
    whole = litellm.completion(model="openai/pai", messages=messages, **here)
    chunks = litellm.completion(model="openai/pai", messages=messages, stream=True, **here)
    vectors = litellm.embedding(model="openai/pai-embed", input=["spar varnish"], **here)
    try:
        litellm.completion(model="openai/gpt-5", messages=messages, **here)
        error = ""
    except litellm.NotFoundError as raised:
        error = type(raised).__name__
    return {
        "version": importlib.metadata.version("litellm"),
        "chat": whole.choices[0].message.content,
        "annotations": len(whole.choices[0].message.annotations or []),
        "streamed": "".join(chunk.choices[0].delta.content or "" for chunk in chunks),
        "width": len(vectors.data[0]["embedding"]),
        "error": error,
    }


if __name__ == "__main__":
    print(json.dumps(run(*sys.argv[1:])))
