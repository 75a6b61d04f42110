"""detector_service.operator_routes of a real process: list, explain, lift, and nothing without the token."""

from __future__ import annotations

import sqlite3
import urllib.request
from typing import Any

import pytest

from garita_common.core import activity, bans
from garita_common.core.channels import BAN_PUSH

from .running import Detector, now_ms, until, violation

SUBJECT = "addr:127.0.0.5/32"


@pytest.fixture
def banned(running: Detector) -> Detector:
    """A detector that has banned 127.0.0.5."""
    running.emit(*(violation("127.0.0.5", number) for number in range(3)))
    until(running.bans, "the ban is published")
    return running


def test_a_ban_is_listed_and_explained_in_a_sentence(banned: Detector) -> None:
    """Who, how long, why, by which rule; with the numbers and the three events."""
    status, listed = banned.ask("/v1/bans")
    assert status == 200
    (ban,) = listed["bans"]
    assert (ban["subject"], ban["kind"], ban["state"], ban["level"], ban["lifted"]) == (
        SUBJECT,
        "addr",
        "active",
        0,
        None,
    )
    assert ban["sentence"] == (
        "127.0.0.5 was banned for 10 minutes because it sent 3 frames within 1 hour that no correct client can send"
        f" (first byte 0x52); decision {ban['decision']}, rule protocol-violation v1."
    )

    status, told = banned.ask(f"/v1/explain/{ban['decision']}")

    assert status == 200
    assert told["sentence"] == ban["sentence"]
    assert told["action"] == "ban"
    assert told["ban"] == ban
    assert (told["numbers"]["violations"], told["numbers"]["line"], told["numbers"]["first_byte"]) == (3, 3, "0x52")
    assert [event["record"]["byte"] for event in told["evidence"]] == [0x52] * 3
    assert banned.ask(f"/v1/bans/{ban['decision']}") == (200, ban)


def test_a_lift_is_pushed_at_once_and_kept_for_ever(banned: Detector) -> None:
    """The hash is empty, the subject is on the wake-up channel, the audit log has the reason, and cannot be changed."""
    link: Any = banned.redis.pubsub()  # type: ignore[no-untyped-call]  # redis-py has no types here
    link.subscribe(BAN_PUSH)
    until(lambda: link.get_message(timeout=1), "the subscription is confirmed")
    decision = banned.ask("/v1/bans")[1]["bans"][0]["decision"]

    status, lifted = banned.ask(f"/v1/bans/{decision}", method="DELETE", body={"reason": "he called us"})

    assert (status, lifted["state"], lifted["pushed"], lifted["lifted"]["reason"]) == (
        200,
        "lifted",
        True,
        "he called us",
    )
    assert banned.bans() == {}
    heard: Any = until(lambda: link.get_message(timeout=1), "the push")
    assert bans.decode_push(heard["data"]) == [SUBJECT]
    link.close()
    (entry,) = banned.ask("/v1/audit")[1]["entries"]
    assert (entry["action"], entry["decision"], entry["subject"], entry["reason"]) == (
        "lift",
        decision,
        SUBJECT,
        "he called us",
    )
    assert banned.ask("/v1/bans")[1]["bans"] == []
    assert [ban["state"] for ban in banned.ask("/v1/bans?all=1")[1]["bans"]] == ["lifted"]
    assert [event["kind"] for event in banned.ask(f"/v1/explain/{decision}")[1]["evidence"]] == ["proto.violation"] * 3
    with sqlite3.connect(banned.database, timeout=10) as db:
        for statement in ("DELETE FROM audit", "UPDATE audit SET reason = 'x'"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(statement)
    assert banned.ask(f"/v1/bans/{decision}", method="DELETE", body={"reason": "again"})[0] == 409


@pytest.mark.parametrize(
    "path", ["/v1/bans", "/v1/bans/1", "/v1/explain/1", "/v1/events?subject=127.0.0.5", "/v1/audit", "/nothing"]
)
@pytest.mark.parametrize("token", ["", "wrong", "ünïcode"])
def test_nothing_is_answered_without_the_token(banned: Detector, path: str, token: str) -> None:
    """The same 401 for every path, whether it exists or not."""
    status, problem = banned.ask(path, token=token.encode().decode("latin-1"))

    assert (status, problem["code"], problem["status"]) == (401, "unauthenticated", 401)


def test_nothing_is_lifted_without_the_token(banned: Detector) -> None:
    """Not even with the right body; and the header's scheme belongs to it."""
    assert banned.ask("/v1/bans/1", method="DELETE", body={"reason": "please"}, token="wrong")[0] == 401
    request = urllib.request.Request(
        f"http://127.0.0.1:{banned.operator_port}/v1/bans", headers={"Authorization": banned.token}
    )
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=10)

    assert SUBJECT in banned.bans()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/bans/999", None, 404),
        ("GET", "/v1/bans/x", None, 404),
        ("GET", "/v1/bans/99999999999999999999999", None, 404),
        ("GET", "/v1/explain/999", None, 404),
        ("GET", "/v1/nothing", None, 404),
        ("POST", "/v1/bans", {}, 400),
        ("GET", "/v1/bans?limit=0", None, 400),
        ("GET", "/v1/bans?limit=1001", None, 400),
        ("GET", "/v1/events", None, 400),
        ("GET", "/v1/events?subject=nobody", None, 400),
        ("DELETE", "/v1/bans/999", {"reason": "x"}, 404),
        ("DELETE", "/v1/bans/1", {}, 400),
        ("DELETE", "/v1/bans/1", {"reason": " "}, 400),
        ("DELETE", "/v1/bans/1", {"reason": "x" * 501}, 400),
        ("DELETE", "/v1/bans/1", {"reason": "x", "more": 1}, 400),
        ("DELETE", "/v1/bans/1", {"reason": "x" * 20_000}, 400),
        ("DELETE", "/v1/bans/1", [], 400),
        ("POST", "/v1/challenges", {"user": "ana", "reason": "x"}, 400),
        ("POST", "/v1/challenges", {"user": "u" + "1" * 32, "reason": ""}, 400),
    ],
)
def test_what_is_not_right_gets_a_problem(banned: Detector, method: str, path: str, body: Any, status: int) -> None:
    """A status, a code and a sentence; the ban stands."""
    answered, problem = banned.ask(path, method=method, body=body)

    assert (answered, problem["status"]) == (status, status) or (status == 400 and answered in {405, 413})
    assert set(problem) == {"type", "title", "status", "code", "detail"}
    assert SUBJECT in banned.bans()


