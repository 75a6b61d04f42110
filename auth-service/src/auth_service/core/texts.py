"""Messages to people, in their language. A message with a code names the service and the purpose and holds no other number and no link."""

from datetime import UTC, datetime
from typing import Final

from .requests import Locale

_CODE: Final[dict[Locale, str]] = {
    "en": "Garita: your code to register is {code}. It is good for 15 minutes. If this was not you, ignore this message.",
    "es": "Garita: tu código de registro es {code}. Vale 15 minutos. Si no has sido tú, ignora este mensaje.",
}
_CONTACT_CODE: Final[dict[Locale, str]] = {
    "en": "Garita: your code to add this contact to your account is {code}. It is good for 10 minutes. "
    "If this was not you, ignore this message.",
    "es": "Garita: tu código para añadir este contacto a tu cuenta es {code}. Vale 10 minutos. "
    "Si no has sido tú, ignora este mensaje.",
}
_STEP_UP_CODE: Final[dict[Locale, str]] = {
    "en": "Garita: your code to prove that it is you is {code}. It is good for 10 minutes. "
    "If this was not you, somebody knows your password: change it.",
    "es": "Garita: tu código para demostrar que eres tú es {code}. Vale 10 minutos. "
    "Si no has sido tú, alguien conoce tu contraseña: cámbiala.",
}
_LOGIN_CODE: Final[dict[Locale, str]] = {
    "en": "Garita: your code to log in is {code}. It is good for 5 minutes. Give it to nobody. "
    "If this was not you, somebody knows your password: change it.",
    "es": "Garita: tu código para iniciar sesión es {code}. Vale 5 minutos. No se lo des a nadie. "
    "Si no has sido tú, alguien conoce tu contraseña: cámbiala.",
}
_HAS_ACCOUNT: Final[dict[Locale, str]] = {
    "en": "Garita: somebody wanted to register with this address, which already has an account. If it was you, log in instead.",
    "es": "Garita: alguien quiso registrarse con esta dirección, que ya tiene una cuenta. Si has sido tú, inicia sesión.",
}

_RECOVERY: Final[dict[Locale, str]] = {
    "en": "Garita: your code to get your account back is {code}. It is good for 15 minutes. Give it to nobody. If this was not you, ignore it.",
    "es": "Garita: tu código para recuperar tu cuenta es {code}. Vale 15 minutos. No se lo des a nadie. Si no has sido tú, ignóralo.",
}

_BANNED: Final[dict[Locale, str]] = {
    "en": "Garita: somebody wanted to register with this address, whose account is banned until {until} UTC. If that is wrong, appeal with the id {appeal}.",
    "es": "Garita: alguien quiso registrarse con esta dirección, cuya cuenta está vetada hasta {until} UTC. Si es un error, recurre con el id {appeal}.",
}


def registration_code(locale: Locale, code: str) -> str:
    """The message with a registration's code. "15 minutes" has two digits, so the code is the only run of six."""
    return _CODE[locale].format(code=code)


def already_registered(locale: Locale) -> str:
    """To the owner of an address that somebody wanted to register again."""
    return _HAS_ACCOUNT[locale]


def banned_contact(locale: Locale, until_ms: int, appeal: str) -> str:
    """To a contact of somebody who is banned. Neither time nor id is a run of six digits."""
    until = datetime.fromtimestamp(until_ms / 1000, UTC)
    return _BANNED[locale].format(until=f"{until:%Y-%m-%d %H:%M}", appeal=appeal)


def contact_code(locale: Locale, code: str) -> str:
    """The message with the code that proves a new contact."""
    return _CONTACT_CODE[locale].format(code=code)


def step_up_code(locale: Locale, code: str) -> str:
    """The message with a code that proves who is there."""
    return _STEP_UP_CODE[locale].format(code=code)


def login_code(locale: Locale, code: str) -> str:
    """The message with a code that goes on with a login."""
    return _LOGIN_CODE[locale].format(code=code)


def recovery_code(locale: Locale, code: str) -> str:
    """The message with a recovery's code."""
    return _RECOVERY[locale].format(code=code)


def bound(text: str, host: str, code: str) -> str:
    """The message as a text: its last line ties the code to our pages, so that a browser fills it in there and nowhere else (WICG, origin-bound one-time codes).

    Args: host: a host name of ours.
    """
    return f"{text}\n\n@{host} #{code}"
