"""Every limit has a name, settings that exist, and a reason where it cannot be on trial."""

import pytest

from gateway.config import GatewayConfig
from gateway.core.admission import Refusal
from gateway.core.catalogue import CATALOGUE, check_on_trial


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_a_limit_s_settings_exist(name: str) -> None:
    """So that whoever reads its name in a metric finds the number."""
    assert CATALOGUE[name].settings
    assert set(CATALOGUE[name].settings) <= GatewayConfig.model_fields.keys()


def test_every_refusal_at_accept_is_a_limit_or_a_ban() -> None:
    """With the name that metrics show."""
    assert {refusal.value for refusal in Refusal} - CATALOGUE.keys() == {"banned"}


@pytest.mark.parametrize("name", [name for name, limit in sorted(CATALOGUE.items()) if limit.bounds])
def test_what_bounds_memory_is_never_on_trial(name: str) -> None:
    """The refusal says what it bounds."""
    with pytest.raises(ValueError, match=f"{name} bounds {CATALOGUE[name].bounds}"):
        check_on_trial([name])


def test_rates_counts_and_deadlines_may_be_on_trial_and_unknown_names_may_not() -> None:
    """A limit that was meant to be on trial must not go on refusing for a slip of the pen."""
    check_on_trial(name for name, limit in CATALOGUE.items() if not limit.bounds)

    with pytest.raises(ValueError, match="there is no limit sned"):
        check_on_trial(["send", "sned"])
