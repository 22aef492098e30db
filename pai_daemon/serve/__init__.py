"""The HTTP API on 127.0.0.1: one file a resource. The only room that imports aiohttp.web."""
