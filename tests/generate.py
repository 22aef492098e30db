"""Writes what follows from the API's description: the plugin's types, the client's, the README's tables.

`python -m tests.generate` writes, with `--check` it only says what is stale. Owns the text that is written;
what it says is declared beside the routes and in errors.py (D61).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from pai_daemon.errors import PaiError
from pai_daemon.serve.contract import Route
from pai_daemon.serve.openapi import components, described, kinds

ROOT = Path(__file__).resolve().parents[1]
HEAD = "Made by scripts/contract; not to be edited."
TYPESCRIPT = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
    "any": "unknown",
    "tuple": "[{}]",
    "array": "readonly ({})[]",
    "object": "Record<string, {}>",
    "open": "",
    "close": "",
    "or": " | ",
}
PYTHON = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "any": "Any",
    "tuple": "tuple[{}]",
    "array": "list[{}]",
    "object": "dict[str, {}]",
    "open": "Literal[",
    "close": "]",
    "or": ", ",
}


def stale() -> list[Path]:
    """Return the files that do not say what the description says."""
    return [path for path, text in written().items() if not path.exists() or path.read_text("utf-8") != text]


def written() -> dict[Path, str]:
    """Return what each file should hold."""
    readme = ROOT / "README.md"
    text = readme.read_text("utf-8")
    for name, table in (("routes", route_table()), ("errors", error_table())):
        head, mark, rest = text.partition(f"<!-- {name} -->\n")
        text = head + mark + table + rest[rest.index("<!-- end -->") :]
    return {
        ROOT / "obsidian-plugin" / "src" / "contract.gen.ts": typescript(),
        ROOT / "pai_daemon" / "serve" / "documents.py": _formatted(python()),
        readme: text,
    }


def _formatted(source: str) -> str:
    ruff = [str(ROOT / ".venv" / "bin" / "ruff"), "format", "--line-length", "110", "-"]
    done = subprocess.run(ruff, input=source, capture_output=True, text=True, check=True, cwd=ROOT)
    return str(done.stdout)


def route_table() -> str:
    """Return the README's table of routes."""
    lines = [f"| `{route.method} {route.canonical}` | {_takes(route)} |" for route in described()]
    return "\n".join(["| route | what |", "|---|---|", *lines, ""])


def _takes(route: Route) -> str:
    kind = route.query or route.body
    if kind is None:
        return route.about
    items = sorted(msgspec.structs.fields(kind), key=lambda item: not item.required)
    return f"{', '.join(f'`{item.encode_name}`' for item in items)} → {route.about}"


def error_table() -> str:
    """Return the README's table of errors."""
    rows = [
        f"| `{kind.code}` | {kind.status} | {kind.exit_code} | {_meaning(kind)} | {kind.todo} |"
        for kind in kinds()
    ]
    head = ["| code | HTTP | exit | what happened | what to do |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def _meaning(kind: type[PaiError]) -> str:
    if kind is PaiError:
        return "Something in the daemon failed, and its log says what."
    return " ".join((kind.__doc__ or "").partition("\n")[0].split()).replace(" (D3)", "")


def typescript() -> str:
    """Return the documents of the API as TypeScript interfaces."""
    parts = [f"/** The daemon's documents as they cross the wire. {HEAD} */\n"]
    for name, schema in components(is_own=True).items():
        required = set(schema.get("required", ()))
        lines = [
            f"  {key}{'' if key in required else '?'}: {_as_typescript(each)};"
            for key, each in schema["properties"].items()
        ]
        parts.append("\n".join([f"export interface {name} {{", *lines, "}\n"]))
    return "\n".join(parts)


def python() -> str:
    """Return the documents of the API as typed dictionaries; nothing is imported for them."""
    parts = [
        f'"""The documents of the API, for whoever asks it. {HEAD}"""',
        "from __future__ import annotations",
        "from typing import Any, Literal, NotRequired, TypedDict",
    ]
    for name, schema in components(is_own=True).items():
        required = set(schema.get("required", ()))
        about = " ".join(schema.get("description", "").partition("\n")[0].split())
        lines = [
            f"    {key}: {_as_python(each) if key in required else f'NotRequired[{_as_python(each)}]'}"
            for key, each in schema["properties"].items()
        ]
        parts.append("\n".join([f"class {name}(TypedDict):", f'    """{about}"""', "", *lines]))
    return "\n\n".join(parts) + "\n"


def _as_typescript(schema: dict[str, Any]) -> str:
    return _rendered(schema, TYPESCRIPT)


def _as_python(schema: dict[str, Any]) -> str:
    return _rendered(schema, PYTHON)


def _rendered(schema: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """Return a schema as a type of the language whose words are given."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        values = words["or"].join(f'"{value}"' for value in schema["enum"])
        return f"{words['open']}{values}{words['close']}"
    if "anyOf" in schema and "type" not in schema:
        return " | ".join(dict.fromkeys(_rendered(one, words) for one in schema["anyOf"]))
    if "prefixItems" in schema:
        inner = ", ".join(_rendered(one, words) for one in schema["prefixItems"])
        return words["tuple"].format(inner)
    word = words.get(str(schema.get("type")), words["any"])
    if "{}" not in word:
        return word
    held: Any = schema.get("items", schema.get("additionalProperties"))
    return word.format(_rendered(held if isinstance(held, dict) else {}, words))


def main() -> None:
    """Write what is stale, or with --check fail for it."""
    found = stale()
    for path in found:
        print(path.relative_to(ROOT))
    if "--check" in sys.argv:
        sys.exit(1 if found else 0)
    for path, text in written().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
