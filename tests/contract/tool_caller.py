"""An Ollama whose model calls one tool with what it was asked, and then says which note that named."""

from __future__ import annotations

import json
import re
from typing import Any

from aiohttp import web

LINK = re.compile(r"\[\[[^\]]+\]\]")


def tool_caller(tool: str, argument: str) -> web.Application:
    """Return an app that answers `/api/chat` as Ollama streams it: a call of `tool`, then an answer."""

    async def chat(request: web.Request) -> web.Response:
        body = await request.json()
        last = body["messages"][-1]
        message: dict[str, Any] = {"role": "assistant", "content": ""}
        if last["role"] == "tool":
            link = LINK.search(last["content"])
            message["content"] = f"It stands in {link[0]}." if link else "The notes do not say."
        else:
            function = {"name": tool, "arguments": {argument: last["content"]}}
            message["tool_calls"] = [{"function": function}]
        base = {"model": body["model"], "created_at": "2026-11-27T08:00:00Z"}
        end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
        lines = (base | {"message": message, "done": False}, base | end)
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        return web.Response(text=text, content_type="application/x-ndjson")

    app = web.Application()
    app.add_routes([web.post("/api/chat", chat)])
    return app
