"""Signatures of webhooks, out and in: Standard Webhooks, https://www.standardwebhooks.com. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from pai_daemon.errors import Unauthorized, UsageError

PREFIX = "whsec_"
TOLERANCE_S = 300
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def new_secret() -> str:
    """Return a new secret of 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def checked_secret(secret: str) -> str:
    """Return a secret that can be used. Raises UsageError."""
    _key(secret)
    return secret


def signed(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that a message carries."""
    mark = "v1," + base64.b64encode(_mac(secret, message_id, str(timestamp), body)).decode()
    return {ID: message_id, TIMESTAMP: str(timestamp), SIGNATURE: mark}


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Return the id of a message whose signature is right and whose time is now. Raises Unauthorized."""
    message_id, timestamp, marks = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    hint = f"Sign it as Standard Webhooks do, in the headers {ID}, {TIMESTAMP} and {SIGNATURE}."
    if (
        not message_id
        or not marks
        or not timestamp.isascii()
        or not timestamp.isdigit()
        or len(timestamp) > 12
    ):
        raise Unauthorized("The message is not signed.", hint=hint)
    if abs(now - int(timestamp)) > TOLERANCE_S:
        raise Unauthorized("The message is not of now.", hint="Its time may be five minutes off.")
    expected = _mac(secret, message_id, timestamp, body)
    for mark in marks.split(" "):
        version, _, given = mark.partition(",")
        try:
            found = base64.b64decode(given, validate=True)
        except (binascii.Error, ValueError):
            continue
        if version == "v1" and hmac.compare_digest(found, expected):
            return message_id
    raise Unauthorized("The signature is wrong.", hint=hint)


def _mac(secret: str, message_id: str, timestamp: str, body: bytes) -> bytes:
    content = f"{message_id}.{timestamp}.".encode("utf-8", "surrogateescape") + body
    return hmac.new(_key(secret), content, hashlib.sha256).digest()


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not 24 <= len(key) <= 64:
        raise UsageError("The secret is none.", hint=f"It is {PREFIX} and 24 to 64 bytes in base64.")
    return key
