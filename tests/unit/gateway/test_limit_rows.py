"""Every limit of docs/protocol.md §6 has its tests: at the limit and one past it, in the steady state where it is a rate, and over real sockets.

This is the place to look a limit up: its name, then where it is shown.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from chat_service.core.limits import Limit as ChatLimit
from gateway.core.catalogue import CATALOGUE
from tests.unit.named_tests import missing

PAGE = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()
SECTION = PAGE.partition("## 6. Limits")[2].partition("## 7.")[0]

_UNIT, _REAL = "unit/gateway/test_", "integration/gateway/test_"
_ADMISSION, _SESSION, _PURSE = f"{_UNIT}admission.py::test_", f"{_UNIT}session.py::test_", f"{_UNIT}purse.py::test_"
_SHARED, _SHARES = f"{_UNIT}shared_bucket.py::test_", f"{_REAL}shares.py::test_"
_CHAT = "integration/chat_service/test_"


@dataclass(frozen=True)
class Row:
    """Where a limit is shown. `edge`: at the limit and one past it; `steady`: in the long run, for rates; `real`: over sockets or in the real store."""

    edge: str
    steady: str = ""
    real: str = ""


_ACCEPT = f"{_ADMISSION}each_limit_lets_in_its_number_and_not_one_more"
_MESSAGES = f"{_PURSE}each_limit_of_messages_lets_pass_its_number_and_not_one_more"
_FILES = f"{_CHAT}files.py::test_limits_hold_at_the_limit_and_one_past_it"
_BYTES = f"{_PURSE}ten_connections_do_not_bring_ten_times_the_bytes"
_BUDGET = f"{_UNIT}budget.py::test_whoever_waits_as_told_never_gets_more_than_burst_plus_rate"
_DAY = f"{_CHAT}limits.py::test_a_days_allowance_is_for_a_day"

ROWS: dict[str, Row] = {
    "node_connections": Row(_ACCEPT, real=f"{_REAL}entrance.py::test_a_full_node_refuses_everybody"),
    "connections_per_address": Row(
        _ACCEPT, real=f"{_REAL}entrance.py::test_an_address_may_hold_so_many_and_the_next_is_closed"
    ),
    "connections_per_prefix": Row(_ACCEPT, real=f"{_REAL}entrance.py::test_a_prefix_may_hold_so_many"),
    "connections_per_user": Row(
        f"{_SHARES}the_eleventh_connection_makes_the_oldest_go_wherever_it_is",
        real=f"{_SHARES}over_two_gateways_the_oldest_is_told_4411",
    ),
    "connections_per_device": Row(
        f"{_SHARES}a_device_s_ninth_connection_makes_the_device_s_oldest_go",
        real=f"{_REAL}desk.py::test_a_ninth_connection_of_a_device_closes_the_device_s_oldest",
    ),
    "attempts_per_address": Row(
        _ACCEPT,
        f"{_ADMISSION}attempts_come_back_at_their_rate_and_no_faster",
        f"{_REAL}entrance.py::test_only_guessers_run_out_of_attempts",
    ),
    "attempts_per_prefix": Row(
        _ACCEPT,
        f"{_ADMISSION}a_prefix_s_attempts_come_back_at_their_rate",
        f"{_REAL}tables.py::test_fresh_addresses_overrun_a_small_table_and_meet_their_prefix",
    ),
    "attempts_per_node": Row(
        _ACCEPT,
        f"{_ADMISSION}the_node_takes_its_rate_in_the_long_run",
        f"{_REAL}entrance.py::test_the_node_takes_so_many_a_second",
    ),
    "pages_per_address": Row(
        f"{_ADMISSION}a_page_has_a_budget_of_its_own",
        f"{_ADMISSION}pages_come_back_at_their_rate",
        f"{_REAL}front.py::test_pages_of_an_address_have_a_rate",
    ),
    "slow_reader": Row(
        f"{_REAL}front.py::test_who_does_not_read_a_page_is_cut_off",
        real=f"{_REAL}front.py::test_who_does_not_read_a_page_is_cut_off",
    ),
    "tls_timeout": Row(
        f"{_REAL}tls.py::test_a_handshake_has_a_time", real=f"{_REAL}tls.py::test_a_handshake_has_a_time"
    ),
    "header_timeout": Row(
        f"{_REAL}front.py::test_headers_have_a_time", real=f"{_REAL}front.py::test_headers_have_a_time"
    ),
    "header_bytes": Row(
        f"{_REAL}front.py::test_headers_have_a_size", real=f"{_REAL}front.py::test_headers_have_a_size"
    ),
    "connect_timeout": Row(
        f"{_SESSION}connect_has_to_come_in_time", real=f"{_REAL}connection.py::test_connect_has_to_come_in_time"
    ),
    "connect_frames": Row(
        f"{_SESSION}eight_frames_may_come_before_connect_has_succeeded",
        real=f"{_REAL}desk.py::test_eight_frames_may_come_before_connect",
    ),
    "connect_bytes": Row(
        f"{_SESSION}a_frame_may_be_as_long_as_its_row_says_and_no_longer",
        real=f"{_REAL}tcp.py::test_a_length_over_the_limit_is_refused_from_the_header",
    ),
    "early_bytes": Row(
        f"{_SESSION}before_connect_other_frames_have_a_smaller_limit",
        real="attack/test_g05_oversize_frame.py::test_tcp_refuses_from_the_header",
    ),
    "frame_bytes": Row(
        f"{_SESSION}the_header_limits_follow_the_state",
        real="attack/test_g05_oversize_frame.py::test_after_connect_the_limit_is_another_and_holds",
    ),
    "send": Row(
        f"{_SESSION}messages_have_their_burst_and_their_rate",
        f"{_SESSION}messages_have_their_burst_and_their_rate",
        f"{_REAL}limit_settings.py::test_the_same_without_a_trial",
    ),
    "device_send": Row(_MESSAGES, _MESSAGES, f"{_REAL}desk.py::test_a_device_s_connections_share_their_messages"),
    "user_send": Row(
        f"{_SHARED}alone_with_the_user_a_gateway_spends_all_of_it_before_any_answer",
        f"{_SHARES}the_rate_is_one_user_s_in_the_long_run",
        f"{_SHARES}over_two_gateways_a_user_sends_twenty",
    ),
    "other": Row(
        f"{_SESSION}other_operations_have_a_budget_of_their_own",
        f"{_SESSION}other_operations_come_back_at_their_rate",
        f"{_REAL}desk.py::test_a_flood_of_requests_ends_with_rate_limited",
    ),
    "operation_rates": Row(
        f"{_PURSE}a_dear_operation_has_a_rate_of_its_own_that_new_sockets_share",
        f"{_UNIT}allowance.py::test_an_operation_s_own_rate_holds_at_once_and_in_the_long_run",
        f"{_REAL}desk.py::test_a_dear_operation_s_rate_is_the_user_s",
    ),
    "bytes_in": Row(
        f"{_SESSION}bytes_over_their_budget_pause_reading",
        _BUDGET,
        f"{_REAL}connection.py::test_a_flood_that_goes_on_is_ended_and_recorded",
    ),
    "user_bytes_in": Row(_BYTES, _BUDGET, f"{_REAL}connection.py::test_a_user_s_connections_share_their_bytes"),
    "upload_bytes": Row(
        f"{_SESSION}uploads_pause_but_are_never_ended",
        _BUDGET,
        f"{_REAL}files.py::test_an_upload_over_its_budget_is_slowed_to_it",
    ),
    "user_upload_bytes": Row(_BYTES, _BUDGET, f"{_REAL}files.py::test_an_upload_over_its_budget_is_slowed_to_it"),
    "refusals": Row(
        f"{_PURSE}being_refused_has_its_price",
        "unit/common/test_buckets.py::test_steady_state_never_exceeds_the_rate",
        f"{_REAL}desk.py::test_a_flood_of_requests_ends_with_rate_limited",
    ),
    "errors": Row(
        f"{_SESSION}twenty_errors_in_five_seconds_end_the_connection",
        f"{_SESSION}twenty_errors_in_five_seconds_end_the_connection",
        f"{_REAL}desk.py::test_too_many_errors_end_the_connection",
    ),
    "requests_in_flight": Row(
        f"{_REAL}desk.py::test_so_many_requests_wait_and_leaving_is_never_held_up",
        real=f"{_REAL}desk.py::test_so_many_requests_wait_and_leaving_is_never_held_up",
    ),
    "requests_waiting": Row(
        f"{_UNIT}pending.py::test_a_full_table_says_so",
        real=f"{_REAL}chat_link.py::test_a_full_table_of_waiting_requests_is_busy_at_once",
    ),
    "rooms_per_connection": Row(
        f"{_REAL}desk.py::test_a_connection_follows_so_many_rooms",
        real=f"{_REAL}desk.py::test_a_connection_follows_so_many_rooms",
    ),
    "unanswered_rooms": Row(
        f"{_CHAT}limits.py::test_strangers_leave_room_for_ones_own",
        real=f"{_CHAT}limits.py::test_strangers_leave_room_for_ones_own",
    ),
    "members_per_room": Row(
        f"{_CHAT}rooms.py::test_rooms_and_users_are_full_at_their_limits",
        real=f"{_CHAT}rooms.py::test_rooms_and_users_are_full_at_their_limits",
    ),
    "room_send": Row(
        "unit/chat_service/test_limits.py::test_a_room_takes_its_burst_and_not_one_more",
        "unit/chat_service/test_limits.py::test_a_room_takes_its_rate_for_ever",
        f"{_CHAT}limits.py::test_a_room_takes_its_burst_then_its_rate",
    ),
    "new_rooms_per_day": Row(_DAY, real=_DAY),
    "direct_rooms_per_day": Row(_DAY, real=_DAY),
    "invitations_per_day": Row(_DAY, real=_DAY),
    "reports_per_day": Row(_DAY, real=_DAY),
    "pong_timeout": Row(
        f"{_SESSION}pings_go_out_and_want_an_answer",
        real=f"{_REAL}connection.py::test_a_client_that_does_not_is_told_and_closed",
    ),
    "queue_bytes": Row(
        f"{_REAL}connection.py::test_a_queue_may_be_full_and_not_one_byte_more",
        real=f"{_REAL}connection.py::test_a_slow_reader_is_closed_and_nobody_waits_for_it",
    ),
    "write_timeout": Row(
        f"{_UNIT}progress.py::test_a_peer_that_reads_nothing_is_late_at_the_second_look",
        real=f"{_REAL}slow_peers.py::test_a_reader_below_its_queue_s_limit_is_closed_by_the_deadline",
    ),
    "attaching": Row(
        f"{_REAL}errands.py::test_so_many_may_run_and_not_one_more",
        real=f"{_REAL}errands.py::test_so_many_may_run_and_not_one_more",
    ),
    "recovery_bytes": Row(
        f"{_REAL}attach.py::test_a_resume_gets_so_many_bytes_over_all_rooms",
        real=f"{_REAL}attach.py::test_a_resume_gets_so_many_bytes_over_all_rooms",
    ),
    "file_bytes": Row(_FILES, real=_FILES),
    "daily_bytes": Row(_FILES, real=_FILES),
    "open_uploads": Row(_FILES, real=_FILES),
    "limiter_keys": Row(
        f"{_ADMISSION}a_full_table_lets_nobody_through_who_is_over_the_prefix",
        real=f"{_REAL}tables.py::test_fresh_addresses_overrun_a_small_table_and_meet_their_prefix",
    ),
}


def test_the_page_and_this_table_have_the_same_limits() -> None:
    """A row that is added to the page needs a test, and a limit of the code its place on the page."""
    told = {
        name
        for line in SECTION.splitlines()
        if line.startswith("| ")
        for name in re.findall(r"`(\w+)`", line.rsplit("|", 2)[1])
    }

    assert told == ROWS.keys()
    assert CATALOGUE.keys() <= told
    assert told - CATALOGUE.keys() <= {limit.value for limit in ChatLimit}


@pytest.mark.parametrize("name", ROWS)
def test_a_limit_has_its_tests(name: str) -> None:
    """At the limit and one past it, over the real thing, and in the long run if it is a rate."""
    row = ROWS[name]
    is_rate = (
        any(setting.endswith(("per_s", "window_s", "operation_rates")) for setting in CATALOGUE[name].settings)
        if name in CATALOGUE
        else name == "room_send"
    )

    assert row.edge
    assert row.real
    assert bool(row.steady) == is_rate
    assert missing([test for test in (row.edge, row.steady, row.real) if test]) == []
