"""Chat, responses and embeddings over plain HTTP: what is told, what is refused, and who leaves (D86)."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import re
import struct
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest

from pai_daemon.errors import Overloaded
from pai_daemon.serve.tokens import Tokens
from pai_daemon.serve.turns import CONVERSING, Line
from tests.daemon_process import DaemonProcess, Reply, eventually
from tests.serve.openai.conftest import Writing
from tests.serve.openai.test_pieces import TITLE_TASK

QUESTION = "When is the hull varnished?"
CHAT, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"
# A generator that nobody listens to is to stop within 0.2 s; ten times that on a machine that does much else.
GONE_S = 2.0


def body(question: str = QUESTION, **more: Any) -> dict[str, Any]:
    """Return the body of a chat."""
    return {"model": "pai", "messages": [{"role": "user", "content": question}]} | more


def ask(daemon: DaemonProcess, path: str = CHAT, given: Mapping[str, Any] | None = None) -> Reply:
    """Return what a body is answered with."""
    return daemon.request("POST", path, body=body() if given is None else given)


def frames(reply: Reply) -> list[Any]:
    """Return the documents of a stream, and `[DONE]` as it is."""
    assert reply.status == 200, reply.body
    assert reply.headers["Content-Type"].startswith("text/event-stream")
    blocks = reply.body.decode().split("\n\n")
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("data: ")]
    data = [line.removeprefix("data: ") for line in lines]
    return [each if each == "[DONE]" else json.loads(each) for each in data]


def text_of(chunks: list[Any]) -> str:
    """Return the text of a stream."""
    told = [each["choices"][0]["delta"] for each in chunks if each != "[DONE]" and each.get("choices")]
    return "".join(delta.get("content", "") for delta in told)


def test_answer_carries_marks_annotations_and_sources(served: DaemonProcess) -> None:
    """Each annotation's span is its mark in the text, and the list names the note as the person links it."""
    message = ask(served).json["choices"][0]["message"]
    assert "spring" in message["content"]
    assert "\n\n---\nSources:\n- [1] [[Boat" in message["content"]
    assert message["annotations"]
    for annotation in message["annotations"]:
        cited = annotation["url_citation"]
        mark = message["content"][cited["start_index"] : cited["end_index"]]
        assert (annotation["type"], mark[0], mark[-1], mark[1:-1].isdigit()) == (
            "url_citation",
            "[",
            "]",
            True,
        )
    first = message["annotations"][0]["url_citation"]
    assert first["url"].startswith("obsidian://open?vault=vault&file=Projects%2FBoat")
    assert first["title"].startswith("Boat")


def test_stream_tells_what_the_whole_answer_does(served: DaemonProcess) -> None:
    """Its pieces add up to the same text and annotations; every chunk has choices, and the end is marked."""
    whole = ask(served).json["choices"][0]["message"]
    chunks = frames(ask(served, given=body(stream=True)))
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[-1] == "[DONE]"
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert text_of(chunks) == whole["content"]
    deltas = [each["choices"][0]["delta"] for each in chunks[:-1]]
    assert [one for delta in deltas for one in delta.get("annotations", ())] == whole["annotations"]
    assert len({each["id"] for each in chunks[:-1]}) == 1


@pytest.mark.parametrize("events", [False, True])
def test_nth_source_that_is_told_is_that_of_the_mark_n(writing: Writing, events: bool) -> None:
    """Open WebUI goes by their order, whichever passage the generator cites first."""
    daemon, how = writing
    how.words = ("The roof is slate ", "[2", "]. The hull is varnished [1]. The roof is old [2].")
    headers = {"X-Pai-Events": "open-webui"} if events else {}
    asked = json.dumps(body("What of the hull and of the shed roof?", stream=True))
    chunks = frames(daemon.request("POST", CHAT, body=asked, headers=headers))
    assert text_of(chunks).startswith(
        "The roof is slate [1]. The hull is varnished [2]. The roof is old [1]."
    )
    if events:
        told = [each["event"]["data"]["source"]["url"] for each in chunks[:-1] if "event" in each]
    else:
        deltas = [each["choices"][0]["delta"] for each in chunks[:-1]]
        listed = [one["url_citation"]["url"] for delta in deltas for one in delta.get("annotations", ())]
        assert len(listed) == 3
        told = list(dict.fromkeys(listed))
    sources = text_of(chunks).partition("Sources:\n")[2].splitlines()
    assert [line[:6] for line in sources[:2]] == ["- [1] ", "- [2] "]
    for line, url in zip(sources, told, strict=False):
        assert line[8:12] in url, "the list names them in the same order"


