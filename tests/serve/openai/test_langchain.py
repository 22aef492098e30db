"""LangChain against the daemon: its own suites for retrievers and embeddings, and a chat that streams."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langchain_core", reason="LangChain is not installed")

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.retrievers import BaseRetriever
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langchain_tests.integration_tests import EmbeddingsIntegrationTests, RetrieversIntegrationTests
from pydantic import SecretStr

from pai_daemon.errors import DaemonUnreachable, PaiError, UsageError
from pai_daemon.langchain import PaiRetriever, pai_tools
from tests.daemon_process import DaemonProcess

ROOT = Path(__file__).parents[3]
QUESTION = "When is the hull varnished?"


@pytest.fixture
def here(served: DaemonProcess) -> PaiRetriever:
    """Return a retriever of the daemon of the suite."""
    return PaiRetriever(url=served.client.url, token=SecretStr(served.token))


class TestRetriever(RetrieversIntegrationTests):
    """LangChain's own claims on a retriever."""

    @pytest.fixture(autouse=True)
    def daemon(self, served: DaemonProcess) -> None:
        """Remember which daemon is asked."""
        self.served = served

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        """Return what is held against them."""
        return PaiRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        """Return how one is made."""
        return {"url": self.served.client.url, "token": self.served.token}

    @property
    def retriever_query_example(self) -> str:
        """Return a question with more than three passages."""
        return QUESTION


class TestEmbeddings(EmbeddingsIntegrationTests):
    """LangChain's own claims on embeddings, of its class for OpenAI pointed here."""

    @pytest.fixture(autouse=True)
    def daemon(self, served: DaemonProcess) -> None:
        """Remember which daemon is asked."""
        self.served = served

    @property
    def embeddings_class(self) -> type[OpenAIEmbeddings]:
        """Return what is held against them."""
        return OpenAIEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        """Return how one is made; without the last it sends tokens, and fetches a vocabulary for it."""
        return {
            "model": "pai-embed",
            "base_url": f"{self.served.client.url}/v1",
            "api_key": self.served.token,
            "check_embedding_ctx_length": False,
        }


def test_document_says_where_it_stands(here: PaiRetriever) -> None:
    """Text, place, score and the address that opens it come along."""
    found = here.invoke(QUESTION)[0]
    assert "spar varnish" in found.page_content
    assert found.metadata["source"] == "Projects/Boat.md"
    assert found.metadata["heading"].endswith("Hull")
    assert found.metadata["uri"].startswith("obsidian://open?vault=vault")
    assert 0 < found.metadata["score"] <= 1
    assert found.metadata["start_line"] <= found.metadata["end_line"]
    assert found.id is not None


async def test_search_is_narrowed_by_the_retriever_or_the_question(
    served: DaemonProcess, here: PaiRetriever
) -> None:
    """A filter given to the one counts for all its questions, one given to the other for it alone."""
    baking = PaiRetriever(url=served.client.url, token=SecretStr(served.token), tag="kitchen", k=3)
    assert {each.metadata["path"] for each in baking.invoke(QUESTION)} == {"Bread.md"}
    narrowed = await here.ainvoke(QUESTION, path="Projects", k=9)
    assert {each.metadata["path"] for each in narrowed} == {"Projects/Boat.md", "Projects/Shed.md"}
    assert len(here.invoke(QUESTION)) > 2
    with pytest.raises(UsageError, match="no parameter 'tags'"):
        here.invoke(QUESTION, tags="kitchen")


async def test_many_questions_at_once_are_answered(here: PaiRetriever) -> None:
    """Each waits in a thread of its own; the loop goes on."""
    found = await asyncio.gather(*(here.ainvoke(f"{QUESTION} {number}") for number in range(12)))
    assert all(len(each) > 0 for each in found)
    assert [len(each) for each in here.batch([QUESTION, "bread"], None, k=1)] == [1, 1]


def test_daemon_is_found_by_itself(served: DaemonProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an address the one that runs here is asked, and where none runs that is said."""
    for name, value in served.folders.environ().items():
        if name.startswith("PAI_"):
            monkeypatch.setenv(name, value)
    assert PaiRetriever(vault=served.vault).invoke(QUESTION)
    monkeypatch.setenv("PAI_CONFIG_DIR", str(served.vault / "none"))
    with pytest.raises(DaemonUnreachable):
        PaiRetriever().invoke(QUESTION)
    with pytest.raises(DaemonUnreachable, match="no token"):
        PaiRetriever(url=served.client.url).invoke(QUESTION)


def test_token_is_not_shown(served: DaemonProcess) -> None:
    """A chain that is printed or traced does not tell it."""
    assert served.token not in repr(PaiRetriever(url=served.client.url, token=SecretStr(served.token)))


def test_wrong_token_is_the_daemons_own_error(served: DaemonProcess) -> None:
    """It says what to do, as everywhere."""
    with pytest.raises(PaiError, match="token is missing or wrong"):
        PaiRetriever(url=served.client.url, token=SecretStr("wrong")).invoke(QUESTION)


async def test_chat_of_langchain_answers_from_the_notes(served: DaemonProcess) -> None:
    """Whole and streamed, over both routes, and in a conversation."""
    for is_newer in (False, True):
        chat = ChatOpenAI(
            model="pai",
            base_url=f"{served.client.url}/v1",
            api_key=SecretStr(served.token),
            use_responses_api=is_newer,
            max_retries=0,
        )
        whole = await chat.ainvoke(QUESTION)
        assert "spring" in whole.text
        streamed = [chunk.text async for chunk in chat.astream(QUESTION)]
        assert "".join(streamed) == whole.text
        assert len(streamed) > 2
        turns = [HumanMessage(QUESTION), AIMessage(whole.text), HumanMessage("And the shed roof?")]
        assert "slate" in (await chat.ainvoke(turns)).text


@pytest.mark.parametrize("place", [0, 1])
def test_recipes_of_the_readme_run_as_they_stand(
    served: DaemonProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: int
) -> None:
    """With the address and the token of a daemon in their places they print what they say."""
    section = (ROOT / "README.md").read_text("utf-8").partition("## Ask from other programs")[2]
    recipe = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)[place]
    for name, value in served.folders.environ().items():
        if name.startswith("PAI_"):
            monkeypatch.setenv(name, value)
    code = recipe.replace("http://127.0.0.1:8377", served.client.url).replace("TOKEN", served.token)
    code = code.replace("When is the boat's engine serviced?", QUESTION)
    exec(code, {})  # noqa: S102
    said = capsys.readouterr().out
    assert "spring" in said
    assert ("obsidian://" if place == 0 else "[[Boat") in said


def test_tools_search_ask_and_only_propose(served: DaemonProcess) -> None:
    """An agent reads, and what it would write waits for the person."""
    search, ask, propose = pai_tools(served.client)
    assert any("varnish" in each["text"] for each in search.invoke({"query": QUESTION}))
    assert "[1] [[Boat" in ask.invoke({"question": QUESTION})
    before = (served.vault / "Garden.md").read_text("utf-8")
    said = propose.invoke({"kind": "append", "path": "Garden.md", "text": "- Sow beans for an agent"})
    assert "waits for the person's approval" in said
    assert (served.vault / "Garden.md").read_text("utf-8") == before
    made = said.split()[1]
    assert served.request("POST", f"/api/actions/{made}", body='{"decision": "reject"}').status == 200
