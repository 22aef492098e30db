"""What `auto` takes: what runs on this machine already, the best place first, nothing beyond it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ollama
import pytest
from aiohttp import web
from click.testing import CliRunner
from rich.console import Console

from pai_daemon.cli import generators as generators_command
from pai_daemon.cli import models as models_command
from pai_daemon.models.generation.choosing import (
    Candidate,
    Finding,
    best_of,
    look_at_lm_studio,
    look_at_ollama,
    parameters_of,
)
from pai_daemon.models.generation.generators import Auto, Options, generators_of, look_at_files
from tests.contract.fakes import served

GB = 10**9


def ollama_app(
    models: Sequence[tuple[str, str, int]], loaded: Sequence[str] = (), more: Mapping[str, Any] | None = None
) -> web.Application:
    """Return an app that lists (name, size of parameters, bytes) as Ollama does; more: facts by name."""

    async def tags(_: web.Request) -> web.Response:
        listed = [
            {
                "name": name,
                "model": name,
                "size": size,
                "details": {"family": "llama", "parameter_size": parameters},
            }
            for name, parameters, size in models
        ]
        return web.json_response({"models": listed})

    async def ps(_: web.Request) -> web.Response:
        running = [{"name": name, "model": name, "context_length": 8_192} for name in loaded]
        return web.json_response({"models": running})

    async def show(request: web.Request) -> web.Response:
        name = (await request.json())["model"]
        return web.json_response(
            {"capabilities": ["completion"], **(more or {}).get(name.partition(":")[0], {})}
        )

    app = web.Application()
    app.add_routes(
        [web.get("/api/tags", tags), web.get("/api/ps", ps), web.post("/api/show", show)],
    )
    return app


async def found_in(app: web.Application, look: Callable[[str, str], Awaitable[Finding]]) -> Finding:
    """Return what a look at a server found, its port taken out."""
    async with served(app) as url:
        found = await look("", url)
        return Finding(found.spec.replace(url, "URL"), found.why.replace(url.removeprefix("http://"), "HERE"))


async def test_stand_in_lists_its_models_to_the_real_client() -> None:
    """The real Ollama client reads what is installed and what is loaded from the stand-in."""
    async with served(ollama_app([("a:8b", "8.0B", 5 * GB)], ["a:8b"])) as url:
        client = ollama.AsyncClient(host=url)
        assert [model.model for model in (await client.list()).models] == ["a:8b"]
        assert [model.model for model in (await client.ps()).models] == ["a:8b"]
        await client.close()  # type: ignore[no-untyped-call]


async def test_ollama_with_a_loaded_model_writes_with_it() -> None:
    """The person uses it already; that it is not the largest does not matter, and the reason is said."""
    app = ollama_app([("small:3b", "3.2B", 2 * GB), ("large:8b", "8.0B", 5 * GB)], ["small:3b"])
    found = await found_in(app, look_at_ollama)
    assert found == Finding("ollama:small:3b@URL", "Ollama at HERE has small:3b loaded")


async def test_ollama_that_embeds_forwards_or_is_tiny_writes_nothing() -> None:
    """An embedding model, a cloud model, one that is forwarded and one under a billion are passed over."""
    models = [
        ("nomic-embed-text:latest", "137M", GB),
        ("gpt-oss:120b-cloud", "120B", 1),
        ("disguised:7b", "7.6B", 4 * GB),
        ("reader:7b", "7.6B", 4 * GB),
        ("smollm2:135m", "134.52M", GB // 10),
    ]
    facts = {"disguised": {"remote_host": "https://ollama.com"}, "reader": {"capabilities": ["embedding"]}}
    found = await found_in(ollama_app(models, more=facts), look_at_ollama)
    assert found.spec == ""
    assert "smollm2:135m" in found.why


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, "<html>hello</html>", "answers with"),
        (200, "[[[", "JSON"),
        (500, "{}", "answers with"),
        (401, "{}", "wants a key"),
        (200, '{"models": "x"}', "no model that writes"),
        (200, '{"models": [1, null, {}]}', "no model that writes"),
    ],
)
async def test_whatever_else_listens_there_is_a_reason_and_no_generator(
    status: int, body: str, words: str
) -> None:
    """Another program at the port, or a broken one, makes nothing fail."""

    async def odd(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type="text/html" if "<" in body else None)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", odd)
    for look in (look_at_ollama, look_at_lm_studio):
        found = await found_in(app, look)
        assert found.spec == ""
        assert words in found.why, found.why


@pytest.mark.parametrize("is_new", [True, False])
async def test_lm_studio_tells_its_models_in_either_version(is_new: bool) -> None:
    """Since 0.4 with sizes and instances, before it with a state; embedding models are passed over."""
    new = [
        {
            "key": "qwen-7b",
            "type": "llm",
            "params_string": "7B",
            "size_bytes": 5 * GB,
            "loaded_instances": [],
        },
        {"key": "nomic", "type": "embedding", "loaded_instances": [{"id": "nomic"}]},
        {"key": "gemma-4b", "type": "vlm", "params_string": "4B", "loaded_instances": [{"id": "gemma-4b:2"}]},
    ]
    old = [
        {"id": "qwen-7b", "type": "llm", "state": "not-loaded"},
        {"id": "nomic", "type": "embeddings", "state": "loaded"},
        {"id": "gemma-4b", "type": "vlm", "state": "loaded"},
    ]

    async def listed(_: web.Request) -> web.Response:
        return web.json_response({"models": new} if is_new else {"data": old})

    app = web.Application()
    app.router.add_get("/api/v1/models" if is_new else "/api/v0/models", listed)
    found = await found_in(app, look_at_lm_studio)
    assert found.spec == f"openai:gemma-4b{':2' if is_new else ''}@URL/v1"


async def test_look_that_is_close_tells_how_long_a_prompt_each_model_takes() -> None:
    """What is loaded counts by its own context, the rest by the longest; what embeds is left out."""
    models = [("small:3b", "3.2B", 2 * GB), ("large:8b", "8.0B", 5 * GB), ("reader:7b", "7.6B", 4 * GB)]
    info = {"general.architecture": "llama", "llama.context_length": 131_072}
    facts = {"large": {"model_info": info}, "small": {"model_info": info}, "reader": {"capabilities": []}}
    async with served(ollama_app(models, ["small:3b"], facts)) as url:
        found = await look_at_ollama("", url, closely=True)
    assert [
        (each.name, each.size_bytes, each.context_tokens, each.is_loaded) for each in found.candidates
    ] == [
        ("small:3b", 2 * GB, 8_192, True),
        ("large:8b", 5 * GB, 131_072, False),
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_command_lists_what_could_write_and_what_auto_would_take(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool
) -> None:
    """Each place's models with their sizes, then which one and why; the same as JSON."""

    async def found(_: Options) -> list[Finding]:
        tiny = Candidate("tiny:135m", "ollama:tiny:135m", 135_000_000, GB // 10)
        large = Candidate("large-8b", "openai:large-8b@http://127.0.0.1:1234/v1", 8 * GB, 5 * GB, True, 4_096)
        return [
            Finding("", "Ollama has only tiny ones", (tiny,)),
            Finding(large.spec, "LM Studio has large-8b loaded", (large,)),
        ]

    monkeypatch.setattr(generators_command, "all_there_is", found)
    monkeypatch.setattr(generators_command, "console", Console(force_terminal=terminal, width=200))
    shown = CliRunner().invoke(models_command.command, ["list", "--generators"]).stdout
    for words in ("ollama:tiny:135m", "5.0", "4,096", "auto takes openai:large-8b", "LM Studio has large-8b"):
        assert words in shown, shown
    told = json.loads(CliRunner().invoke(models_command.command, ["list", "--generators", "--json"]).stdout)
    assert [(each["name"], each["auto"]) for each in told["models"]] == [
        ("tiny:135m", False),
        ("large-8b", True),
    ]
    assert told["auto"]["why"] == "LM Studio has large-8b loaded"


def test_nothing_loaded_takes_the_largest_that_fits() -> None:
    """Size decides between models at rest; one beyond any memory is taken only if there is no other."""
    sizes = {"a:1b": GB, "b:2b": GB + 1, "huge:400b": 10**15}
    candidates = [Candidate(name, name, parameters_of(name), size) for name, size in sizes.items()]
    assert best_of(candidates, "Here", "").spec in ("b:2b", "a:1b")
    assert best_of(candidates[-1:], "Here", "").spec == "huge:400b"


@pytest.mark.parametrize(
    ("text", "parameters"),
    [("3.2B", 3_200_000_000), ("qwen2.5-0.5b-instruct", 500_000_000), ("134.52M", 134_520_000), ("gemma", 0)],
)
def test_parameters_are_read_from_sizes_and_names(text: str, parameters: int) -> None:
    """As Ollama writes them, and as models are called."""
    assert parameters_of(text) == parameters


async def test_tiny_file_is_passed_over_and_none_is_said(tmp_path: Path, tiny_gguf: Path) -> None:
    """A real model of 135 million parameters answers worse than quotes do; so does a file that is none."""
    assert (await look_at_files(tmp_path / "nowhere")).why == "no GGUF file"
    shutil.copy(tiny_gguf, tmp_path / "tiny.gguf")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    found = await look_at_files(tmp_path)
    assert found.spec == ""
    assert "under a billion" in found.why


def said(*findings: Finding) -> list[Callable[[str], Awaitable[Finding]]]:
    """Return looks that find these, one place each."""

    def look(found: Finding) -> Callable[[str], Awaitable[Finding]]:
        async def looked(_before: str) -> Finding:
            return found

        return looked

    return [look(found) for found in findings]


def name_of(auto: Auto) -> str:
    """Return what writes now, "" for quotes."""
    return auto.chosen.generator.name if auto.chosen.generator else ""


def fail(auto: Auto) -> None:
    """Have what writes now fail."""
    assert auto.chosen.generator is not None
    auto.failed(auto.chosen.generator)


async def test_auto_takes_the_first_place_and_another_when_that_fails(tmp_path: Path) -> None:
    """Ollama before LM Studio before a file; what failed is passed over for a while, then quotes remain."""
    first = Finding("ollama:a:8b", "Ollama has a:8b loaded")
    second = Finding("openai:b@http://127.0.0.1:1234/v1", "LM Studio has b loaded")
    auto = Auto(Options(tmp_path), said(Finding("", "no X"), first, second), again_s=3_600)
    assert name_of(auto) == ""
    await auto.look()
    assert (name_of(auto), auto.chosen.why) == ("ollama:a:8b", first.why)
    fail(auto)
    assert name_of(auto) == ""
    await auto.look()
    assert name_of(auto) == "openai:b"
    fail(auto)
    await auto.look()
    assert name_of(auto) == ""
    failed = [f"{found.spec} failed a moment ago" for found in (first, second)]
    assert auto.chosen.why == "; ".join(["no X", *failed])
    await auto.close()


@pytest.mark.parametrize(
    "spec",
    ["ollama:gpt-oss:120b-cloud", "openai:m@http://192.168.1.5:1234/v1", "ollama:a@http://evil.example"],
)
async def test_auto_never_takes_what_is_beyond_this_machine(tmp_path: Path, spec: str) -> None:
    """Whatever a server calls its models, nothing leaves this machine unless a setting names it (D8)."""
    auto = Auto(Options(tmp_path), said(Finding(spec, "there")))
    await auto.look()
    assert auto.chosen.generator is None
    assert "not on this machine" in auto.chosen.why
    await auto.close()


async def test_auto_goes_on_looking_until_it_is_closed(tmp_path: Path) -> None:
    """A server that is started later is found by itself."""
    looks = 0
    seen = asyncio.Event()

    async def look(_before: str) -> Finding:
        nonlocal looks
        looks += 1
        if looks == 3:
            seen.set()
        return Finding("ollama:a:8b", "there") if looks > 1 else Finding("", "no Ollama")

    auto = Auto(Options(tmp_path), [look], again_s=0.01)
    auto.start()
    await asyncio.wait_for(seen.wait(), 20)
    assert auto.chosen.generator is not None
    await auto.close()


def test_auto_is_a_setting(tmp_path: Path) -> None:
    """The word makes what looks; everything else is named."""
    assert isinstance(generators_of(" auto ", Options(tmp_path)), Auto)
    assert not isinstance(generators_of("extractive", Options(tmp_path)), Auto)
