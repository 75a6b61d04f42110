"""What the command says, in English and Spanish: one small catalogue, so that a missing translation shows in a test."""

Language = str

_HELP_EN = """\
/rooms [public]          your rooms, or all public ones
/join <title or id>      go into a room
/create <title>          make a public room (/create -p <title>: private)
/direct <user>           talk to one person
/invite <user>           let somebody into this private room
/leave                   leave this room
/members                 who belongs to this room
/who                     who of them is here now
/history [count]         older messages
/search <words>          find messages here (/search * <words>: everywhere)
/reply <number> <text>   answer a message
/edit [number] <text>    another text for a message of yours
/delete <number> [why]   take a message away
/react <number> <emoji>  react to a message; the same again takes it back
/report <number> <reason> [note]  tell the moderators: spam, abuse, illegal, other
/up <path>               send a file
/down <number> [to]      fetch a file that was shown
/quit                    end
Moderators:
/topic <text>            what this room is about (-: nothing)
/title <text>            another name for this room
/kick <user> [why]       put somebody out
/ban <user> [why]        put somebody out for good
/unban <user>            let them in again
/banned                  who is kept out
/role <user> <role>      owner, moderator, member or muted
/audit                   what moderators did, and reports"""

_HELP_ES = """\
/rooms [public]          tus salas, o todas las públicas
/join <título o id>      entrar en una sala
/create <título>         crear una sala pública (/create -p <título>: privada)
/direct <usuario>        hablar con una persona
/invite <usuario>        dejar entrar a alguien en esta sala privada
/leave                   salir de esta sala
/members                 quién pertenece a esta sala
/who                     quién de ellos está aquí ahora
/history [cuántos]       mensajes anteriores
/search <palabras>       buscar mensajes aquí (/search * <palabras>: en todas partes)
/reply <número> <texto>  responder a un mensaje
/edit [número] <texto>   otro texto para un mensaje tuyo
/delete <número> [por qué]  quitar un mensaje
/react <número> <emoji>  reaccionar a un mensaje; otra vez lo mismo lo retira
/report <número> <motivo> [nota]  avisar a la moderación: spam, abuse, illegal, other
/up <ruta>               enviar un archivo
/down <número> [dónde]   traer un archivo mostrado
/quit                    terminar
Para moderar:
/topic <texto>           de qué trata esta sala (-: de nada)
/title <texto>           otro nombre para esta sala
/kick <usuario> [por qué]  sacar a alguien
/ban <usuario> [por qué]  sacar a alguien para siempre
/unban <usuario>         dejarle entrar otra vez
/banned                  quién no puede entrar
/role <usuario> <papel>  owner, moderator, member o muted
/audit                   lo que ha hecho la moderación, y las denuncias"""

