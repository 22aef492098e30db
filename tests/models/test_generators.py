"""Settings become generators, and what a generator is can be told without contacting it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.errors import UsageError
from pai_daemon.models.addresses import location_of
from pai_daemon.models.generation.embedded import EmbeddedGenerator
from pai_daemon.models.generation.generator import Text, Thought, ThoughtSplitter
from pai_daemon.models.generation.generators import Options, generator_of
from pai_daemon.models.generation.ollama import OllamaGenerator
from pai_daemon.models.generation.openai import OpenAIGenerator

OPTIONS = Options(Path("nowhere"), "key")


def test_generator_of_extractive_is_none() -> None:
    """Answers that are quoted need no generator."""
    assert generator_of("extractive", OPTIONS) is None


@pytest.mark.parametrize(
    ("spec", "kind", "name", "location"),
    [
        ("ollama:llama3.2", OllamaGenerator, "ollama:llama3.2", "local"),
        ("ollama:hf.co/a/b:Q4_K_M@http://[::1]:1234", OllamaGenerator, "ollama:hf.co/a/b:Q4_K_M", "local"),
        ("ollama:qwen3:8b@https://box.lan", OllamaGenerator, "ollama:qwen3:8b", "remote"),
        ("ollama:gpt-oss:120b-cloud", OllamaGenerator, "ollama:gpt-oss:120b-cloud", "remote"),
        ("ollama:glm-4.6:cloud", OllamaGenerator, "ollama:glm-4.6:cloud", "remote"),
        ("openai:a@b@http://localhost:1234/v1", OpenAIGenerator, "openai:a@b", "local"),
        ("openai:gpt-5@https://api.openai.com/v1", OpenAIGenerator, "openai:gpt-5", "remote"),
        ("gguf:~/models/small.gguf", EmbeddedGenerator, "gguf:small", "embedded"),
    ],
)
def test_generator_of_each_form_is_built(spec: str, kind: type, name: str, location: str) -> None:
    """Each form gives its generator, its name and whether it runs on this machine."""
    generator = generator_of(spec, OPTIONS)
    assert generator is not None
    assert isinstance(generator, kind)
    assert (generator.name, generator.location) == (name, location)


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "ollama",
        "ollama:",
        "ollama:m@http://",
        "openai:m",
        "openai:m@ftp://x",
        "openai:@http://x/v1",
        "ollama:m@http://x:99999",
        "openai:m@http://x/v1?y=1",
        "llama:m",
        "gguf:",
        "auto:m",
        "extractive:m",
    ],
)
def test_generator_of_anything_else_lists_the_forms(spec: str) -> None:
    """A spec of no known form is a mistake whose hint shows the forms."""
    with pytest.raises(UsageError) as caught:
        generator_of(spec, OPTIONS)
    assert "ollama:MODEL@http://HOST:PORT" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("http://127.0.0.1:1", "local"),
        ("http://127.9.9.9", "local"),
        ("http://LOCALHOST:1/v1", "local"),
        ("http://[::1]:1", "local"),
        ("http://192.168.1.5:11434", "remote"),
        ("http://0.0.0.0:1", "remote"),
        ("http://localhost.evil.example", "remote"),
        ("http://127.0.0.1@evil.example", "remote"),
        ("http://127.0.0.1.evil.example", "remote"),
        ("nonsense", "remote"),
    ],
)
def test_location_of_only_loopback_is_local(url: str, location: str) -> None:
    """Everything that is not surely this machine counts as beyond it (D15)."""
    assert location_of(url) == location


@given(st.data(), st.sampled_from(["", "Two plus two is 4.", "<", "<thin", "a < b </think> c"]))
def test_thought_splitter_tells_answer_from_thought_however_it_is_cut(
    data: st.DataObject, answer: str
) -> None:
    """With or without a thought before it, in pieces of any size, both come out whole."""
    thought = data.draw(st.sampled_from(["", "hm < 3</thi", "\n"]))
    text = f"<think>{thought}</think>\n\n{answer}" if thought else answer
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    thoughts = ThoughtSplitter()
    events = [event for piece in pieces for event in thoughts.feed(piece)] + [*thoughts.end()]
    assert "".join(event.text for event in events if isinstance(event, Text)) == answer
    assert "".join(event.text for event in events if isinstance(event, Thought)) == thought


def test_thought_splitter_takes_a_thought_without_end_for_no_answer() -> None:
    """A model that never stops thinking has said nothing."""
    thoughts = ThoughtSplitter()
    events = [*thoughts.feed("<think>on and on"), *thoughts.feed(" and on"), *thoughts.end()]
    assert all(isinstance(event, Thought) for event in events)
    assert "".join(event.text for event in events) == "on and on and on"
