"""garita_local.settings_page."""

from garita_local import settings_page


def test_the_page_is_what_the_settings_say() -> None:
    """`python -m garita_local.settings_page` would change nothing."""
    assert settings_page.PAGE.read_text(encoding="utf-8") == settings_page.page()


def test_every_setting_has_a_meaning() -> None:
    """A setting without a sentence is no setting."""
    for config in settings_page.SERVICES.values():
        for name, field in config.model_fields.items():
            assert field.description, f"{config.__name__}.{name}"
