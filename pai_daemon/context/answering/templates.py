"""What a generator is told, as files that a person may read and replace: `prompts/*.md`.

A file of the same name in the folder `prompts` of the configuration is taken instead, read anew for each
question. Sections begin with `# NAME`; `{{word}}` is a place that is filled in once, so that nothing a note
says can be a place itself. The version, a short hash of the file, stands in each answer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pai_daemon.errors import UsageError

OURS = Path(__file__).with_name("prompts")
# The sections of each file, and the places that each must have for an answer to make sense.
NEEDED = {
    "answer": {
        "system": ("fence", "refusal"),
        "user": ("passages", "question"),
        "question": ("question",),
    },
    "followup": {"system": (), "user": ("history", "question")},
    "summarize": {"system": ("fence", "count"), "user": ("passages",), "join": ("statements",)},
    "compare": {"system": ("fence",), "user": ("passages", "first", "second")},
    "summary": {"system": (), "user": ("history",)},
    "routine": {"system": ("fence",), "user": ("material", "task")},
}
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_SECTION = re.compile(r"^# (\w+)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Template:
    """The sections of a file. version: eight digits that tell it from any other, `own-…` for a person's."""

    sections: Mapping[str, str]
    version: str

    def fill(self, section: str, **values: str) -> str:
        """Return a section with its places filled in; what a value holds is never a place."""
        return _PLACE.sub(lambda found: values.get(found[1], found[0]), self.sections[section]).strip()


def usable(name: str, own: Path | None, warnings: list[str]) -> Template:
    """Return a template; ours where the person's cannot be used, which is added to the warnings."""
    try:
        return template(name, own)
    except UsageError as error:
        warnings.append(f"{error.detail} The built-in one was used.")
        return template(name)


def template(name: str, own: Path | None = None) -> Template:
    """Return a template: the person's where the folder `own` has it.

    Raises UsageError where that one lacks a section or a place, or cannot be read.
    """
    path = own / f"{name}.md" if own is not None else OURS / f"{name}.md"
    if own is not None and not path.is_file():
        return template(name)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The template {path} cannot be read: {error}.") from error
    pieces = _SECTION.split(text)
    sections = {title: body.strip() for title, body in zip(pieces[1::2], pieces[2::2], strict=True)}
    for section, places in NEEDED[name].items():
        missing = [place for place in places if f"{{{{{place}}}}}" not in sections.get(section, "")]
        if section not in sections or missing:
            lacking = f"the section # {section}" if section not in sections else f"{{{{{missing[0]}}}}}"
            raise UsageError(f"The template {path} lacks {lacking}.", hint=f"Compare {OURS / path.name}.")
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Template(sections, digest if own is None else f"own-{digest}")
