"""Texts over an HTTP gateway. What is asked and what an answer means is in `core/gateways.py`; the way there is the guarded client."""

import aiohttp
import structlog

from garita_common.config import Secret

from .core.gateways import Gateway, outcome_of, request_of
from .core.parcels import Outcome, Parcel
from .outside import Outside, Refused

log = structlog.get_logger()


class Texter:
    """Hands texts to the gateway."""

    def __init__(self, gateway: Gateway, password: Secret, outside: Outside) -> None:
        """Args: gateway: as the settings describe it."""
        self._gateway = gateway
        self._password = password
        self._outside = outside

    async def carry(self, parcel: Parcel) -> Outcome:
        """Tries once, within the client's deadline."""
        asked = request_of(
            self._gateway,
            to=parcel.to,
            text=parcel.text,
            message_id=parcel.message_id,
            password=self._password.reveal(),
        )
        try:
            heard = await self._outside.call(asked.method, asked.url, headers=asked.headers, body=asked.body)
        except Refused:
            log.error("sms_gateway_refused")  # a name that leads into our own network, or a setting gone wrong
            return Outcome.LATER
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as exc:
            log.warning("sms_not_sent", error=type(exc).__name__)
            return Outcome.LATER
        outcome = outcome_of(self._gateway, heard.status, heard.body)
        if outcome is Outcome.LATER:
            log.warning("sms_not_taken", status=heard.status)
        return outcome