def test_source_that_the_check_found_is_told_beside_that_of_the_mark(writing: Writing) -> None:
    """A mark that the check did not keep still stands for its place; the right one is listed and told too."""
    daemon, how = writing
    how.words = ("The hull is varnished with spar varnish ", "each spring [1].")
    question = "What of the hull and of the shed roof?"
    message = ask(daemon, given=body(question)).json["choices"][0]["message"]
    content, listed = message["content"], message["annotations"]
    assert content.startswith("The hull is varnished with spar varnish each spring [1].\n\n---\nSources:\n")
    assert "\n- [1] [[Shed]]\n- [2] [[Boat" in content
    cited = [each["url_citation"] for each in listed]
    assert [content[each["start_index"] : each["end_index"]] for each in cited] == ["[1]", "[2]"]
    assert ["Shed" in cited[0]["url"], "Boat" in cited[1]["url"]] == [True, True]
    chunks = frames(ask(daemon, given=body(question, stream=True)))
    deltas = [each["choices"][0]["delta"] for each in chunks[:-1]]
    assert [one for delta in deltas for one in delta.get("annotations", ())] == listed


def test_usage_is_streamed_only_where_it_is_asked_for(writing: Writing) -> None:
    """A chunk without choices comes last with what the generator counted; else there is none."""
    daemon, _ = writing
    *_, usage, done = frames(ask(daemon, given=body(stream=True, stream_options={"include_usage": True})))
    assert (usage["choices"], done) == ([], "[DONE]")
    assert usage["usage"] == {"prompt_tokens": 26, "completion_tokens": 3, "total_tokens": 29}
    plain = frames(ask(daemon, given=body(stream=True)))
    assert not any("usage" in each for each in plain[:-1])


def test_sentence_without_support_is_marked_in_the_text(writing: Writing) -> None:
    """What the generator made up is named below its answer, where any program shows it."""
    content = ask(writing[0]).json["choices"][0]["message"]["content"]
    assert "each spring [1]." in content
    assert "No passage supports: Tomatoes fly to the moon." in content


def test_passages_come_as_cards_only_for_who_asks(served: DaemonProcess) -> None:
    """Open WebUI's own events carry text and number order; no other program is sent them."""
    asked = json.dumps(body(stream=True))
    reply = served.request("POST", CHAT, body=asked, headers={"X-Pai-Events": "open-webui"})
    cards = [each for each in frames(reply)[:-1] if "event" in each]
    assert cards
    assert all(each["choices"] == [] for each in cards)
    first = cards[0]["event"]["data"]
    assert "varnish" in first["document"][0]
    assert first["source"]["name"].startswith("Boat")
    assert "distances" not in first, "shown as how sure it is, in percent"
    assert not any("annotations" in json.dumps(each) for each in frames(reply))
    assert not any("event" in each for each in frames(served.request("POST", CHAT, body=asked))[:-1])


@pytest.mark.parametrize("stream", [False, True])
def test_stop_ends_the_answer_before_it(writing: Writing, stream: bool) -> None:
    """Also where it comes in two pieces; nothing follows, the list of sources neither."""
    daemon, how = writing
    how.words = ("The hull is varn", "ished each spring [1]. ", "More.")
    reply = ask(daemon, given=body(stop=["nished each", "nowhere"], stream=stream))
    content = text_of(frames(reply)) if stream else reply.json["choices"][0]["message"]["content"]
    assert content == "The hull is var"


def test_conversation_goes_to_the_answerer(writing: Writing) -> None:
    """A follow-up is searched for by what was said, which the generator reads without its sources."""
    daemon, how = writing
    before = ask(daemon).json["choices"][0]["message"]["content"]
    how.requests.clear()
    turns = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": before},
        {"role": "user", "content": "And with what?"},
    ]
    assert ask(daemon, given={"model": "pai", "messages": turns}).status == 200
    sent = [json.dumps(sent["messages"]) for path, sent in how.requests if path == "/api/chat"]
    assert any("each spring" in each for each in sent)
    assert not any("Sources:" in each for each in sent)


