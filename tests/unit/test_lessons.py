"""What other gateways got wrong, and the tests that show it is not wrong here: one entry per lesson, the place to look it up."""

import pytest

from .named_tests import missing

G, A = "integration/gateway/test_", "attack/test_"
U = "unit/gateway/test_"

LESSONS: dict[int, tuple[str, list[str]]] = {
    1: (
        "A limiter that refills one a second whatever its setting.",
        [
            "unit/common/test_buckets.py::test_steady_state_never_exceeds_the_rate",
            f"{U}admission.py::test_the_node_takes_its_rate_in_the_long_run",
            f"{U}admission.py::test_attempts_come_back_at_their_rate_and_no_faster",
            f"{G}shares.py::test_the_rate_is_one_user_s_in_the_long_run",
        ],
    ),
    2: (
        "Limiter tables that never shrink.",
        [
            "unit/common/test_buckets.py::test_a_table_is_bounded_and_forgets_the_longest_unused",
            f"{U}admission.py::test_a_full_table_lets_nobody_through_who_is_over_the_prefix",
            f"{U}allowance.py::test_the_table_drops_the_user_that_was_away_longest",
            f"{G}tables.py::test_an_overrun_is_warned_of_while_it_goes_on",
            "unit/detector_service/test_subjects.py::test_the_table_is_bounded_and_keeps_every_ban_in_force",
        ],
    ),
    3: (
        "A throttle that lives in the connection, so that a new socket resets it.",
        [
            f"{U}allowance.py::test_a_new_socket_resets_nothing",
            f"{G}shares.py::test_a_level_survives_reconnecting_and_changing_gateways",
            "integration/auth_service/test_login.py::test_three_misses_ask_for_work_and_ten_shut_a_name",
            "integration/auth_service/test_login.py::test_an_address_logs_in_twenty_times_a_minute",
        ],
    ),
    4: (
        "Failures counted per node and per exact IPv6 address, and forgotten after one success.",
        [
            "unit/common/test_addresses.py::test_rotating_inside_a_64_stays_one_unit",
            "integration/auth_service/test_login.py::test_a_right_login_between_guesses_resets_nothing",
            "integration/auth_service/test_limits.py::test_tries_are_counted_until_they_shut",
            "unit/detector_service/test_login_lane.py::test_a_success_takes_one_failure_away_once_a_day",
            "unit/detector_service/test_login_lane.py::test_slow_slips_are_forgiven",
        ],
    ),
    5: (
        "A parser that takes 100 MB under a policy of 100 KB.",
        [
            f"{U}rfc6455.py::test_a_length_over_the_limit_is_refused_before_its_payload",
            f"{U}rfc6455.py::test_an_impossible_length_is_never_allocated",
            f"{U}tcp_frames.py::test_a_length_is_refused_from_the_header",
            f"{A}g05_oversize_frame.py::test_after_connect_the_limit_is_another_and_holds",
        ],
    ),
    6: (
        "Sample secrets that work in production.",
        [
            "integration/common/test_config.py::test_a_missing_short_or_known_secret_refuses_the_start",
            f"{G}config.py::test_a_missing_secret_ends_the_start_with_a_sentence",
        ],
    ),
    7: (
        "Any origin, anybody's X-Forwarded-For, and loopback that cannot be banned.",
        [
            f"{U}handshake.py::test_an_empty_list_refuses_every_browser",
            f"{A}g08_cross_site.py::test_a_foreign_origin_gets_no_socket",
            "unit/common/test_addresses.py::test_the_client_is_the_rightmost_untrusted_entry",
            f"{G}arrival.py::test_a_stranger_s_header_is_garbage",
            f"{G}people.py::test_loopback_is_not_banned_unless_it_is_public",
            f"{G}people.py::test_a_banned_user_does_not_get_in",
        ],
    ),
    8: (
        "Limits per process that are described as limits.",
        [
            "unit/gateway/test_limit_rows.py::test_the_page_and_this_table_have_the_same_limits",
            f"{G}shares.py::test_messages_are_twenty_over_two_gateways_and_not_one_more",
            f"{G}shares.py::test_over_two_gateways_the_oldest_is_told_4411",
            f"{G}neighbours.py::test_two_gateways_on_one_port_have_one_limit",
        ],
    ),
    9: (
        "HTTP spoken to the raw TCP port by a page.",
        [
            f"{A}g08_cross_site.py::test_http_on_the_tcp_port_gets_no_answer",
            f"{G}tcp.py::test_other_protocols_on_the_tcp_port_are_named",
        ],
    ),
    10: (
        "Refusing leave or pong, so that clients loop.",
        [
            "unit/common/test_gate.py::test_what_lowers_the_load_is_never_refused",
            f"{U}purse.py::test_what_lowers_the_load_is_charged_and_never_refused",
            f"{U}operation_rates.py::test_a_wrong_text_is_refused_with_its_reason",
            f"{G}desk.py::test_so_many_requests_wait_and_leaving_is_never_held_up",
        ],
    ),
    11: (
        "Bans looked at after the upgrade, or only at the next login.",
        [
            f"{G}front.py::test_a_banned_address_is_told_in_http",
            f"{G}people.py::test_a_ban_ends_live_connections_at_once",
            f"{G}people.py::test_two_gateways_share_bans",
        ],
    ),
    12: (
        "Fetching addresses that users give.",
        ["unit/test_outgoing.py::test_only_what_settings_name_is_asked"],
    ),
    13: (
        "Compression, with its memory and its bombs.",
        [
            f"{G}websocket.py::test_the_upgrade_names_the_subprotocol_and_no_extension",
            f"{U}rfc6455.py::test_what_the_rfc_forbids_is_refused_from_the_header",
        ],
    ),
    14: (
        "Reconnect storms after a restart.",
        [
            f"{G}drain.py::test_alone_everybody_is_told_at_once_to_come_back_spread_out",
            f"{G}drain.py::test_beside_another_gateway_they_go_one_after_the_other",
            "unit/garita_client/test_backoff.py::test_jitter_is_full",
            "unit/garita_client/test_backoff.py::test_server_wish_is_honoured",
            f"{G}attach.py::test_a_known_cursor_needs_no_question",
            f"{G}keys.py::test_a_fetch_that_fails_changes_nothing_and_is_repeated",
        ],
    ),
    15: (
        "Slow clients that others wait for.",
        [
            f"{G}connection.py::test_a_slow_reader_is_closed_and_nobody_waits_for_it",
            f"{G}connection.py::test_a_queue_may_be_full_and_not_one_byte_more",
            f"{G}hub.py::test_over_half_a_queue_it_is_dropped_and_events_are_not",
            "unit/garita_client/test_endings.py::test_44xx_comes_back",
        ],
    ),
    16: (
        "A resume that works only at the same node, while it lives.",
        [
            f"{G}attach.py::test_a_client_goes_on_at_another_gateway",
            f"{G}attach.py::test_what_was_missed_comes_before_what_is_new",
            f"{G}attach.py::test_a_cursor_of_another_epoch_is_not_recovered",
        ],
    ),
    17: (
        "Idempotency for seconds or minutes.",
        [
            "integration/chat_service/test_repeats.py::test_a_cmid_is_kept_as_long_as_its_message",
            "integration/chat_service/test_repeats.py::test_a_repeat_is_answered_before_permissions",
            f"{A}g06_replay.py::test_a_replayed_send_is_stored_once_and_answered_alike",
        ],
    ),
}


def test_no_lesson_is_left_out() -> None:
    """There are seventeen."""
    assert list(LESSONS) == list(range(1, 18))


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_has_its_tests(number: int) -> None:
    """They exist under these names."""
    _, tests = LESSONS[number]

    assert tests
    assert missing(tests) == []
