"""The daemon as a server of OpenAI's API, for programs that know no other (D86)."""
