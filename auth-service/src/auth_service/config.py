"""The settings of the auth service: what it listens on, where it stores, and every limit with the reason for its number."""

import ipaddress
from pathlib import Path
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

import phonenumbers
from pydantic import Field, model_validator

from garita_common.config import ConfigError, Mode, Secret, ServiceConfig
from garita_common.core import addresses

from .core.caps import Spending
from .core.gateways import BadTemplate, Gateway, check, parse_object
from .core.letters import BadAddress, parse_address
from .core.recovery.facts import DAY_MS, Policy
from .core.sealing import parse_key


class AuthConfig(ServiceConfig):
    """Everything that can be set; the environment names begin with `GARITA_AUTH_`."""

    service_prefix: ClassVar[str] = "GARITA_AUTH_"

    http_host: str = Field("127.0.0.1", description="Where the API listens; behind the edge or the gateway.")
    http_port: int = Field(8094, ge=0, le=65535, description="Port of the API; 0 takes a free one.")
    inner_port: int = Field(8092, ge=0, le=65535, description="Port of the inner listener; 0 takes a free one.")
    # On this host alone: whoever administers from elsewhere comes by a tunnel.
    admin_host: str = Field("127.0.0.1", description="Where the endpoints of administrators listen.")
    admin_port: int = Field(
        8096, ge=0, le=65535, description="Port of the endpoints of administrators; 0 takes a free one."
    )
    database: Path = Field(description="The SQLite file of accounts; made if there is none.")
    public_origin: str = Field(
        "",
        description="The origins (scheme://host[:port], separated by commas) whose pages may use this API in a browser.",
    )
    trusted_proxies: str = Field(
        "", description="Addresses or networks, separated by commas, whose X-Forwarded-For is believed."
    )
    issuer: str = Field(
        "garita", min_length=1, max_length=64, description="The claim iss of access tokens, the same in every service."
    )

    # A page makes a handful of requests when it opens; 300 in 5 minutes is a household of busy people, and one request a second for a machine.
    all_per_prefix_per_5_min: int = Field(300, ge=1, description="All requests of one address in 5 minutes.")
    # 1.2 ms of native code per counter: the work and not the calling dominates, in a browser too, and one proof takes 0.1 to 0.4 s of a core.
    # The dearest proof is 16 times that, and clients refuse more than 200 000.
    proof_cost: int = Field(5000, ge=1, le=12_500, description="PBKDF2 rounds per counter of a proof of work.")
    # A challenge costs us one PBKDF2 (1.2 ms); a person needs one or two.
    challenges_per_prefix_per_10_min: int = Field(30, ge=1, description="Challenges for one address in 10 minutes.")
    # Listening three times is human; a machine that solves clips wants thousands.
    audio_challenges_per_prefix_per_10_min: int = Field(
        5, ge=1, description="Challenges by sound for one address in 10 minutes."
    )
    # 9 KB and 4 ms each; enough for a rush of a minute, and refilled in another.
    captcha_images: int = Field(500, ge=0, le=10_000, description="Pictures held ready; 0: none are made.")
    # 114 KB and 230 ms each.
    captcha_clips: int = Field(200, ge=0, le=2000, description="Clips held ready; 0: none are made.")
    # Several people of one household or office may register on the first day; a farm needs thousands.
    registrations_per_prefix_per_h: int = Field(5, ge=1, description="Registrations from one address in an hour.")
    registrations_per_prefix_per_day: int = Field(20, ge=1, description="Registrations from one address in a day.")
    # Each may send a message, and nobody's mailbox is to be filled by a stranger.
    registrations_per_contact_per_day: int = Field(3, ge=1, description="Registrations that message one contact a day.")
    # A person mistypes a few times; 20 a minute is far above that and far below what guessing needs.
    logins_per_prefix_per_min: int = Field(20, ge=1, description="Logins from one address in a minute.")
    # Three slips are human; from then on each try costs a third of a core second, which a person does not notice.
    login_proof_after: int = Field(
        3, ge=0, description="Wrong passwords of one name in 15 minutes before work is asked."
    )
    login_picture_after: int = Field(
        5, ge=0, description="Wrong passwords of one name in 15 minutes before a picture or clip is asked besides."
    )
    # 10 an hour is 240 a day: hopeless against zxcvbn's 10^8 guesses.
    login_shut_after_per_h: int = Field(10, ge=1, description="Wrong passwords of one name in an hour before it shuts.")
    login_shut_min: int = Field(15, ge=1, description="Minutes that a name stays shut for unknown devices.")
    # Ten an hour for ever would still be 87 600 a year.
    login_shut_in_a_row: int = Field(
        100,
        ge=1,
        description="Wrong passwords in a row, from unknown devices, after which a name or an account needs more than a password.",
    )
    device_shut_after_per_15_min: int = Field(
        10, ge=1, description="Wrong passwords on one known device in 15 minutes."
    )
    device_shut_min: int = Field(5, ge=1, description="Minutes that a known device waits then.")
    # Of a million codes, three at a time are right: 20 a day are one chance in 16 000.
    mfa_per_account_per_h: int = Field(10, ge=1, description="Wrong second factors of one account in an hour.")
    mfa_per_account_per_day: int = Field(20, ge=1, description="Wrong second factors of one account in a day.")
    step_ups_per_session_per_15_min: int = Field(10, ge=1, description="Wrong proofs of one session in 15 minutes.")
    # A person adds a contact or proves a session a few times a day; each code is a message that somebody pays for.
    codes_per_contact_per_day: int = Field(5, ge=1, description="Codes to one contact of an account in a day.")
    codes_per_account_per_day: int = Field(10, ge=1, description="Codes that one account has sent in a day.")
    # 256 bits are not guessed; this only stops somebody from keeping us busy.
    bad_undos_per_prefix_per_h: int = Field(10, ge=1, description="Unknown undo links from one address in an hour.")
    # Enough to add what was forgotten; each is read by a person.
    appeals_per_ban_per_day: int = Field(3, ge=1, description="Texts against one ban in a day.")
    # It takes some work, and is told to every contact.
    exports_per_account_per_day: int = Field(1, ge=1, description="Exports of one account in a day.")
    # A session needs one refresh in 4 minutes and audience.
    refreshes_per_session_per_min: int = Field(30, ge=1, description="Refreshes of one session in a minute.")
    # Only look-ups that fail count: a valid token always works.
    bad_tokens_per_prefix_per_h: int = Field(
        60, ge=1, description="Unknown refresh tokens from one address in an hour."
    )
    open_requests: int = Field(200, ge=1, description="Requests in progress at once; more are answered 503.")

    # argon2id at the OWASP floor: 19 MiB and 2 passes cost about 18 ms of one core.
    hash_memory_kib: int = Field(19456, ge=8, le=262144, description="Memory of one password hash in KiB.")
    hash_passes: int = Field(2, ge=1, le=16, description="Passes of one password hash.")
    hash_workers: int = Field(0, ge=0, le=64, description="Threads that hash; 0 takes the cores, at most 4.")
    # Together with the threads they wait about half a second on two cores; more would only be served after the client has gone.
    hash_waiting: int = Field(32, ge=1, description="Hashes that may wait for a thread.")
    hash_wait_s: float = Field(2.0, gt=0, description="Seconds a hash may wait for a thread.")

    refresh_days: int = Field(30, ge=1, le=90, description="Days that a session lives without a refresh.")
    session_days: int = Field(180, ge=1, le=400, description="Days that a session lives at most.")
    max_sessions: int = Field(20, ge=1, le=1000, description="Sessions of one user; the longest unused one ends.")

    # An attacker's starts and the owner's are counted apart, so neither spends the other's.
    recoveries_per_account_per_day: int = Field(
        3,
        ge=1,
        description="Recoveries of one account a day begun by strangers, and as many from places and devices of its own.",
    )
    recoveries_per_prefix_per_h: int = Field(10, ge=1, description="Recoveries begun from one address in an hour.")
    # A month is what reminders at day 0, 7 and 25 need to reach somebody on holiday.
    factor_probation_days: int = Field(
        30, ge=7, le=90, description="Days after which what was added to an account counts for its recovery."
    )
    factor_tombstone_days: int = Field(
        30,
        ge=7,
        le=90,
        description="Days that what was removed still counts, after the 7 in which that can be taken back; never fewer than the probation.",
    )

    # A key that leaked without anybody noticing is of use for this long at the most.
    key_rotation_days: int = Field(30, ge=1, le=365, description="Days that one key signs access tokens.")
    # Verifiers fetch the keys every 5 minutes; a gateway that could not for half a day has other troubles.
    # Under a day, so that what a key signed last is refused after one.
    key_overlap_h: int = Field(
        12,
        ge=1,
        le=23,
        description="Hours that a signing key is published before it signs, and after the next one does.",
    )

    smtp_host: str = Field("", description="Mail server that takes our mail; empty: no mail is sent.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port: 587 with starttls, 465 with tls, mostly.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="How it is spoken to; none only on loopback, for codes and links would be readable on the way.",
    )
    smtp_user: str = Field("", description="User name there; empty: no login.")
    smtp_password_file: Path | None = Field(None, description="File that holds the password of that user.")
    smtp_ca: Path | None = Field(
        None, description="PEM file of the authorities that may have signed its certificate; none: the system's."
    )
    # A receiver may look us up and scan the mail while we wait; RFC 5321 allows minutes, but two tries are better than one that hangs.
    smtp_timeout_s: float = Field(30.0, gt=0, le=300, description="Seconds that one try may take.")
    mail_from: str = Field("", description="The sender's address of our mail.")

    sms_gateway: Literal["", "twilio", "template"] = Field(
        "", description="Who takes our texts: twilio, or template for any other HTTP gateway; empty: no text is sent."
    )
    sms_url: str = Field(
        "",
        description="https address that a text is sent to; with template its path and query may hold {to} and the like.",
    )
    sms_user: str = Field("", description="User name (Twilio: account SID) there.")
    sms_password_file: Path | None = Field(None, description="File that holds the password (Twilio: auth token).")
    sms_from: str = Field("", description="The sender of our texts: a number or a name, as the gateway wants it.")
    sms_method: Literal["POST", "PUT", "GET"] = Field("POST", description="Method of the template.")
    sms_headers: str = Field(
        "",
        description="Headers of the template: a JSON object whose texts may hold {to} {text} {from} {id} {password}.",
    )
    sms_body: str = Field("", description="Body of the template: a JSON object whose texts may hold the same.")
    sms_body_as: Literal["json", "form"] = Field("json", description="How the template's body is sent.")
    sms_success_path: str = Field(
        "", description="Dotted path in the gateway's JSON answer, such as messages.0.status; empty: a 2xx is enough."
    )
    sms_success_value: str = Field("", description="What stands there when the text was taken.")
    # No country is open by itself: pumping makes money with numbers far away from where a chat's people are.
    sms_countries: str = Field("", description="Two letters of each country that texts may go to, separated by commas.")
    # A text costs about 0.05; a thousand people who register in one day cost as much as a dinner, a pumped night no more.
    sms_per_day: int = Field(500, ge=0, description="Texts with codes in 24 hours, everywhere.")
    sms_per_country_per_day: int = Field(200, ge=0, description="Texts with codes in 24 hours, to one country.")

    geo_city: Path | None = Field(
        None, description="MaxMind database of cities or countries (.mmdb); read anew when the file changes."
    )
    geo_asn: Path | None = Field(None, description="MaxMind database of providers (ASN).")
    geo_anonymous: Path | None = Field(None, description="MaxMind database of anonymous and hosting networks.")

    @property
    def factor_policy(self) -> Policy:
        """How long factors wait and linger."""
        return Policy(self.factor_probation_days * DAY_MS, self.factor_tombstone_days * DAY_MS)

    @model_validator(mode="after")
    def _check(self) -> Self:
        """What one field alone cannot tell."""
        if self.factor_tombstone_days < self.factor_probation_days:
            raise ValueError(
                "GARITA_AUTH_FACTOR_TOMBSTONE_DAYS must not be less than GARITA_AUTH_FACTOR_PROBATION_DAYS:"
                " an intruder's additions would count when what he removed does not any more"
            )
        if self.smtp_host:
            self._check_mail()
        if self.sms_gateway:
            self._check_texts()
        return self

    def _check_texts(self) -> None:
        try:
            check(self.gateway())
        except BadTemplate as exc:
            raise ValueError(f"GARITA_AUTH_SMS_URL, _HEADERS and _BODY cannot be used: {exc}") from exc
        if not self.sms_from or (self.sms_gateway == "twilio" and not self.sms_user):
            raise ValueError("GARITA_AUTH_SMS_FROM, and for twilio GARITA_AUTH_SMS_USER, are needed to send texts")
        if self.sms_password_file is None:
            raise ValueError("GARITA_AUTH_SMS_PASSWORD_FILE is needed to send texts")
        countries = self.spending().countries
        if not countries or not countries <= phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(
                "GARITA_AUTH_SMS_COUNTRIES must name the countries that texts may go to by two letters each, such as ES,PT"
            )

    def _check_mail(self) -> None:
        if self.smtp_security == "none" and not is_loopback(self.smtp_host):
            raise ValueError("GARITA_AUTH_SMTP_SECURITY=none is for a server on loopback alone: use starttls or tls")
        if bool(self.smtp_user) != (self.smtp_password_file is not None):
            raise ValueError("GARITA_AUTH_SMTP_USER and GARITA_AUTH_SMTP_PASSWORD_FILE belong together")
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError("GARITA_AUTH_SMTP_USER needs starttls or tls: a password is never sent in the clear")
        try:
            parse_address(self.mail_from)
        except BadAddress as exc:
            raise ValueError("GARITA_AUTH_MAIL_FROM must be the address that our mail comes from") from exc
        if not self.origins():
            raise ValueError("GARITA_AUTH_PUBLIC_ORIGIN is needed to send mail: it names us in it")

    def trusted(self) -> tuple[addresses.Network, ...]:
        """The networks whose X-Forwarded-For is believed.

        Raises:
            ConfigError: one of them is none.
        """
        try:
            return addresses.parse_networks(self.trusted_proxies.split(","))
        except ValueError as exc:
            raise ConfigError(f"GARITA_AUTH_TRUSTED_PROXIES: {exc}.") from exc

    def origins(self) -> frozenset[str]:
        """The origins whose pages may use this API."""
        return frozenset(self.origins_in_order())

    def origins_in_order(self) -> list[str]:
        """The same in the order in which they were set: links lead to the first, and passkeys are made for the first that has a name."""
        return [text.strip().rstrip("/") for text in self.public_origin.split(",") if text.strip()]

    @property
    def own_host(self) -> str:
        """The host of the first public origin: what links and mail name us by, whatever a request says; '' without one."""
        first = self.public_origin.split(",")[0].strip()
        return urlsplit(first).hostname or ""

    def spending(self) -> Spending:
        """What texts may cost."""
        countries = (name.strip().upper() for name in self.sms_countries.split(","))
        return Spending(frozenset(name for name in countries if name), self.sms_per_country_per_day, self.sms_per_day)

    def gateway(self) -> Gateway:
        """The SMS gateway as the settings describe it.

        Raises:
            BadTemplate: a template that cannot be filled.
        """
        return Gateway(
            shape="twilio" if self.sms_gateway == "twilio" else "template",
            url=self.sms_url,
            sender=self.sms_from,
            user=self.sms_user,
            method=self.sms_method,
            headers=parse_object(self.sms_headers),
            body=parse_object(self.sms_body),
            body_as=self.sms_body_as,
            success_path=self.sms_success_path,
            success_value=self.sms_success_value,
        )

    def password_in(self, path: Path) -> Secret:
        """A password that another company gave us, so of any length.

        Raises:
            ConfigError: the file cannot be read or is empty.
        """
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError(f"The password file {path} cannot be read.") from exc
        if not text:
            raise ConfigError(f"The password file {path} is empty.")
        return Secret(text)

    def data_key(self) -> bytes:
        """The key of everything sealed.

        Raises:
            ConfigError: the secret is missing or not 32 bytes in base64.
        """
        try:
            return parse_key(self.secret("auth_data_key").reveal())
        except ValueError as exc:
            raise ConfigError("The secret auth_data_key must be 32 random bytes in base64.") from exc

    def outbox_key(self) -> Secret | None:
        """The key of the outbox's address in demo mode; None elsewhere.

        Raises:
            ConfigError: demo mode with a listener off loopback, or without its key.
        """
        if self.mode is not Mode.DEMO:
            return None
        for name, host in (("HTTP", self.http_host), ("INNER", self.inner_host), ("ADMIN", self.admin_host)):
            if not is_loopback(host):
                raise ConfigError(f"GARITA_MODE=demo needs GARITA_AUTH_{name}_HOST on loopback.")
        return self.secret("outbox_key")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone, by an address or by the one name that cannot be rebound."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
