"""The vault for MCP clients: tools and resources, over streamable HTTP at `/mcp`."""
