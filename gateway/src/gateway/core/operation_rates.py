"""Rates of their own for the dear operations: `create_room=0.1:20,search=1:10` is tokens a second and how many at once, per user.

They come on top of the connection's budget for all operations, because that one allows twenty searches a second. What lowers the load (`leave`, `pong`, `logout`,
`upload_abort`) is never refused, and a message has its own limits, so neither can be named. `none` is no rates at all.
"""

from garita_common.core import gate
from garita_common.core.buckets import Rate
from garita_common.core.frames import ClientOp
from garita_common.core.gate import Budget

OperationRates = dict[type[ClientOp], Rate]

_BY_NAME = {str(kind.__struct_config__.tag): kind for kind in gate.TABLE}


def parse(text: str) -> OperationRates:
    """The rates from the setting's text.

    Raises:
        ValueError: it is not of this form, or names an operation that does not exist, has its own limit or is never refused.
    """
    rates: OperationRates = {}
    if text.strip() == "none":
        return rates
    for entry in (part.strip() for part in text.split(",") if part.strip()):
        name, _, numbers = entry.partition("=")
        kind = _BY_NAME.get(name.strip())
        if kind is None:
            raise ValueError(f"there is no operation {name.strip()}")
        if gate.TABLE[kind].budget is not Budget.OTHER:
            raise ValueError(f"{name.strip()} has a limit of its own or is never refused")
        if kind in rates:
            raise ValueError(f"{name.strip()} is there twice")
        rates[kind] = _rate(entry, numbers)
    return rates


def _rate(entry: str, numbers: str) -> Rate:
    per_s, _, burst = numbers.partition(":")
    try:
        rate = Rate(float(per_s), float(burst))
    except ValueError:
        raise ValueError(f"{entry} is not of the form operation=per_second:burst") from None
    if not (0 < rate.rate_per_s < float("inf") and 1 <= rate.burst < float("inf")):
        raise ValueError(f"{entry} needs a rate above 0 and a burst of at least 1")
    return rate