def test_generator_is_passed_through_without_the_notes(writing: Writing) -> None:
    """By its own name it gets the messages as they are, with their system prompt, and nothing is cited."""
    daemon, how = writing
    how.requests.clear()
    how.words = ("Arr", "! ", "So. ")
    messages = [{"role": "system", "content": "Be a pirate."}, {"role": "user", "content": QUESTION}]
    given = {"model": "ollama:llama3.2", "messages": messages, "max_tokens": 3}
    reply = ask(daemon, given=given).json
    assert reply["choices"][0]["message"]["content"] == "Arr! So. "
    assert reply["choices"][0]["message"]["annotations"] == []
    assert reply["choices"][0]["finish_reason"] == "length"
    (sent,) = [sent for path, sent in how.requests if path == "/api/chat"]
    assert sent["messages"] == messages
    assert sent["options"]["num_predict"] == 3


def test_thoughts_of_a_generator_are_no_part_of_its_text(writing: Writing) -> None:
    """They come apart, as programs that show them expect; in an answer from the notes not at all."""
    daemon, how = writing
    how.thoughts = ("Hm. ",)
    chunks = frames(ask(daemon, given=body(model="ollama:llama3.2", stream=True)))
    told = [each["choices"][0]["delta"].get("reasoning_content") for each in chunks[:-1]]
    assert "Hm. " in told
    assert "Hm." not in text_of(chunks)
    assert "Hm." not in json.dumps(ask(daemon).json)


@pytest.mark.parametrize("words", [('{"title": "Varnish"}',), ("no JSON",)])
def test_title_is_asked_of_the_generator_without_the_notes(writing: Writing, words: tuple[str, ...]) -> None:
    """What Open WebUI wants for itself is no question: one call, no passage; nonsense is not handed on."""
    daemon, how = writing
    how.words = words
    how.requests.clear()
    message = ask(daemon, given=body(TITLE_TASK, stream=False)).json["choices"][0]["message"]
    assert json.loads(message["content"])["title"] in ("Varnish", "When is the hull of the old")
    assert message["annotations"] == []
    (sent,) = [sent for path, sent in how.requests if path == "/api/chat"]
    assert "Note: " not in json.dumps(sent)


def test_title_without_a_generator_costs_nothing(served: DaemonProcess) -> None:
    """It is the first question, cut short, and comes at once."""
    content = ask(served, given=body(TITLE_TASK)).json["choices"][0]["message"]["content"]
    assert json.loads(content) == {"title": "When is the hull of the old"}


PASTED = "\n".join(f"Line {number} of the survey of a boat." for number in range(2_000))


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
def test_long_text_is_pasted_with_a_question(served: DaemonProcess, path: str) -> None:
    """It is searched for its question, wherever that stands, instead of being refused."""
    for message in (f"{QUESTION}\n\n{PASTED}", f"{PASTED}\n\n{QUESTION}"):
        given = body(message) if path == CHAT else {"model": "pai", "input": message}
        reply = ask(served, path, given)
        assert reply.status == 200, reply.body
        assert "spring" in reply.body.decode()


def test_generator_is_given_of_a_pasted_text_what_fits(writing: Writing) -> None:
    """As much of its beginning as leaves room for passages; the answer says that not all of it was read."""
    daemon, how = writing
    told = ask(daemon, given=body(f"{PASTED}\n\n{QUESTION}")).json["choices"][0]["message"]["content"]
    sent = json.dumps(how.requests[-1][1]["messages"], ensure_ascii=False)
    assert "Line 0 of the survey" in sent
    assert "Line 60 of the survey" in sent
    assert "Line 1999 of the survey" not in sent
    assert "spar varnish" in sent
    assert f"Question: {QUESTION}" in sent
    assert re.search(r"The last \d+ characters of the text you sent were not read", told)


