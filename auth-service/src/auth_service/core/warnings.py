"""What people are told when something happens to their account, in their language.

A notice holds nothing that whoever caused it could have written: no device label, no new address, no name. The link's secret is written in letters alone, so
that no program takes a part of it for a code.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from .events import TRAITS, Kind
from .requests import Locale

_LETTERS: Final = bytes.maketrans(b"0123456789abcdef", b"abcdefghijklmnop")
TOKEN_CHARS: Final = 64

_SAYS: Final[dict[Locale, dict[Kind, str]]] = {
    "en": {
        Kind.EMAIL_ADDED: "An e-mail address was added",
        Kind.EMAIL_REMOVED: "An e-mail address is being removed",
        Kind.PHONE_ADDED: "A phone number was added",
        Kind.PHONE_REMOVED: "A phone number is being removed",
        Kind.TOTP_ADDED: "A second factor was added; from now on login asks for its code",
        Kind.TOTP_REMOVED: "The second factor is being removed",
        Kind.PASSKEY_ADDED: "A passkey was added",
        Kind.PASSKEY_REMOVED: "A passkey is being removed",
        Kind.PASSKEY_COPIED: "A passkey was refused because there seems to be a copy of it; remove it and make a new one",
        Kind.CODES_ADDED: "New recovery codes were made",
        Kind.CODES_REMOVED: "The old recovery codes are being removed",
        Kind.QUESTION_ADDED: "A secret question was set",
        Kind.QUESTION_REMOVED: "The secret question is being removed",
        Kind.REMOVAL_CANCELLED: "A removal was cancelled",
        Kind.PASSWORD_CHANGED: "The password was changed",
        Kind.USERNAME_CHANGED: "The user name was changed",
        Kind.DEVICE_NEW: "A new device logged in",
        Kind.DEVICE_CONFIRMED: "A device was confirmed",
        Kind.DEVICE_REMOVED: "A device is being removed",
        Kind.FACTOR_WAITS: "Something that was added a while ago will soon count for getting the account back",
        Kind.PASSWORD_GUESSED: "Somebody has tried a hundred passwords; a new device now needs a code as well",
        Kind.SECOND_FACTOR_MISSED: "Somebody knows your password but not your second factor",
        Kind.SESSION_STOLEN: "A session was ended because its key was used in two places",
        Kind.SESSIONS_ASKED: "Another device wants to end your sessions; open the chat to answer",
        Kind.SESSION_KEPT: "A session that another device wanted to end was kept",
        Kind.NUMBER_ASKED: "One of your phone numbers was proved by another account; log in and say whether it is still yours",
        Kind.NUMBER_SUSPECT: "One of your phone numbers does not count any more until it is proved again",
        Kind.RECOVERY_STARTED: "Somebody wants to get into the account without its password",
        Kind.RECOVERY_HELD: "A recovery of the account is waiting for its time to pass",
        Kind.RECOVERY_RELEASE: "Somebody says that a phone number of the account is not theirs any more",
        Kind.RECOVERY_ENDED: "A recovery of the account was ended",
        Kind.RECOVERY_COMPLETED: "The account was recovered, and all its sessions were ended",
        Kind.ACCOUNT_FROZEN: "The account was frozen for 72 hours",
        Kind.ACCOUNT_THAWED: "The account is not frozen any more",
        Kind.ACCOUNT_LOCKED: "An administrator has locked the account, and all its sessions were ended",
        Kind.ACCOUNT_UNLOCKED: "An administrator has unlocked the account",
        Kind.ACCOUNT_DELETED: "The account is going to be deleted, 14 days after somebody asked for it",
        Kind.ACCOUNT_KEPT: "The account is not going to be deleted",
        Kind.ACCOUNT_EXPORTED: "All data of the account was exported",
        Kind.ROLE_CHANGED: "The roles of the account were changed",
    },
    "es": {
        Kind.EMAIL_ADDED: "Se ha añadido una dirección de correo",
        Kind.EMAIL_REMOVED: "Se está quitando una dirección de correo",
        Kind.PHONE_ADDED: "Se ha añadido un número de teléfono",
        Kind.PHONE_REMOVED: "Se está quitando un número de teléfono",
        Kind.TOTP_ADDED: "Se ha añadido un segundo factor; desde ahora el inicio de sesión pide su código",
        Kind.TOTP_REMOVED: "Se está quitando el segundo factor",
        Kind.PASSKEY_ADDED: "Se ha añadido una llave de acceso",
        Kind.PASSKEY_REMOVED: "Se está quitando una llave de acceso",
        Kind.PASSKEY_COPIED: "Se ha rechazado una llave de acceso porque parece haber una copia; quítala y crea otra",
        Kind.CODES_ADDED: "Se han creado códigos de recuperación nuevos",
        Kind.CODES_REMOVED: "Se están quitando los códigos de recuperación anteriores",
        Kind.QUESTION_ADDED: "Se ha puesto una pregunta secreta",
        Kind.QUESTION_REMOVED: "Se está quitando la pregunta secreta",
        Kind.REMOVAL_CANCELLED: "Se ha anulado una retirada",
        Kind.PASSWORD_CHANGED: "Se ha cambiado la contraseña",
        Kind.USERNAME_CHANGED: "Se ha cambiado el nombre de usuario",
        Kind.DEVICE_NEW: "Ha entrado un dispositivo nuevo",
        Kind.DEVICE_CONFIRMED: "Se ha confirmado un dispositivo",
        Kind.DEVICE_REMOVED: "Se está quitando un dispositivo",
        Kind.FACTOR_WAITS: "Algo que se añadió hace un tiempo contará pronto para recuperar la cuenta",
        Kind.PASSWORD_GUESSED: "Alguien ha probado cien contraseñas; un dispositivo nuevo necesita ahora también un código",
        Kind.SECOND_FACTOR_MISSED: "Alguien conoce tu contraseña, pero no tu segundo factor",
        Kind.SESSION_STOLEN: "Se ha cerrado una sesión porque su clave se usó en dos sitios",
        Kind.SESSIONS_ASKED: "Otro dispositivo quiere cerrar tus sesiones; abre el chat para responder",
        Kind.SESSION_KEPT: "Se ha conservado una sesión que otro dispositivo quería cerrar",
        Kind.NUMBER_ASKED: "Otra cuenta ha demostrado tener uno de tus teléfonos; entra y di si sigue siendo tuyo",
        Kind.NUMBER_SUSPECT: "Uno de tus teléfonos no cuenta hasta que se demuestre de nuevo",
        Kind.RECOVERY_STARTED: "Alguien quiere entrar en la cuenta sin su contraseña",
        Kind.RECOVERY_HELD: "Una recuperación de la cuenta espera a que pase su plazo",
        Kind.RECOVERY_RELEASE: "Alguien dice que un teléfono de la cuenta ya no es suyo",
        Kind.RECOVERY_ENDED: "Se ha terminado una recuperación de la cuenta",
        Kind.RECOVERY_COMPLETED: "Se ha recuperado la cuenta y se han cerrado todas sus sesiones",
        Kind.ACCOUNT_FROZEN: "La cuenta queda congelada 72 horas",
        Kind.ACCOUNT_THAWED: "La cuenta ya no está congelada",
        Kind.ACCOUNT_LOCKED: "La administración ha bloqueado la cuenta y se han cerrado todas sus sesiones",
        Kind.ACCOUNT_UNLOCKED: "La administración ha desbloqueado la cuenta",
        Kind.ACCOUNT_DELETED: "La cuenta se va a borrar, 14 días después de que alguien lo pidiera",
        Kind.ACCOUNT_KEPT: "La cuenta no se va a borrar",
        Kind.ACCOUNT_EXPORTED: "Se han exportado todos los datos de la cuenta",
        Kind.ROLE_CHANGED: "Han cambiado los papeles de la cuenta",
    },
}
_INTRO: Final[dict[Locale, str]] = {
    "en": "Garita: this happened to your account {name}. If it was you, there is nothing to do. If it was not, open the link beside it.",
    "es": "Garita: esto ha pasado en tu cuenta {name}. Si has sido tú, no hay nada que hacer. Si no, abre el enlace que lo acompaña.",
}
_SHORT: Final[dict[Locale, str]] = {"en": "Garita: {what}{more}.", "es": "Garita: {what}{more}."}
_MORE: Final[dict[Locale, str]] = {"en": " (and {count} more such events)", "es": " (y {count} sucesos más como este)"}
_NOT_YOU: Final[dict[Locale, str]] = {"en": " Not you? {link}", "es": " ¿No has sido tú? {link}"}


@dataclass(frozen=True, slots=True)
class Line:
    """One event as a message lists it; `token` is None where no link can be built."""

    kind: Kind
    at_ms: int
    token: str | None


def token_of(secret: bytes) -> str:
    """A link's secret as letters. Args: secret: 32 bytes."""
    return secret.hex().encode().translate(_LETTERS).decode()


