"""OpenAI's own clients against the daemon: what they return was held against their own response models.

The Python client of the major version that is installed, and the JavaScript client; the Python client of the
major version before it, LiteLLM and LlamaIndex in environments of their own, which is slow.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response
from pydantic import BaseModel, TypeAdapter

from tests.daemon_process import DaemonProcess
from tests.serve.openai import openai_script
from tests.serve.openai.conftest import Writing
from tests.serve.openai.test_chat import QUESTION

ORACLES = Path(__file__).parents[2] / "oracles"
NODE = shutil.which("node")
MAJOR_BEFORE = "openai>=2,<3"
LITELLM = "litellm==1.110.2"
LLAMA_INDEX = "llama-index-core==0.14.25"


def held(found: BaseModel) -> None:
    """Hold a document against its class: the client itself makes one of anything that it is sent."""
    kind = type(found)
    TypeAdapter(kind).validate_python(json.loads(found.model_dump_json(warnings=False)), strict=False)


@pytest.fixture
def client(served: DaemonProcess) -> Iterator[openai.OpenAI]:
    """Yield OpenAI's client of the daemon that quotes."""
    with openai.OpenAI(base_url=f"{served.client.url}/v1", api_key=served.token, max_retries=0) as found:
        yield found


def test_python_client_does_all_it_is_asked(served: DaemonProcess) -> None:
    """Models, chat, responses and embeddings, streamed too; the same script runs with the other major."""
    said = openai_script.run(f"{served.client.url}/v1", served.token)
    assert "spring" in said["chat"]
    assert said["chat"] == said["streamed"] == said["response"] == said["response_streamed"]
    assert said["widths"] == [384, 384]


def test_every_document_fits_the_models_of_the_client(client: openai.OpenAI) -> None:
    """Each field has its type, and every event of a stream is one that the client knows."""
    for model in client.models.list().data:
        held(model)
    held(client.models.retrieve("pai"))
    messages: Any = [{"role": "user", "content": QUESTION}]
    whole = client.chat.completions.create(model="pai", messages=messages)
    assert isinstance(whole, ChatCompletion)
    held(whole)
    annotations = whole.choices[0].message.annotations
    assert annotations
    assert annotations[0].url_citation.title.startswith("Boat")
    options: Any = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(model="pai", messages=messages, stream=True, stream_options=options)
    )
    for chunk in chunks:
        assert isinstance(chunk, ChatCompletionChunk)
        held(chunk)
    assert chunks[-1].usage is not None
    response = client.responses.create(model="pai", input=QUESTION)
    assert isinstance(response, Response)
    held(response)
    events = list(client.responses.create(model="pai", input=QUESTION, stream=True))
    for event in events:
        held(event)
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == response.output_text
    held(client.embeddings.create(model="pai-embed", input="spar varnish"))


def test_helper_of_the_client_puts_a_stream_together(client: openai.OpenAI) -> None:
    """What it accumulates from the events is the whole answer."""
    messages: Any = [{"role": "user", "content": QUESTION}]
    with client.chat.completions.stream(model="pai", messages=messages) as stream:
        found = stream.get_final_completion()
    whole = client.chat.completions.create(model="pai", messages=messages)
    assert found.choices[0].message.content == whole.choices[0].message.content
    with client.responses.stream(model="pai", input=QUESTION) as events:
        assert events.get_final_response().output_text == whole.choices[0].message.content


def test_client_raises_the_errors_that_are_meant(client: openai.OpenAI, writing: Writing) -> None:
    """A wrong key, an unknown model, a bad request and a failure in the midst have classes of their own."""
    messages: Any = [{"role": "user", "content": QUESTION}]
    with pytest.raises(openai.NotFoundError, match="Ask pai") as unknown:
        client.chat.completions.create(model="gpt-5", messages=messages)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-wrong").models.list()
    with pytest.raises(openai.BadRequestError, match="messages must be"):
        client.chat.completions.create(model="pai", messages=[])
    daemon, how = writing
    how.error_after = 1
    with openai.OpenAI(base_url=f"{daemon.client.url}/v1", api_key=daemon.token, max_retries=0) as other:
        stream = other.chat.completions.create(model="ollama:llama3.2", messages=messages, stream=True)
        with pytest.raises(openai.APIError, match="failed midway"):
            list(stream)


@pytest.mark.skipif(
    NODE is None or not (ORACLES / "node_modules" / "openai").is_dir(), reason="no openai of npm"
)
def test_javascript_client_gets_the_same(served: DaemonProcess) -> None:
    """Its numbers are right whether it asks for base64, as it does by itself, or for floats."""
    environ = {**os.environ, "PAI_URL": f"{served.client.url}/v1", "PAI_TOKEN": served.token}
    command = [str(NODE), str(ORACLES / "openai.mjs")]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert "spring" in said["chat"]
    assert said["chat"] == said["streamed"] == said["response"]
    assert said["models"] == ["pai", "pai-vault", "pai-embed"]
    assert said["error"] == [404, "model_not_found"]
    default, floats, base64 = said["widths"]
    assert default == floats == 384, "base64 that is taken for numbers has a quarter of the width"
    assert base64 == 4 * 384
    assert said["apart"] < 1e-6


def in_its_own_environment(folder: Path, packages: Sequence[str], *command: str, **more: str) -> Any:
    """Return what a script prints, as JSON where it is some, in a new environment that has these packages."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True, timeout=300)
    done = subprocess.run(
        [python, *command], env=os.environ | more, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout


@pytest.mark.slow
def test_python_client_of_the_major_version_before_does_the_same(
    served: DaemonProcess, tmp_path: Path
) -> None:
    """The same script in an environment of its own."""
    url = f"{served.client.url}/v1"
    said = in_its_own_environment(tmp_path, [MAJOR_BEFORE], openai_script.__file__, url, served.token)
    assert said["version"].startswith("2.")
    assert said == openai_script.run(url, served.token) | {"version": said["version"]}


@pytest.mark.slow
def test_router_passes_answers_sources_and_errors_on(served: DaemonProcess, tmp_path: Path) -> None:
    """LiteLLM, in an environment of its own for its size, asks as it does any server that speaks so."""
    script = Path(__file__).with_name("litellm_script.py")
    url = f"{served.client.url}/v1"
    # Else it fetches its list of prices.
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    said = in_its_own_environment(tmp_path, [LITELLM], str(script), url, served.token, **quiet)
    assert "spring" in said["chat"]
    assert said["chat"] == said["streamed"]
    assert said["annotations"]
    assert said["width"] == 384
    assert said["error"] == "NotFoundError"


@pytest.mark.slow
def test_ten_lines_are_a_retriever_of_llama_index(served: DaemonProcess, tmp_path: Path) -> None:
    """The example of the README finds the daemon by itself, and a passage with its link."""
    example = Path(__file__).parents[2] / "examples" / "llama_index_retriever.py"
    environ = served.folders.environ()
    packages = [LLAMA_INDEX, str(Path(__file__).parents[3])]
    found = in_its_own_environment(tmp_path, packages, str(example), QUESTION, **environ)
    assert "[[Boat" in found
