"""Routines and actions of a running daemon, as a person and programs use them."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.action.attacks import ATTACKS
from tests.action.conftest import TODAY, vault_at
from tests.action.site import Site, rss
from tests.contract.embedding_fakes import running
from tests.contract.fakes import Behaviour, ollama_app
from tests.daemon_process import DaemonProcess, Folders, eventually

PLAIN = (
    "---\nwrites: {to: daily, heading: Log}\ngrants: [{append: 'Journal/**'}]\ninputs: [{notes: "
    "Boat.md}]\n---\nSum up.\n"
)


def pai(daemon: DaemonProcess, *arguments: str) -> str:
    """Return what a command says."""
    done = daemon.folders.pai(*arguments, timeout_s=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(daemon: DaemonProcess, name: str, *, dry: bool = False) -> dict[str, Any]:
    """Run a routine over HTTP."""
    reply = daemon.request("POST", f"/api/routines/{name}/run", body=json.dumps({"dry_run": dry}))
    assert reply.status == 200, reply.body
    found: dict[str, Any] = reply.json
    return found


def today(daemon: DaemonProcess) -> str:
    """Return today's note."""
    return (daemon.vault / "Journal" / f"{TODAY}.md").read_text("utf-8")


def test_morning_news_come_from_feeds_into_todays_note_once(daemon: DaemonProcess, site: Site) -> None:
    """Added by a command, tried without a trace, run, and with nothing new the second time."""
    before = today(daemon)
    said = pai(
        daemon, "routine", "add", "morning-news", "--feed", f"{site.url}/a.xml", "--feed", f"{site.url}/b.xml"
    )
    assert "Routines/Morning news.md" in said
    assert ("+> - [Lock reopens](https://post.example/1)") in pai(
        daemon, "routine", "run", "Morning news", "--dry-run"
    )
    assert today(daemon) == before
    assert "every day at 07:00" in pai(daemon, "routine", "list")
    found = run(daemon, "Morning%20news")
    assert (found["state"], found["trace"]["pieces"]) == ("done", 2)
    after = today(daemon)
    assert after.startswith(before.rstrip("\n"))
    assert "## News\n\n> [!summary] Morning news\n" in after
    assert run(daemon, "Morning%20news")["trace"]["pieces"] == 0
    assert today(daemon) == after
    assert "There was nothing to write." in pai(daemon, "routine", "show", "Morning news")
    unknown = daemon.folders.pai("routine", "show", "Evening news")
    assert (unknown.returncode, "pai routine history" in unknown.stderr) == (66, True)
    assert [each["state"] for each in json.loads(pai(daemon, "routine", "history", "--json"))["runs"]] == [
        "done",
        "done",
    ]


def test_reflection_review_and_this_day_run_on_embedded_defaults(daemon: DaemonProcess) -> None:
    """Each of the other shipped routines is added and run as it comes, and writes what it says."""
    for name in ("reflection", "weekly-review", "inbox-triage", "on-this-day"):
        pai(daemon, "routine", "add", name)
    note = daemon.vault / "Routines" / "Reflection.md"
    note.write_text(note.read_text("utf-8").replace("daily: 7d", "daily: 30d"), "utf-8")
    assert run(daemon, "Reflection")["state"] == "done"
    assert "> - **boat**, on 5 days" in today(daemon)
    assert run(daemon, "Weekly%20review")["state"] == "done"
    week = TODAY.isocalendar()
    assert "Ask the bank about the loan" in (
        daemon.vault / "Reviews" / f"{week.year}-W{week.week:02}.md"
    ).read_text("utf-8")
    triage = run(daemon, "Inbox%20triage")
    assert "waiting for your approval" in triage["why"]
    assert (daemon.vault / "Inbox/Galley.md").read_text("utf-8") == (
        "The galley of the narrowboat is orange.\n"
    )
    assert run(daemon, "On%20this%20day")["state"] == "done"
    for name in ("Reflection", "Weekly%20review", "Inbox%20triage"):
        before = {path: path.read_bytes() for path in daemon.vault.rglob("*.md")}
        run(daemon, name)
        assert {path: path.read_bytes() for path in daemon.vault.rglob("*.md")} == before, name


