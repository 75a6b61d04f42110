"""Messages to people, in their language. A message with a code names the service and the purpose and holds no other number and no link."""

from typing import Final

from .requests import Locale

_CODE: Final[dict[Locale, str]] = {
    "en": "Garita: your code to register is {code}. It is good for 15 minutes. If this was not you, ignore this message.",
    "es": "Garita: tu código de registro es {code}. Vale 15 minutos. Si no has sido tú, ignora este mensaje.",
}
_HAS_ACCOUNT: Final[dict[Locale, str]] = {
    "en": "Garita: somebody wanted to register with this address, which already has an account. If it was you, log in instead.",
    "es": "Garita: alguien quiso registrarse con esta dirección, que ya tiene una cuenta. Si has sido tú, inicia sesión.",
}
_STOLEN: Final[dict[Locale, str]] = {
    "en": "Garita: a session of your account was ended because its key was used in two places. Log in again; "
    "if that was not you, change your password.",
    "es": "Garita: se ha cerrado una sesión de tu cuenta porque su clave se usó en dos sitios. Vuelve a entrar; "
    "si no has sido tú, cambia la contraseña.",
}
_WRONG_SECOND: Final[dict[Locale, str]] = {
    "en": "Garita: somebody knows your password but not your second factor. If it was not you, change your password.",
    "es": "Garita: alguien conoce tu contraseña, pero no tu segundo factor. Si no has sido tú, cambia la contraseña.",
}
_TOTP_ON: Final[dict[Locale, str]] = {
    "en": "Garita: a second factor was added to your account. From now on login asks for its code.",
    "es": "Garita: se ha añadido un segundo factor a tu cuenta. Desde ahora el inicio de sesión pide su código.",
}


def registration_code(locale: Locale, code: str) -> str:
    """The message with a registration's code. "15 minutes" has two digits, so the code is the only run of six."""
    return _CODE[locale].format(code=code)


def already_registered(locale: Locale) -> str:
    """To the owner of an address that somebody wanted to register again."""
    return _HAS_ACCOUNT[locale]


def session_stolen(locale: Locale) -> str:
    """To the owner of a session whose refresh token was used twice."""
    return _STOLEN[locale]


def second_factor_missed(locale: Locale) -> str:
    """To the owner, when the password was right and the code was wrong again and again: the alarm that matters."""
    return _WRONG_SECOND[locale]


def totp_added(locale: Locale) -> str:
    """To the owner, when a second factor was added."""
    return _TOTP_ON[locale]
