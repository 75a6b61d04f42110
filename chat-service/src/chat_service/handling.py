"""Which function carries out which operation: a handler stands under `@handles(Operation)`, and that is all there is to registering it.

Changes are carried out once per `cmid`, everything else as often as it is asked (`commands`). That every operation has a handler is held by a test.
"""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from garita_common.core.frames import Request

from .core.rooms import User
from .turn import Done, Turn

OpT = TypeVar("OpT", bound=Request)
Handler: TypeAlias = Callable[[Turn, User, OpT], Done]

HANDLERS: dict[type[Request], Callable[[Turn, User, Any], Done]] = {}


def handles(kind: type[OpT]) -> Callable[[Handler[OpT]], Handler[OpT]]:
    """Makes the function the handler of `kind`."""

    def register(handler: Handler[OpT]) -> Handler[OpT]:
        HANDLERS[kind] = handler
        return handler

    return register