def test_proposal_is_shown_approved_and_undone(daemon: DaemonProcess) -> None:
    """A program with a token of its own proposes; only the person's own token decides."""
    token = pai(daemon, "token", "create", "n8n", "--scope", "action", "--json")
    other = {"Authorization": f"Bearer {json.loads(token)['token']}"}
    body = json.dumps({"kind": "append", "path": "Boat.md", "text": "- New mounts", "why": "the survey"})
    made = daemon.request("POST", "/api/actions", headers=other, body=body).json
    assert (made["state"], made["by"]) == ("proposed", "n8n")
    assert made["diff"] == "", "it may not read what stands around its text"
    shown = daemon.request("GET", "/api/actions?state=proposed").json["actions"][0]
    assert "+- New mounts" in shown["diff"]
    assert "New mounts" not in (daemon.vault / "Boat.md").read_text("utf-8")
    decide = json.dumps({"decision": "approve"})
    assert daemon.request("POST", f"/api/actions/{made['id']}", headers=other, body=decide).status == 403
    assert made["id"] in pai(daemon, "action", "list", "--state", "proposed")
    pai(daemon, "action", "approve", made["id"])
    assert (daemon.vault / "Boat.md").read_text("utf-8").endswith("galley.\n\n- New mounts\n")
    pai(daemon, "action", "undo", made["id"])
    assert (daemon.vault / "Boat.md").read_text("utf-8").endswith("galley.\n")
    rejected = daemon.request("POST", "/api/actions", headers=other, body=body).json
    assert "rejected" in pai(daemon, "action", "reject", rejected["id"])


def test_note_is_moved_with_its_links_and_back(daemon: DaemonProcess) -> None:
    """Approved, every link follows; undone, all bytes are as before."""
    (daemon.vault / "Engine.md").write_text("# Engine\n", "utf-8")
    (daemon.vault / "Parts.md").write_text("See [[Engine]] and [the engine](Engine.md).\n", "utf-8")
    eventually(lambda: daemon.request("GET", "/api/notes/Parts.md").status == 200, "it is indexed")
    before = {path: path.read_bytes() for path in daemon.vault.rglob("*.md")}
    made = json.loads(
        pai(daemon, "action", "propose", "move", "Engine.md", "--to", "Boat/Motor.md", "--json")
    )
    assert made["diff"] == "rename from Engine.md\nrename to Boat/Motor.md\n"
    pai(daemon, "action", "approve", made["id"])
    assert (daemon.vault / "Boat/Motor.md").read_text("utf-8") == "# Engine\n"
    assert not (daemon.vault / "Engine.md").exists()
    linked = (daemon.vault / "Parts.md").read_text("utf-8")
    assert linked == "See [[Motor]] and [the engine](Boat/Motor.md).\n"
    pai(daemon, "action", "undo", made["id"])
    assert {path: path.read_bytes() for path in daemon.vault.rglob("*.md")} == before


def test_wrong_routine_is_listed_with_its_line(daemon: DaemonProcess) -> None:
    """It is told where it is wrong and what to write, and is refused by name."""
    note = daemon.vault / "Routines" / "Wrong.md"
    note.parent.mkdir(exist_ok=True)
    note.write_text("---\nschedule: every wekday at 7\n---\nx\n", "utf-8")
    said = pai(daemon, "routine", "list")
    assert "Routines/Wrong.md:2" in said
    assert "Is it 'weekday'?" in said
    assert "Routines/Wrong.md:2 " in pai(daemon, "status")
    reply = daemon.request("POST", "/api/routines/Wrong/run", body="{}")
    assert reply.status == 400
    assert "line 2" in reply.json["detail"]
    note.unlink()
    assert daemon.request("POST", "/api/routines/Nobody/run", body="{}").status == 404


def test_note_that_is_created_runs_a_routine_and_its_own_writes_do_not(daemon: DaemonProcess) -> None:
    """A routine on notes of the journal is not caused by what it writes into the journal."""
    head = (
        "on: [{note: 'Journal/**', debounce: 0.2s}, {note: 'Drafts/**', change: created, debounce: 0.2s}]\n"
    )
    (daemon.vault / "Routines" / "Watch.md").write_text(PLAIN.replace("---\n", f"---\n{head}", 1), "utf-8")
    eventually(
        lambda: any(
            each["name"] == "Watch" for each in daemon.request("GET", "/api/routines").json["routines"]
        ),
        "it is read",
    )
    (daemon.vault / "Drafts").mkdir()
    (daemon.vault / "Drafts" / "One.md").write_text("# One\n\nA draft about sails.\n", "utf-8")

    def causes() -> list[str]:
        runs = daemon.request("GET", "/api/routines/runs?routine=Watch").json["runs"]
        return [each["cause"] for each in runs if each["state"] == "done"]

    eventually(lambda: causes() == ["note"], "it ran once", 10)
    daemon.finds("orange galley", f"Journal/{TODAY}.md")
    assert causes() == ["note"]