def link_of(origin: str, token: str, kinds: set[Kind]) -> str:
    """The address of the page that asks what to do. What stands after `#` is never sent to a server. Args: kinds: of the events that it speaks of."""
    undone = "&cancel" if any(TRAITS[kind].is_undone for kind in kinds) else ""
    return f"{origin}/undo.html#{token}{undone}"


def mail(locale: Locale, origin: str, name: str, lines: list[Line]) -> str:
    """A mail that lists each event, with a link of its own. Args: name: the account's user name, of ASCII letters, digits and `.`, `_`, `-`."""
    said = [_INTRO[locale].format(name=name)]
    for line in lines:
        at = datetime.fromtimestamp(line.at_ms / 1000, UTC)
        said.append(f"{at:%Y-%m-%d %H:%M} UTC: {_SAYS[locale][line.kind]}.")
        if line.token is not None:
            said.append(link_of(origin, line.token, {line.kind}))
    return "\n\n".join(said)


def text(locale: Locale, origin: str, lines: list[Line]) -> str:
    """A short message for all of the events, with one link for them: that of the last line."""
    last = lines[-1]
    more = _MORE[locale].format(count=len(lines) - 1) if len(lines) > 1 else ""
    said = _SHORT[locale].format(what=_SAYS[locale][last.kind], more=more)
    if last.token is None:
        return said
    return said + _NOT_YOU[locale].format(link=link_of(origin, last.token, {line.kind for line in lines}))
