"""Where a person writes of harming themselves, nothing is analysed: a pointer to human help instead. Pure.

It is better to point to help once too often: a quotation, a film or a denial counts as well. The two lines
named are those of https://www.telefonseelsorge.de and https://988lifeline.org; elsewhere a person's own
emergency number and https://findahelpline.com hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pai_daemon.action.digests.wording import HARM, of_language

_HARM = re.compile("|".join(HARM), re.IGNORECASE)
_EMPHASIS = re.compile(r"[*_~`=]+|%%")


def speaks_of_harm(texts: Iterable[str]) -> bool:
    """Return whether any of these texts speaks of harming oneself, however it is meant."""
    plain = (" ".join(_EMPHASIS.sub("", text).split()) for text in texts)
    return any(_HARM.search(text) is not None for text in plain)


def pointer(language: str) -> str:
    """Return the words that stand in the place of an analysis."""
    found: str = of_language(language, "care")
    return found