def test_texts_that_attack_cause_no_action_and_reach_no_host(
    tmp_path: Path, prepared_cache: Path, site: Site
) -> None:
    """Sixty in notes and in a feed, with a model that repeats them: only the granted section is written."""
    vault = vault_at(tmp_path)
    for number, text in enumerate(ATTACKS):
        (vault / "Inbox" / f"{number}.md").write_text(text, "utf-8")
    items = [
        (f"Title {number}", f"https://post.example/a{number}", text.replace("]]>", ""))
        for number, text in enumerate(ATTACKS)
    ]
    site.pages["/evil.xml"] = rss("Evil", *items)
    inputs = f"inputs: [{{notes: 'Inbox/**'}}, {{feed: '{site.url}/evil.xml'}}]"
    (vault / "Routines").mkdir()
    for name in ("Quoted", "Written"):
        model = "model: none\n" if name == "Quoted" else ""
        text = PLAIN.replace("inputs: [{notes: Boat.md}]", inputs).replace("---\n", f"---\n{model}", 1)
        (vault / "Routines" / f"{name}.md").write_text(text, "utf-8")
    kept = {path: path.read_bytes() for path in vault.rglob("*") if path.is_file()}
    how = Behaviour(words=tuple(f"{text} [1] " for text in ATTACKS))
    before = len(site.requests)
    with running(ollama_app(how)) as url:
        arguments = ("--generator", f"ollama:llama3.2@{url}")
        with DaemonProcess(vault, Folders(tmp_path / "home", prepared_cache), arguments=arguments) as daemon:
            daemon.ready()
            runs = [run(daemon, name) for name in ("Quoted", "Written")]
            assert [each["state"] for each in runs] == ["done", "done"], runs
            assert "generate" in runs[1]["trace"]["stages"], runs[1]["trace"]["warnings"]
            assert [each["state"] for each in daemon.request("GET", "/api/actions").json["actions"]] == [
                "applied",
                "applied",
            ]
            written = today(daemon)
    day = vault / "Journal" / f"{TODAY}.md"
    now = {path: path.read_bytes() for path in vault.rglob("*") if path.is_file()}
    assert {path: data for path, data in now.items() if path != day} == {
        path: data for path, data in kept.items() if path != day
    }
    for sign in ("![x](", "](https://evil.example", "\n> <script", "<iframe", "![[Private"):
        assert sign not in written, sign
    assert all(request.path == "/evil.xml" for request in site.requests[before:])


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.05, 0.1])
def test_kill_in_a_run_leaves_no_half_note_and_one_section(
    tmp_path: Path, prepared_cache: Path, delay_s: float
) -> None:
    """After the next start the run is made, and its section stands once in the note."""
    vault = vault_at(tmp_path)
    (vault / "Routines").mkdir()
    (vault / "Routines" / "Log.md").write_text(PLAIN, "utf-8")
    before = (vault / "Journal" / f"{TODAY}.md").read_text("utf-8")
    folders = Folders(tmp_path / "home", prepared_cache)
    with DaemonProcess(vault, folders) as daemon:
        daemon.ready()
        thread = threading.Thread(target=_try, args=(daemon,), daemon=True)
        thread.start()
        threading.Event().wait(delay_s)
        daemon.kill()
        thread.join(10)
        text = today(daemon)
        assert text == before or text.count("^pai-log-") == 1
        daemon.start()
        daemon.ready()
        runs = daemon.request("GET", "/api/routines/runs?routine=Log").json["runs"]
        if runs:
            eventually(
                lambda: daemon.request("GET", "/api/routines/runs").json["runs"][0]["state"] == "done",
                "it is made",
                15,
            )
            assert today(daemon).count("^pai-log-") == 1
        assert not list(vault.rglob("*.tmp"))


def _try(daemon: DaemonProcess) -> None:
    try:
        run(daemon, "Log")
    except (OSError, AssertionError, ValueError):
        return  # the daemon is killed meanwhile