_CATALOGUE: dict[str, tuple[str, str]] = {
    "ask_contact": ("E-mail address or phone number: ", "Correo electrónico o teléfono: "),
    "ask_password": ("Password: ", "Contraseña: "),
    "ask_new_password": ("Password (12 characters or more): ", "Contraseña (12 caracteres o más): "),
    "ask_again": ("The same again: ", "Otra vez la misma: "),
    "not_the_same": ("The two are not the same.", "No son iguales."),
    "ask_code": ("Code that was sent to you: ", "Código que has recibido: "),
    "demo_code": ("Demo mode: the message would have said {code}.", "Modo demo: el mensaje habría dicho {code}."),
    "wrong_code": ("That is not the code. Try again.", "Ese no es el código. Inténtalo de nuevo."),
    "ask_name": ("User name: ", "Nombre de usuario: "),
    "name_taken": ("That name is taken. Choose another.", "Ese nombre ya existe. Elige otro."),
    "ask_identifier": (
        "User name, e-mail address or phone number: ",
        "Nombre de usuario, correo electrónico o teléfono: ",
    ),
    "ask_totp": ("Code of your authenticator: ", "Código de tu autenticador: "),
    "proof": ("Solving a small proof of work …", "Resolviendo una pequeña prueba de trabajo …"),
    "welcome": ("Welcome, {name}. Now: garita chat", "Te damos la bienvenida, {name}. Ahora: garita chat"),
    "logged_out": ("Logged out.", "Sesión cerrada."),
    "not_logged_in": (
        "You are not logged in. Run garita login, or garita register for a new account.",
        "No has iniciado sesión. Usa garita login, o garita register para crear una cuenta.",
    ),
    "connecting": ("Connecting to {address} …", "Conectando con {address} …"),
    "connected": ("You are {name}. /help shows what you can do.", "Eres {name}. /help muestra lo que puedes hacer."),
    "reconnected": ("Connected again.", "Conexión recuperada."),
    "lost": ("Connection lost ({why}); coming back …", "Conexión perdida ({why}); volviendo …"),
    "no_room": ("Choose a room first: /rooms, /join, /create.", "Elige antes una sala: /rooms, /join, /create."),
    "no_rooms": ("No rooms here yet. /create <title> makes one.", "Aún no hay salas. /create <título> crea una."),
    "in_room": ("You are in {room}.", "Estás en {room}."),
    "room_made": ("Made {room}.", "Sala {room} creada."),
    "left_room": ("You left {room}.", "Has salido de {room}."),
    "no_such_room": ("There is no room called {room}.", "No hay ninguna sala llamada {room}."),
    "many_rooms": ("Several rooms are called {room}; use the id.", "Varias salas se llaman {room}; usa el id."),
    "invited_user": ("{user} may join now.", "{user} ya puede entrar."),
    "joined": ("{user} joined {room}", "{user} ha entrado en {room}"),
    "left": ("{user} left {room}", "{user} ha salido de {room}"),
    "kicked": ("{user} was put out of {room} by {by}", "{by} ha sacado a {user} de {room}"),
    "banned": ("{user} was banned from {room} by {by}", "{by} ha vetado a {user} en {room}"),
    "unbanned": ("{user} may come into {room} again", "{user} puede volver a entrar en {room}"),
    "role_now": ("{user} in {room} is now: {role}", "{user} en {room} es ahora: {role}"),
    "role_owner": ("owner", "dueño"),
    "role_moderator": ("moderator", "moderación"),
    "role_member": ("member", "miembro"),
    "role_muted": ("muted", "sin voz"),
    "room_changed": ("{user} changed the room: {title} · {topic}", "{user} ha cambiado la sala: {title} · {topic}"),
    "edited": ("#{number} edited by {user}: {text}", "#{number}, cambiado por {user}: {text}"),
    "deleted": ("#{number} was deleted by {user}", "#{number} lo ha borrado {user}"),
    "deleted_by_moderator": ("#{number} was deleted by a moderator", "#{number} lo ha borrado la moderación"),
    "reacted": ("#{number} {emoji} {user}", "#{number} {emoji} {user}"),
    "unreacted": ("#{number} {user} takes {emoji} back", "#{number} {user} retira {emoji}"),
    "was_edited": ("(edited)", "(editado)"),
    "was_deleted": ("(deleted)", "(borrado)"),
    "writing": ("{names}: writing …", "{names}: escribiendo …"),
    "number_first": (
        "Begin with the number that stands beside the message, such as /reply 41 thanks.",
        "Empieza con el número que está junto al mensaje, como /reply 41 gracias.",
    ),
    "no_message": ("Number {number} is no message of this room.", "El número {number} no es un mensaje de esta sala."),
    "nothing_own": ("There is no message of yours here.", "Aquí no hay ningún mensaje tuyo."),
    "nothing_found": ("Nothing there.", "No hay nada."),
    "no_such_person": ("There is nobody called {user} there.", "No hay nadie que se llame {user}."),
    "nobody_banned": ("Nobody is kept out.", "Nadie tiene la entrada vetada."),
    "one_of": ("Say one of: {words}.", "Di uno de estos: {words}."),
    "reported": ("Thank you. The moderators can see it now.", "Gracias. La moderación ya puede verlo."),
    "invited": ("{user} invites you to {room}: /join {id}", "{user} te invita a {room}: /join {id}"),
    "reset": (
        "The server was restored from a backup; /history shows what there is.",
        "El servidor se restauró de una copia; /history muestra lo que hay.",
    ),
    "challenged": (
        "The server wants to know that somebody is there: open its page in a browser and answer. Until then you can read here, and not write.",
        "El servidor quiere saber que hay alguien: abre su página en un navegador y responde. Hasta entonces aquí puedes leer, pero no escribir.",
    ),
    "challenge_over": ("You can write again.", "Ya puedes escribir otra vez."),
    "gone": ("You are no longer in {room}.", "Ya no estás en {room}."),
    "file_line": (
        "file {number}: {name} ({size}), /down {number}",
        "archivo {number}: {name} ({size}), /down {number}",
    ),
    "no_file": ("There is no file {number} here.", "Aquí no hay archivo {number}."),
    "no_such_path": ("{path} is not a file.", "{path} no es un archivo."),
    "saved": ("Saved as {path}.", "Guardado como {path}."),
    "sent_file": ("Sent {name}.", "{name} enviado."),
    "unknown_command": ("There is no command {word}. /help shows them.", "No existe {word}. /help los muestra."),
    "usage": ("Usage: {usage}", "Uso: {usage}"),
    "help": (_HELP_EN, _HELP_ES),
    "no_run_file": (
        "{path} is not there: start the stack with make run, or say where it keeps its state with --state.",
        "{path} no existe: arranca con make run, o indica la carpeta con --state.",
    ),
    "process": ("process", "proceso"),
    "ports": ("addresses", "direcciones"),
    "state": ("state", "estado"),
    "ready": ("ready", "listo"),
    "standing_by": ("ready, stands by", "listo, en reserva"),
    "not_ready": ("not ready: {why}", "no listo: {why}"),
    "not_running": ("not running", "no está en marcha"),
    "totp_already": ("Two-step login is on already.", "La verificación en dos pasos ya está activada."),
    "totp_secret": (
        "Type this key into your authenticator app:\n  {secret}\nor open this address on your telephone:\n  {uri}",
        "Escribe esta clave en tu aplicación de autenticación:\n  {secret}\no abre esta dirección en tu teléfono:\n  {uri}",
    ),
    "totp_on": (
        "Two-step login is on: the next login asks for a code.",
        "La verificación en dos pasos está activada: el próximo inicio de sesión pedirá un código.",
    ),
    "picture_wanted": (
        "There were many wrong passwords for this name, so a picture has to be solved too. Log in on the page, or try again in a quarter of an hour.",
        "Ha habido muchas contraseñas erróneas para este nombre, así que hay que resolver además una imagen. Entra en la página o inténtalo en un cuarto de hora.",
    ),
    "own_codes": (
        "Write these down or print them; they are shown only now. Each works once, in place of the authenticator:",
        "Apúntalos o imprímelos; solo se muestran ahora. Cada uno vale una vez, en lugar del autenticador:",
    ),
    "text_picture": (
        "A second text of one day wants a picture solved. Use another way, or log in on the page.",
        "El segundo SMS de un día pide resolver una imagen. Usa otra forma o entra en la página.",
    ),
    "ask_recovery_code": ("Recovery code: ", "Código de recuperación: "),
    "ask_way": ("Which one? [1] ", "¿Cuál? [1] "),
    "way_totp": ("code of your authenticator", "código de tu autenticador"),
    "way_recovery_code": ("one of your recovery codes", "uno de tus códigos de recuperación"),
    "way_sms": ("code by text to your phone", "código por SMS a tu teléfono"),
    "ask_sms": ("Code from the text: ", "Código del SMS: "),
    "way_code": ("code that was sent to you", "código que has recibido"),
    "no_passkeys": (
        "Passkeys cannot be used in a terminal; the page takes them.",
        "Las llaves de acceso no sirven en un terminal; la página las acepta.",
    ),
    "only_passkeys": (
        "This account has passkeys alone, which a terminal cannot use. Log in on the page, and make recovery codes or turn an authenticator on there.",
        "Esta cuenta solo tiene llaves de acceso, que no sirven en un terminal. Entra en la página y crea allí códigos de recuperación o activa un autenticador.",
    ),
    "new_saved_code": (
        "You have used a recovery code. This one takes its place, write it down: {code}",
        "Has usado un código de recuperación. Este ocupa su lugar, apúntalo: {code}",
    ),
    "account_factors": (
        "Authenticator {totp}, passkeys: {passkeys}, recovery codes left: {codes}",
        "Autenticador {totp}, llaves de acceso: {passkeys}, códigos de recuperación que quedan: {codes}",
    ),
    "account_on": ("on", "activado"),
    "account_off": ("off", "desactivado"),
    "account_page": ("All of this is changed on the page: {address}", "Todo esto se cambia en la página: {address}"),
    "account_frozen": (
        "The account is frozen until {date}: nothing can be changed.",
        "La cuenta está congelada hasta el {date}: no se puede cambiar nada.",
    ),
    "account_guarded": (
        "The account was recovered; until {date} nothing can be taken from it.",
        "La cuenta se recuperó; hasta el {date} no se le puede quitar nada.",
    ),
    "contact_pending": ("waits for its code", "espera su código"),
    "contact_probation": ("new, counts from {date} on", "nuevo, cuenta desde el {date}"),
    "contact_mature": ("counts", "cuenta"),
    "contact_retiring": ("is being removed, counts until {date}", "se está quitando, cuenta hasta el {date}"),
    "contact_retired": ("removed", "quitado"),
    "contact_asked": (
        "(another account has proved it: answer on the page)",
        "(otra cuenta lo ha demostrado: responde en la página)",
    ),
    "contact_suspect": (
        "(counts for nothing until it is proved again)",
        "(no cuenta hasta que se demuestre otra vez)",
    ),
    "change_removal": (
        "! {factor} is being removed; it counts until {date} and can be kept until {until}.",
        "! {factor}: se está quitando; cuenta hasta el {date} y se puede conservar hasta el {until}.",
    ),
    "change_probation": (
        "{factor} was added and begins to count on {date}.",
        "{factor}: se ha añadido y empieza a contar el {date}.",
    ),
    "change_session": (
        "! Somebody wants a session of yours to end on {date}. Answer on the page.",
        "! Alguien quiere cerrar una sesión tuya el {date}. Responde en la página.",
    ),
    "factor_email": ("An e-mail address", "Un correo"),
    "factor_phone": ("A phone number", "Un teléfono"),
    "factor_totp": ("The authenticator", "El autenticador"),
    "factor_passkey": ("A passkey", "Una llave de acceso"),
    "factor_codes": ("A set of recovery codes", "Un juego de códigos de recuperación"),
    "factor_question": ("The secret question", "La pregunta secreta"),
    "factor_device": ("A device", "Un dispositivo"),
    "not_confirmed": ("(not confirmed then)", "(entonces sin confirmar)"),
    "prove": ("Please prove that it is you.", "Demuestra que eres tú."),
    "session_line": (
        "{number}  {device}  since {created}, last seen {seen} {this}",
        "{number}  {device}  desde {created}, vista {seen} {this}",
    ),
    "session_this": ("(this one)", "(esta)"),
    "session_ended": ("Session {number} has ended.", "La sesión {number} ha terminado."),
    "no_such_session": ("There is no session {number}.", "No hay ninguna sesión {number}."),
    "session_own": ("That is this session: use garita logout.", "Es esta sesión: usa garita logout."),
    "audit_intact": (
        "The audit log is as it was written: {rows} rows, held against {heads} heads. Its last: {mac}",
        "El registro de auditoría está como se escribió: {rows} filas, comparadas con {heads} cabezas. La última: {mac}",
    ),
    "audit_broken": (
        "The audit log was changed or cut: row {row} is not as it was written (it has {rows} rows).",
        "El registro de auditoría fue cambiado o cortado: la fila {row} no está como se escribió (tiene {rows} filas).",
    ),
    "key_made": (
        "A new signing key was made; it signs from {when}.",
        "Se creó una nueva clave de firma; firma desde {when}.",
    ),
    "sessions_ended": ("Sessions ended: {count}.", "Sesiones cerradas: {count}."),
    "invite_made": (
        "An invite for one account, good until {when}; it is shown this once. Its holder runs: garita register --invite",
        "Una invitación para una cuenta, válida hasta {when}; solo se muestra ahora. Quien la tenga usa: garita register --invite",
    ),
    "ask_invite": ("Invite: ", "Invitación: "),
    "saved_codes": (
        "These are your recovery codes, the only way back into an account without a contact. Write them down:",
        "Estos son tus códigos de recuperación, la única vuelta a una cuenta sin contacto. Apúntalos:",
    ),
    "admin_granted": ("{user} is an administrator now.", "{user} es ahora administrador."),
    "admin_withdrawn": ("{user} is no administrator any more.", "{user} ya no es administrador."),
    "no_bans": ("Nobody is banned.", "No hay expulsiones."),
    "no_reports": ("Nothing was reported.", "No hay denuncias."),
    "more_reports": ("More: garita reports --before {before}", "Hay más: garita reports --before {before}"),
    "lifted": ("Lifted.", "Levantada."),
    "lifted_later": (
        "Lifted; the gateways will hear of it within 30 s.",
        "Levantada; las puertas lo sabrán en menos de 30 s.",
    ),
    "evidence": ("Evidence ({count}):", "Pruebas ({count}):"),
    "no_operator": (
        "The detector's operator address is not known; is the stack running?",
        "No se conoce la dirección del operador; ¿está en marcha?",
    ),
}


def language_of(locale: str | None) -> Language:
    """`es` for a Spanish locale (`es_ES.UTF-8`), else `en`."""
    return "es" if (locale or "").lower().startswith("es") else "en"


def text(language: Language, key: str, **values: object) -> str:
    """One sentence."""
    english, spanish = _CATALOGUE[key]
    return (spanish if language == "es" else english).format(**values)


def keys() -> list[str]:
    """All that can be said."""
    return list(_CATALOGUE)
