"""The ways out that the settings open: who carries mail and who carries texts."""

from collections.abc import Callable, Mapping

from garita_common.config import ConfigError, Mode

from .config import AuthConfig
from .core.gateways import check
from .core.identifiers import ContactKind
from .courier import Carrier
from .mailing import Mailer, MailRoute
from .outside import Outside
from .texting import Texter

MakesOutside = Callable[[list[str]], Outside]


def of(config: AuthConfig, outside: MakesOutside = Outside) -> Mapping[ContactKind, Carrier]:
    """The carriers by what they carry; none in demo mode, where nothing leaves. Args: outside: makes the guarded client from the hosts that it may call.

    Raises:
        ConfigError: a file that a setting names cannot be used.
    """
    found: dict[ContactKind, Carrier] = {}
    if config.mode is Mode.DEMO:
        return found
    if config.smtp_host:
        found[ContactKind.EMAIL] = _mailer(config)
    if config.sms_gateway and config.sms_password_file:
        gateway = config.gateway()
        password = config.password_in(config.sms_password_file)
        found[ContactKind.PHONE] = Texter(gateway, password, outside([check(gateway)]))
    return found


def _mailer(config: AuthConfig) -> Mailer:
    route = MailRoute(
        server=config.smtp_host,
        port=config.smtp_port,
        security=config.smtp_security,
        user=config.smtp_user,
        password=config.password_in(config.smtp_password_file) if config.smtp_password_file else None,
        sender=config.mail_from,
        ca=config.smtp_ca,
        host=config.own_host,
        timeout_s=config.smtp_timeout_s,
    )
    try:
        return Mailer(route)
    except OSError as exc:  # ssl.SSLError is one
        raise ConfigError(f"GARITA_AUTH_SMTP_CA: {config.smtp_ca} cannot be used.") from exc
