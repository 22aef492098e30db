"""What a script does with OpenAI's Python client, whatever its version: `openai_script.py URL TOKEN`."""

from __future__ import annotations

import json
import sys
from typing import Any

import openai

QUESTION = "When is the hull varnished?"


def run(url: str, token: str) -> dict[str, Any]:
    """Return what each way of asking gave."""
    with openai.OpenAI(base_url=url, api_key=token, max_retries=0) as client:
        messages: Any = [{"role": "user", "content": QUESTION}]
        whole = client.chat.completions.create(model="pai", messages=messages)
        chunks = client.chat.completions.create(model="pai", messages=messages, stream=True)
        streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        response = client.responses.create(model="pai", input=QUESTION)
        events = client.responses.create(model="pai", input=QUESTION, stream=True)
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        # Without a form of encoding the client asks for base64, and decodes it.
        coded = client.embeddings.create(model="pai-embed", input=["spar varnish"])
        plain = client.embeddings.create(model="pai-embed", input="spar varnish", encoding_format="float")
        return {
            "version": openai.__version__,
            "models": [model.id for model in client.models.list()],
            "chat": whole.choices[0].message.content,
            "streamed": streamed,
            "response": response.output_text,
            "response_streamed": "".join(deltas),
            "widths": [len(coded.data[0].embedding), len(plain.data[0].embedding)],
        }


if __name__ == "__main__":
    print(json.dumps(run(*sys.argv[1:])))
