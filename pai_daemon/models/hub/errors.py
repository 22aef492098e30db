"""What the hub, its library, the network and the disk say, as errors that a person can act on."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pai_daemon.config import forbid_telemetry
from pai_daemon.errors import DiskFull, ModelUnavailable, UsageError
from pai_daemon.models.sources import HubSource

forbid_telemetry()
from huggingface_hub import constants  # noqa: E402
from huggingface_hub.errors import (  # noqa: E402
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

# The library's HTTP client: httpx up to 1.x, httpx2 since 2.0.
_http: Any = sys.modules[HfHubHTTPError.__bases__[0].__module__.partition(".")[0]]
TransportError: type[Exception] = _http.TransportError
RequestError: type[Exception] = _http.RequestError
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
MEGABYTE = 1_000_000


def page(repo: str) -> str:
    """Return the address of a model's page."""
    return f"{constants.ENDPOINT}/{repo}"


@contextmanager
def hub_errors(name: str, source: HubSource) -> Iterator[None]:
    """Translate what the library, its HTTP client and the operating system say into what to do next.

    name: the model's. Raises ModelUnavailable, DiskFull, and UsageError for an address that makes no sense.
    """
    try:
        yield
    except HfHubHTTPError as error:
        raise _refusal(error, name, source) from error
    except (RequestError, OfflineModeIsEnabled, LocalEntryNotFoundError) as error:
        late = isinstance(error, _http.TimeoutException)
        said = "did not answer in time" if late else f"cannot be reached: {error}"
        raise ModelUnavailable(
            f"{constants.ENDPOINT} {said}",
            hint="What was fetched is kept; pull again when the machine is online. HTTPS_PROXY and "
            "HF_ENDPOINT (a mirror) are heeded; --offline takes what the cache of the hub has.",
        ) from error
    except FileMetadataError as error:
        raise ModelUnavailable(
            f"{constants.ENDPOINT} answers, but not as a hub does.",
            hint="Check the setting HF_ENDPOINT, and whether a proxy or a login page answers instead.",
        ) from error
    except (ValueError, _http.InvalidURL) as error:
        raise UsageError(
            f"The hub cannot be asked for {source.repo}: {error}",
            hint="Check the repository's name and the settings HF_ENDPOINT and HTTPS_PROXY.",
        ) from error
    except OSError as error:
        if error.errno in NO_ROOM:
            raise no_room(0) from error
        raise ModelUnavailable(
            f"The files cannot be written: {error}.",
            hint=f"Check that {constants.HF_HUB_CACHE} can be written, or name another in HF_HUB_CACHE.",
        ) from error


def _refusal(error: HfHubHTTPError, name: str, source: HubSource) -> ModelUnavailable:
    """Return what a status of the hub means to a person."""
    where, status = page(source.repo), error.response.status_code
    asked = error.response.url.path.partition("/resolve/")[2]
    revision, _, path = asked.partition("/")
    if isinstance(error, GatedRepoError):
        said = f"The authors of {source.repo} want its terms accepted before it is fetched."
        hint = f"Accept them at {where}, run `hf auth login` (or set HF_TOKEN), then: pai models pull {name}"
    elif isinstance(error, RepositoryNotFoundError):
        said = f"There is no {where}, or it is private."
        hint = "Check the name; for a private one run `hf auth login`, or set HF_TOKEN."
    elif isinstance(error, RevisionNotFoundError):
        said = f"{source.repo} has no revision {revision}."
        hint = f"See {where}; the list of models says which revision is asked for."
        if revision != source.revision:
            said = f"{source.repo} no longer has {revision}, which was pulled."
            hint = f"To take what it has now, as another model, run: pai models pull {name} --update"
    elif isinstance(error, RemoteEntryNotFoundError):
        said = f"{source.repo} has no file {path} in its revision {revision}."
        hint = f"See {where}; the list of models says which files are asked for."
    elif status in (401, 403):
        said = f"The hub does not let this token read {source.repo} (status {status})."
        hint = "Run `hf auth login` with a token that may read it, or unset HF_TOKEN."
    else:
        said = f"{constants.ENDPOINT} answers with status {status}."
        hint = "What was fetched is kept. Wait a while, then pull again; who is logged in may ask more often."
    return ModelUnavailable(said, hint=hint)


def no_room(missing_bytes: int) -> DiskFull:
    """Return the error for a disk that lacks this much."""
    megabytes = missing_bytes // MEGABYTE + 1
    return DiskFull(
        f"There is no room for the model: {megabytes:,} MB are needed.",
        hint=f"Free {megabytes:,} MB on the disk that holds {constants.HF_HUB_CACHE}, then pull again; what "
        "was fetched is kept. HF_HUB_CACHE names another folder.",
    )


def another_file(repo: str, path: str, pin: str, found: str) -> ModelUnavailable:
    """Return the error for a whole file that is not the one whose sha256 is known."""
    return ModelUnavailable(
        f"{path} of {repo} is not the file that was asked for: expected sha256 {pin}, found {found}.",
        hint="The repository, or the mirror in HF_ENDPOINT, holds other files than when the model was "
        "described or pulled. --update takes them where the list of models does not name their hash.",
    )