@pytest.mark.parametrize("model", ["pai", "PAI", "pai-my-vault", "ollama:llama3.2"])
def test_models_are_listed_and_answer_by_each_name(writing: Writing, model: str) -> None:
    """What is listed can be asked, and is found by itself, whatever its case."""
    daemon, _ = writing
    listed = [each["id"] for each in daemon.request("GET", "/v1/models").json["data"]]
    assert listed == ["pai", "pai-my-vault", "pai-embed", "ollama:llama3.2"]
    assert daemon.request("GET", f"/v1/models/{model}").json["id"] == model
    assert ask(daemon, given=body(model=model)).json["model"] == model


@pytest.mark.parametrize(
    ("path", "given", "status", "code", "words"),
    [
        (CHAT, body(model="gpt-5"), 404, "model_not_found", "Ask pai, pai-my-vault"),
        (CHAT, body(model="pai-embed"), 404, "model_not_found", "Ask pai"),
        (CHAT, body(n=2), 400, "bad_request", "n must be"),
        (CHAT, {"model": "pai", "messages": []}, 400, "bad_request", "messages must be"),
        (CHAT, {"messages": [{"role": "user", "content": "x"}]}, 400, "bad_request", "model is missing"),
        (CHAT, {"model": "pai", "messages": [{"content": "x"}]}, 400, "bad_request", "[0].role is missing"),
        (CHAT, body("\ud800"), 400, "bad_request", "surrogate"),
        (CHAT, body("word " * 20_000, model="ollama:llama3.2"), 400, "bad_request", "Send fewer"),
        (RESPONSES, {"model": "pai", "input": []}, 400, "bad_request", "user says"),
        (
            RESPONSES,
            {"model": "pai", "input": "x", "previous_response_id": "r"},
            400,
            "bad_request",
            "stored",
        ),
        (RESPONSES, {"model": "pai", "input": [{"role": 3}]}, 400, "bad_request", "role, and text"),
        (EMBEDDINGS, {"model": "ada", "input": "x"}, 404, "model_not_found", "pai-embed"),
        (
            EMBEDDINGS,
            {"model": "pai-embed", "input": [1, 2]},
            400,
            "bad_request",
            "check_embedding_ctx_length",
        ),
        (EMBEDDINGS, {"model": "pai-embed", "input": [[1], [2]]}, 400, "bad_request", "tokens"),
        (EMBEDDINGS, {"model": "pai-embed", "input": ["a", " "]}, 400, "bad_request", "empty"),
        (EMBEDDINGS, {"model": "pai-embed", "input": []}, 400, "bad_request", "1 to 2,048"),
        (EMBEDDINGS, {"model": "pai-embed", "input": "x", "dimensions": 100}, 400, "bad_request", "384"),
        (
            EMBEDDINGS,
            {"model": "pai-embed", "input": "x", "encoding_format": "hex"},
            400,
            "bad_request",
            "base64 or",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(
    writing: Writing, *, path: str, given: dict[str, Any], status: int, code: str, words: str
) -> None:
    """The error has OpenAI's form, and says what to do."""
    reply = ask(writing[0], path, given)
    assert reply.headers["Content-Type"].startswith("application/json")
    error = reply.json["error"]
    assert (reply.status, error["code"]) == (status, code), reply
    assert words in error["message"]
    assert set(error) == {"message", "type", "param", "code"}


def test_generator_is_no_model_where_there_is_none(served: DaemonProcess) -> None:
    """Where answers are quoted, only the notes and what embeds are listed."""
    assert [each["id"] for each in served.request("GET", "/v1/models").json["data"]] == [
        "pai",
        "pai-vault",
        "pai-embed",
    ]


def test_door_is_the_same_and_speaks_their_language(served: DaemonProcess) -> None:
    """A wrong token, a foreign Host or Origin, an unknown route and method: refused in OpenAI's form."""
    wrong = served.request("GET", "/v1/models", headers={"Authorization": "Bearer sk-wrong"})
    assert (wrong.status, wrong.json["error"]["code"]) == (401, "invalid_api_key")
    for header in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        refused = served.request("POST", CHAT, body=body(), headers=header)
        assert (refused.status, refused.json["error"]["type"]) == (403, "permission_error")
    missing = served.request("POST", "/v1/completions", body=body())
    assert (missing.status, "/v1/chat/completions" in missing.json["error"]["message"]) == (404, True)
    method = served.request("GET", CHAT)
    assert (method.status, method.headers["Allow"]) == (405, "POST")
    large = served.request("POST", CHAT, body=b"x" * 1_100_000)
    assert (large.status, large.json["error"]["code"]) == (413, "too_large")


def test_scope_opens_what_it_names(served: DaemonProcess) -> None:
    """A token for ask converses, one for search embeds, and both see what is served; no more than that."""
    known = Tokens(served.folders.settings)
    try:
        for scope, opened in (("ask", {CHAT, RESPONSES}), ("search", {EMBEDDINGS}), ("status", set())):
            token = known.create(f"v1-{scope}", [scope])
            headers = {"Authorization": f"Bearer {token}"}
            assert served.request("GET", "/v1/models", headers=headers).status == 200
            for path in (CHAT, RESPONSES, EMBEDDINGS):
                status = served.request("POST", path, body=b"{}", headers=headers).status
                assert status == (400 if path in opened else 403), (scope, path)
    finally:
        for scope in ("ask", "search", "status"):
            known.revoke(f"v1-{scope}")


def test_error_in_the_midst_is_an_event(writing: Writing) -> None:
    """A generator by itself that fails midway ends the stream with an error, and no `[DONE]`."""
    daemon, how = writing
    how.error_after = 1
    chunks = frames(ask(daemon, given=body(model="ollama:llama3.2", stream=True)))
    assert text_of(chunks[:-1]) == how.words[0]
    assert chunks[-1]["error"]["code"] == "generator_unavailable"
    plain = ask(daemon, given=body(model="ollama:llama3.2"))
    assert (plain.status, plain.json["error"]["type"]) == (502, "server_error")
    events = frames(ask(daemon, RESPONSES, {"model": "ollama:llama3.2", "input": "x", "stream": True}))
    assert (events[-1]["type"], events[-1]["code"]) == ("error", "generator_unavailable")


def test_answer_from_the_notes_survives_its_generator(writing: Writing) -> None:
    """The notes are quoted after what was written, and the text says why."""
    daemon, how = writing
    how.error_after = 1
    chunks = frames(ask(daemon, given=body(stream=True)))
    assert chunks[-1] == "[DONE]"
    assert "Note: ollama:llama3.2 failed midway" in text_of(chunks)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tools", [{"type": "function", "function": {"name": "clock", "parameters": {}}}]),
        ("temperature", 0.2),
        ("response_format", {"type": "json_object"}),
        ("metadata", {"a": "b"}),
        ("stream_options", {"include_usage": None, "new": 1}),
        ("max_tokens", None),
        ("a_field_of_next_year", [[]]),
    ],
)
def test_field_that_is_not_known_is_passed_over(served: DaemonProcess, name: str, value: Any) -> None:
    """Programs send what their own models take; the answer is the same."""
    assert "spring" in ask(served, given=body(**{name: value})).json["choices"][0]["message"]["content"]


def test_embeddings_are_the_same_in_both_forms(served: DaemonProcess) -> None:
    """Base64 holds the numbers as little-endian float32; each embedding has length 1 and its place."""
    texts = ["spar varnish", "eighteen hours", "spar varnish"]
    given = {"model": "pai-embed", "input": texts}
    plain = ask(served, EMBEDDINGS, given).json
    coded = ask(served, EMBEDDINGS, given | {"encoding_format": "base64"}).json
    assert [each["index"] for each in plain["data"]] == [0, 1, 2]
    assert plain["usage"]["prompt_tokens"] == plain["usage"]["total_tokens"] > 0
    for one, other in zip(plain["data"], coded["data"], strict=True):
        raw = base64.b64decode(other["embedding"])
        assert list(struct.unpack(f"<{len(raw) // 4}f", raw)) == pytest.approx(one["embedding"], abs=1e-7)
        assert sum(number**2 for number in one["embedding"]) == pytest.approx(1, abs=1e-4)
    assert plain["data"][0]["embedding"] == pytest.approx(plain["data"][2]["embedding"], abs=1e-5)
    assert plain["data"][0]["embedding"] != pytest.approx(plain["data"][1]["embedding"], abs=1e-2)


def test_response_comes_about_in_numbered_events(served: DaemonProcess) -> None:
    """They are in order, their deltas add up to the text, and the last holds what is answered whole."""
    given = {"model": "pai", "input": QUESTION}
    events = frames(ask(served, RESPONSES, given | {"stream": True}))
    assert [each["sequence_number"] for each in events] == list(range(len(events)))
    assert (events[0]["type"], events[-1]["type"]) == ("response.created", "response.completed")
    said = "".join(each["delta"] for each in events if each["type"] == "response.output_text.delta")
    (part,) = events[-1]["response"]["output"][0]["content"]
    whole = ask(served, RESPONSES, given).json["output"][0]["content"][0]
    assert said == part["text"] == whole["text"]
    assert part["annotations"] == whole["annotations"] != []


def test_generator_stops_when_nobody_listens(writing: Writing) -> None:
    """Who hangs up in the midst ends the writing, on each route; the time is a generous bound."""
    daemon, how = writing
    streams = (
        (CHAT, body(stream=True)),
        (CHAT, body(model="ollama:llama3.2", stream=True)),
        (RESPONSES, {"model": "pai", "input": QUESTION, "stream": True}),
        (CHAT, body(model="ollama:llama3.2")),
    )
    for path, given in streams:
        vars(how).update(vars(type(how)(words=("The hull ",) * 5000, pace_s=0.02)))
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
        headers = {"Authorization": f"Bearer {daemon.token}"}
        connection.request("POST", path, json.dumps(given), headers)
        if given.get("stream"):
            reply = connection.getresponse()
            while b"hull" not in reply.readline():
                pass
            reply.close()
        else:
            eventually(lambda: any(path == "/api/chat" for path, _ in how.requests), "it writes")
        connection.close()
        left_s = time.monotonic()
        while not how.left_early.is_set():
            assert time.monotonic() - left_s < GONE_S, "it writes for nobody"
            time.sleep(0.005)
    assert "Traceback" not in daemon.log, daemon.log[-2000:]


def test_stream_that_waits_its_turn_is_open_and_asks_nothing_yet(writing: Writing) -> None:
    """All are told at once that they are heard; eight are written, the others when those are done."""
    daemon, how = writing
    how.silence_s = 1.5
    how.requests.clear()
    connections, headers = [], {"Authorization": f"Bearer {daemon.token}"}
    for _ in range(CONVERSING + 2):
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
        asked = json.dumps(body(model="ollama:llama3.2", stream=True))
        connection.request("POST", CHAT, asked, headers)
        assert b"assistant" in connection.getresponse().readline()
        connections.append(connection)

    def written() -> int:
        return sum(path == "/api/chat" for path, _ in how.requests)

    eventually(lambda: written() >= CONVERSING, "eight are written")
    assert written() == CONVERSING
    eventually(lambda: written() == CONVERSING + 2, "then the others")
    for connection in connections:
        connection.close()


def test_line_has_an_end() -> None:
    """Who comes when it is full is told to come again; who leaves makes room."""
    line = Line(1, 2)
    with line.joined():
        with line.joined(), pytest.raises(Overloaded, match="2 conversations"), line.joined():
            pass
        with line.joined():
            assert line.length == 2
    assert line.length == 0


async def test_twenty_streams_of_two_clients_are_all_answered(writing: Writing) -> None:
    """More than are written at once wait their turn; a few leave early, and nothing is left over."""
    daemon, how = writing
    process = psutil.Process(daemon.pid)
    ask(daemon)
    files, how.pace_s = process.num_fds(), 0.05

    def stream(number: int) -> str:
        given = body(stream=True, model=("pai", "ollama:llama3.2")[number % 2])
        if number % 5 == 4:
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
            headers = {"Authorization": f"Bearer {daemon.token}"}
            connection.request("POST", CHAT, json.dumps(given), headers)
            connection.getresponse().read(20)
            connection.close()
            return "left"
        chunks = frames(ask(daemon, given=given))
        assert chunks[-1] == "[DONE]"
        return text_of(chunks)

    with ThreadPoolExecutor(20) as pool:
        loop = asyncio.get_running_loop()
        said = await asyncio.gather(*(loop.run_in_executor(pool, stream, number) for number in range(20)))
    assert len(said) > 2 * CONVERSING
    assert said.count("left") == 4
    assert all("hull is varnished" in each for each in said if each != "left")
    eventually(lambda: process.num_fds() <= files + 4, "every connection is closed", within_s=30)
    assert ask(daemon).status == 200
