"""The secrets of a stack: made once, found again, never loose."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from garita_local import secret_files, state_folder
from garita_local.layout import Layout
from garita_local.secret_files import BASE64_SECRETS, BOUND_TO_DATA, OUTBOX_KEY, TEXT_SECRETS
from garita_local.troubles import CannotStart

EVERY = (*TEXT_SECRETS, *BASE64_SECRETS, OUTBOX_KEY)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "var")
    state_folder.make_folders(made)
    return made


def test_every_secret_is_private_long_and_unique(layout: Layout) -> None:
    """A first start makes all of them, readable by this user only, no two alike."""
    secret_files.ensure_secrets(layout)

    texts = [secret_files.read_secret(layout.secrets, name) for name in EVERY]
    assert all(len(text) >= 43 for text in texts)
    assert len(set(texts)) == len(EVERY)
    assert {(layout.secrets / name).stat().st_mode & 0o777 for name in EVERY} == {0o600}


def test_the_data_key_is_32_bytes_in_base64(layout: Layout) -> None:
    """AES-256 takes exactly that."""
    secret_files.ensure_secrets(layout)

    assert len(base64.b64decode(secret_files.read_secret(layout.secrets, "auth_data_key"), validate=True)) == 32


def test_a_second_start_keeps_all_but_the_outbox_key(layout: Layout) -> None:
    """Data stays readable; the address of the outbox is new."""
    secret_files.ensure_secrets(layout)
    first = {name: secret_files.read_secret(layout.secrets, name) for name in EVERY}

    secret_files.ensure_secrets(layout)

    second = {name: secret_files.read_secret(layout.secrets, name) for name in EVERY}
    assert {name for name in EVERY if first[name] != second[name]} == {OUTBOX_KEY}


def test_a_loose_secret_is_made_private_again(layout: Layout) -> None:
    """A copied folder with open modes is closed at the next start."""
    secret_files.ensure_secrets(layout)
    (layout.secrets / "service_token").chmod(0o644)

    secret_files.ensure_secrets(layout)

    assert (layout.secrets / "service_token").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", BOUND_TO_DATA)
def test_a_lost_secret_beside_stored_accounts_is_not_replaced(layout: Layout, name: str) -> None:
    """With accounts the start is refused; without any, a new secret does no harm."""
    secret_files.ensure_secrets(layout)
    (layout.secrets / name).unlink()

    layout.database("auth").write_bytes(b"")
    with pytest.raises(CannotStart, match=name):
        secret_files.ensure_secrets(layout)

    layout.database("auth").unlink()
    secret_files.ensure_secrets(layout)
    assert (layout.secrets / name).exists()