def passed(user: str, action: str = "chat") -> activity.CaptchaPassed:
    """As the auth service tells it."""
    return activity.CaptchaPassed(ts_ms=now_ms(), src="auth", user=user, action=action)


def test_a_challenge_stands_beside_the_bans_until_it_is_passed(running: Detector) -> None:
    """Explained as any decision, kept over a crash, ended by this user's pass in the chat and by nothing else."""
    user, other = "u" + "1" * 32, "u" + "2" * 32
    body = {"user": user, "reason": "looks like a script"}
    status, made = running.ask("/v1/challenges", method="POST", body=body)

    assert (status, made["subject"], made["state"], made["pushed"]) == (200, f"challenge:{user}", "active", True)
    assert f"user {user} is to be challenged because an operator asked for it: looks like a script" in made["sentence"]
    assert running.ask("/v1/challenges", method="POST", body=body)[0] == 409
    assert running.bans().keys() == {f"challenge:{user}"}
    running.kill()
    running.redis.flushall()
    running.start()
    until(lambda: running.bans().keys() == {f"challenge:{user}"}, "it is written again")
    running.emit(passed(other), passed(user, "login"))
    running.settled()
    assert running.bans().keys() == {f"challenge:{user}"}

    running.emit(passed(user))
    until(lambda: not running.bans(), "it is over")
    assert running.ask("/v1/challenges", method="POST", body=body)[0] == 200
    decision = running.ask("/v1/bans")[1]["bans"][0]["decision"]
    assert running.ask(f"/v1/bans/{decision}", method="DELETE", body={"reason": "a mistake"})[0] == 200
    assert not running.bans()


def test_the_events_of_a_subject_are_shown_newest_first(banned: Detector) -> None:
    """By address, by user, and of nobody else."""
    user = "u" + "0" * 32
    banned.emit(violation("127.0.0.9", 9), activity.RateHit(ts_ms=now_ms(), src="gateway", limit="send", user=user))
    banned.settled()

    of_address = banned.ask("/v1/events?subject=127.0.0.5&limit=2")[1]
    of_user = banned.ask(f"/v1/events?subject={user}")[1]

    assert of_address["subject"] == SUBJECT
    assert [event["record"]["connection"] for event in of_address["events"]] == ["g/2", "g/1"]
    assert [event["kind"] for event in of_user["events"]] == ["rate.hit"]
