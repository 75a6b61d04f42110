"""Sentences for what happens to an account (docs/auth-api.md §7). Servers may know more kinds than this; those are told as they are."""

from .texts import Language

_SENTENCES: dict[str, tuple[str, str]] = {
    "email_added": ("An email address was added", "Se añadió un correo"),
    "email_removed": ("An email address is being removed", "Se está quitando un correo"),
    "phone_added": ("A phone number was added", "Se añadió un teléfono"),
    "phone_removed": ("A phone number is being removed", "Se está quitando un teléfono"),
    "totp_added": ("An authenticator app was added", "Se añadió una aplicación de códigos"),
    "totp_removed": ("The authenticator app is being removed", "Se está quitando la aplicación de códigos"),
    "passkey_added": ("A passkey was added", "Se añadió una llave de acceso"),
    "passkey_removed": ("A passkey is being removed", "Se está quitando una llave de acceso"),
    "passkey_copied": ("There seems to be a copy of a passkey", "Parece que hay una copia de una llave de acceso"),
    "codes_added": ("Recovery codes were made", "Se crearon códigos de recuperación"),
    "codes_removed": ("Recovery codes were given up", "Se anularon códigos de recuperación"),
    "question_added": ("A secret question was set", "Se puso una pregunta secreta"),
    "question_removed": ("The secret question is being removed", "Se está quitando la pregunta secreta"),
    "removal_cancelled": ("A removal was taken back", "Se anuló una retirada"),
    "password_changed": ("The password was changed", "Se cambió la contraseña"),
    "username_changed": ("The user name was changed", "Se cambió el nombre de usuario"),
    "device_new": ("A new device logged in", "Entró un dispositivo nuevo"),
    "device_confirmed": ("A device was confirmed", "Se confirmó un dispositivo"),
    "device_removed": ("A device is being forgotten", "Se está olvidando un dispositivo"),
    "factor_waits": (
        "Something that was added will soon begin to count",
        "Algo que se añadió empezará pronto a contar",
    ),
    "password_guessed": ("Somebody tried very many passwords", "Alguien probó muchísimas contraseñas"),
    "second_factor_missed": (
        "The password was right, the second step was not",
        "La contraseña era correcta; el segundo paso, no",
    ),
    "session_stolen": ("A session was used in two places and ended", "Una sesión se usó en dos sitios y se cerró"),
    "sessions_asked": ("Somebody wanted your sessions to end", "Alguien quiso cerrar tus sesiones"),
    "session_kept": ("A session was kept", "Se conservó una sesión"),
    "number_asked": (
        "Another account has proved one of your numbers",
        "Otra cuenta ha demostrado tener uno de tus teléfonos",
    ),
    "number_suspect": (
        "One of your numbers counts for nothing until you prove it again",
        "Uno de tus teléfonos no cuenta hasta que lo demuestres otra vez",
    ),
    "recovery_started": ("Somebody began to recover the account", "Alguien empezó a recuperar la cuenta"),
    "recovery_held": ("A recovery waits for its time", "Una recuperación espera su momento"),
    "recovery_release": ("A recovery asks for your next phone", "Una recuperación pide tu siguiente teléfono"),
    "recovery_ended": ("A recovery came to nothing", "Una recuperación quedó en nada"),
    "recovery_completed": ("The account was recovered", "La cuenta se recuperó"),
    "account_frozen": ("The account was frozen", "La cuenta se congeló"),
    "account_thawed": ("The account is not frozen any more", "La cuenta ya no está congelada"),
    "account_locked": ("An administrator locked the account", "La administración bloqueó la cuenta"),
    "account_unlocked": ("An administrator unlocked the account", "La administración desbloqueó la cuenta"),
    "account_deleted": ("The account is to be deleted", "La cuenta se va a borrar"),
    "account_kept": ("The account is kept", "La cuenta se conserva"),
    "account_exported": ("A copy of the account's data was made", "Se hizo una copia de los datos de la cuenta"),
    "role_changed": ("A role was given or taken", "Se dio o se quitó una función"),
}


def happening(language: Language, kind: str) -> str:
    """The sentence for a kind of event."""
    known = _SENTENCES.get(kind)
    if known is None:
        return "".join(char for char in kind if char.isalnum() or char == "_").replace("_", " ")
    return known[1 if language == "es" else 0]
