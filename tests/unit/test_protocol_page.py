"""docs/protocol.md says what the code does: every operation, field, error code, close code and limit of the types is on the page."""

from pathlib import Path

import msgspec
import pytest

from garita_common.core import errors, frames

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
OPERATIONS = [*frames.GatewayOp.__args__, *frames.RoomOp.__args__]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_and_field_is_described(operation: type[msgspec.Struct]) -> None:
    """A client can be written from the page alone."""
    assert f"`{operation.__struct_config__.tag}`" in PAGE
    for field in operation.__struct_encode_fields__:
        assert f"`{field}`" in PAGE, field


@pytest.mark.parametrize(
    "code",
    sorted(
        {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AppError)}
    ),
)
def test_every_error_code_is_in_the_table(code: str) -> None:
    """With what it means."""
    assert f"| `{code}` |" in PAGE


@pytest.mark.parametrize("code", errors.CloseCode)
def test_every_close_code_is_in_the_table(code: errors.CloseCode) -> None:
    """With what to do."""
    assert f"| {int(code)} |" in PAGE
