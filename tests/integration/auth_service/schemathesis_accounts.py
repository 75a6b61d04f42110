"""Who asks when schemathesis does: loaded by it in its own process, it puts an access token into every request that takes one.

What is asked may end a session, hold an account or delete it: after a 401 the account logs in anew, and one that cannot any more is left for the next.
"""

import os
from typing import Any

import requests
import schemathesis

LOGIN_S = 10.0
_names = os.environ["GARITA_TEST_ACCOUNTS"].split(",")
_tokens: list[str] = []


def _log_in() -> str:
    """An access token of a new session of the first account that still can."""
    while True:
        name, device = _names[0].split(":")
        body = {"identifier": name, "password": os.environ["GARITA_TEST_PASSWORD"], "device_hint": device}
        answer = requests.post(f"{os.environ['GARITA_TEST_URL']}/v1/auth/login", json=body, timeout=LOGIN_S)
        if answer.status_code == 200 and "tokens" in answer.json():
            return str(answer.json()["tokens"]["access_token"])
        _names.pop(0)


@schemathesis.hook
def after_call(_: Any, case: schemathesis.Case, response: schemathesis.Response) -> None:
    """A token that does not work any more is not used again."""
    if response.status_code == 401:
        _tokens.clear()


@schemathesis.auth(refresh_interval=None)
class Owner:
    """Logs in when there is no token."""

    def get(self, case: schemathesis.Case, _: Any) -> str:
        """An access token."""
        if not _tokens:
            _tokens.append(_log_in())
        return _tokens[0]

    def set(self, case: schemathesis.Case, data: str, _: Any) -> None:
        """As the API takes it."""
        case.headers["Authorization"] = f"Bearer {data}"
