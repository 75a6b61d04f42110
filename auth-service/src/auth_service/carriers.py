"""The ways out that the settings open: who carries mail and who carries texts."""

from collections.abc import Mapping

from garita_common.config import ConfigError, Mode

from .config import AuthConfig
from .core.identifiers import ContactKind
from .courier import Carrier
from .mailing import Mailer, MailRoute


def of(config: AuthConfig) -> Mapping[ContactKind, Carrier]:
    """The carriers by what they carry; none in demo mode, where nothing leaves.

    Raises:
        ConfigError: a file that a setting names cannot be used.
    """
    found: dict[ContactKind, Carrier] = {}
    if config.mode is Mode.DEMO:
        return found
    if config.smtp_host:
        found[ContactKind.EMAIL] = _mailer(config)
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
