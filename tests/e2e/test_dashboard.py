"""The dashboard in headless Chromium against the real daemon."""

from __future__ import annotations

import json
from pathlib import Path

from tests.daemon_process import DaemonProcess, Folders
from tests.e2e.conftest import prove

QUESTION, FACT = "How long does the sourdough prove?", "eighteen hours"
HOSTILE = "zorbling"
# Each is tried within a passage, a heading, a title and a name; `broken` is what the page is asked for.
PAYLOADS = (
    "<script>window.broken=1</script>",
    "<img src=x onerror=window.broken=1>",
    "<svg onload=window.broken=1>",
    "<svg><script>window.broken=1</script></svg>",
    '"><img src=x onerror=window.broken=1>',
    "'><svg/onload=window.broken=1>",
    "</p></li></ol><script>window.broken=1</script>",
    "</script><script>window.broken=1</script>",
    '<iframe srcdoc="<script>parent.broken=1</script>"></iframe>',
    '<iframe src="javascript:parent.broken=1"></iframe>',
    '<a href="javascript:window.broken=1">click</a>',
    "[click](javascript:window.broken=1)",
    "![x](x){onerror=window.broken=1}",
    "<details open ontoggle=window.broken=1>",
    "<input autofocus onfocus=window.broken=1>",
    "<body onload=window.broken=1>",
    "<object data='javascript:window.broken=1'></object>",
    "<embed src='javascript:window.broken=1'>",
    "<base href='https://evil.example/'>",
    "<form action='https://evil.example/'><button>ok</button></form>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<math><mi xlink:href='javascript:window.broken=1'>x</mi></math>",
    "<template><script>window.broken=1</script></template>",
    "<noscript><img src=x onerror=window.broken=1></noscript>",
    "&lt;script&gt;window.broken=1&lt;/script&gt;",
    "&#60;script&#62;window.broken=1&#60;/script&#62;",
    "\\u003cscript\\u003ewindow.broken=1\\u003c/script\\u003e",
    "${window.broken=1}",
    "{{constructor.constructor('window.broken=1')()}}",
    "<x contenteditable onblur=window.broken=1>lose focus</x>",
    "<marquee onstart=window.broken=1>",
    "<video><source onerror=window.broken=1></video>",
    "<audio src onloadstart=window.broken=1>",
    "<select onfocus=window.broken=1 autofocus>",
    "<isindex type=image src=1 onerror=window.broken=1>",
    "<keygen autofocus onfocus=window.broken=1>",
    "<!--><img src=x onerror=window.broken=1>-->",
    "<![CDATA[<script>window.broken=1</script>]]>",
    "<scr<script>ipt>window.broken=1</scr</script>ipt>",
    "<IMG SRC=x OnErRoR=window.broken=1>",
    "<img/src=x/onerror=window.broken=1>",
    "<img src=`x` onerror=window.broken=1>",
    "<img \x00src=x onerror=window.broken=1>",
    "\u202e<script>window.broken=1</script>",
    "＜script＞window.broken=1＜/script＞",
    "<a href='data:text/html,<script>opener.broken=1</script>'>x</a>",
    "<a href='vbscript:window.broken=1'>x</a>",
    "<area href='javascript:window.broken=1'>",
)


def hostile_vault(vault: Path) -> None:
    """Write notes that try to break out of a page: two hundred passages, each found by a word of its own."""
    (vault / "Routines").mkdir(parents=True)
    head = "schedule: daily at 7\ninputs: [{notes: Bread.md}]"
    (vault / "Routines" / "Sum.md").write_text(f"---\n{head}\n---\nSum it up.\n")
    (vault / "Routines" / "Wrong.md").write_text("---\nschedule: every wekday at 7\n---\nx\n")
    (vault / "Bread.md").write_text(
        "# Bread\n\nThe sourdough proves for eighteen hours, in a cold room.\n\n## A very" + " long" * 40
    )
    for number, payload in enumerate(PAYLOADS):
        word = f"{HOSTILE}{number % 20}"
        for part, text in enumerate(
            (
                f"# {payload}\n\nThe {word} one: {payload} is what it says.\n",
                f"---\ntitle: {json.dumps(payload)}\n---\n## Heading {payload}\n\nA {word} two.\n",
                f"# Note\n\nThe {word} three. {payload}\n\n- {payload}\n",
                f"# Note\n\nIn `{payload}` a {word} four.\n\n| {payload} | b |\n|---|---|\n| 1 | 2 |\n",
            )
        ):
            (vault / f"Note {number}-{part}.md").write_text(text, "utf-8")
    (vault / "Hostile <img src=x onerror=window.broken=1>.md").write_text(
        f"---\nbroken: [\n---\n# N\n\nThe {HOSTILE}0 five.\n"
    )


def test_dashboard_does_what_a_person_relies_on(folders: Folders, tmp_path: Path) -> None:
    """Every claim of dashboard.spec.mjs holds: log in, ask, search, cite, and no note breaks out."""
    vault = tmp_path / "vault"
    hostile_vault(vault)
    assert len(PAYLOADS) * 4 >= 200
    with DaemonProcess(vault, folders) as daemon:
        daemon.ready(120)
        links = [json.loads(folders.pai("open", "--json").stdout)["url"] for _ in range(2)]
        told = {
            "PAI_E2E_VAULT": str(vault),
            "PAI_E2E_LINKS": " ".join(links),
            "PAI_E2E_QUESTION": QUESTION,
            "PAI_E2E_FACT": FACT,
            "PAI_E2E_HOSTILE": HOSTILE,
        }
        prove("dashboard.spec.mjs", told, tmp_path)
