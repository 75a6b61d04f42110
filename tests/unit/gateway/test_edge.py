"""What the gateway's HTTP side lets through: headers, file types, and the forward of demo mode."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_common.core.errors import NotFound
from gateway.core.edge import (
    answer_headers,
    check_forward,
    code_of_status,
    content_security_policy,
    content_type,
    forward_headers,
    own_hosts,
    strict_headers,
    web_path,
)

HOSTS = own_hosts(8080)


def directives(policy: str) -> dict[str, str]:
    """A policy by directive."""
    return {part.split(" ", 1)[0]: part.partition(" ")[2] for part in policy.split("; ")}


def test_the_policy_allows_only_the_own_origin() -> None:
    """Scripts and styles of the own origin, its socket by name, and nothing else."""
    policy = directives(content_security_policy(["http://127.0.0.1:8080", "https://chat.example"]))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://127.0.0.1:8080 wss://chat.example"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "unsafe" not in str(policy)


@pytest.mark.parametrize(
    "origin", ["*", "null", "", "http://a b", "http://a;script-src *", "javascript:x", "http://a,b"]
)
def test_an_odd_origin_adds_nothing_to_the_policy(origin: str) -> None:
    """A setting that is no origin cannot widen the policy."""
    assert directives(content_security_policy([origin]))["connect-src"] == "'self'"


def test_every_answer_has_the_strict_headers() -> None:
    """The list of headers is the one that docs/architecture.md asks for."""
    headers = strict_headers([])

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("index.html", "/index.html"),
        ("js/socket.js", "/js/socket.js"),
        (".env", None),
        (".git/config.json", None),
        ("js/.hidden.js", None),
        ("notes.md", None),
        ("index.html~", None),
        ("odd name.html", None),
        ("script.py", None),
    ],
)
def test_only_files_of_the_web_client_are_served(name: str, path: str | None) -> None:
    """Known endings and plain names only."""
    assert web_path(name) == path


def test_scripts_have_a_type_that_browsers_run() -> None:
    """With nosniff, a module of another type would not be run."""
    assert content_type("/app.js") == "text/javascript; charset=utf-8"
    assert content_type("/app.exe") is None


@pytest.mark.parametrize("path", ["/v1/auth/login", "/v1/auth/.well-known/jwks.json", "/dev/outbox", "/v1/auth/"])
@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080"])
def test_own_addresses_pass(path: str, host: str) -> None:
    """A request from this machine under its own address goes on."""
    check_forward("127.0.0.1", [host], path, HOSTS)
    check_forward("127.9.9.9", [host], path, HOSTS)
    check_forward("::1", [host], path, HOSTS)


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["127.0.0.1"],
        ["127.0.0.1:8081"],
        ["127.0.0.1:80800"],
        ["evil.example:8080"],
        ["localhost.evil.example:8080"],
        ["127.0.0.1:8080", "127.0.0.1:8080"],
        ["127.0.0.1:8080 "],
        ["127.0.0.2:8080"],
        [""],
    ],
)
def test_another_host_is_not_found(hosts: list[str]) -> None:
    """A name that somebody points at 127.0.0.1, another port, none or two: there is nothing here."""
    with pytest.raises(NotFound):
        check_forward("127.0.0.1", hosts, "/dev/outbox", HOSTS)


@pytest.mark.parametrize("peer", ["10.0.0.1", "203.0.113.7", "", "not an address", "::ffff:10.0.0.1", "fe80::1%eth0"])
def test_another_machine_is_not_found(peer: str) -> None:
    """Demo mode answers this machine alone."""
    with pytest.raises(NotFound):
        check_forward(peer, ["127.0.0.1:8080"], "/dev/outbox", HOSTS)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/auth/../internal/introspect",
        "/v1/auth/%2e%2e/internal",
        "/v1/auth/..%2finternal",
        "/v1/auth/./x",
        "/v1/auth//internal",
        "//evil.example/v1/auth/",
        "/v1/auth/x\\y",
        "/v1/auth/x;y",
        "/v1/auth/x@evil.example",
        "/v1/auth/" + "x" * 600,
        "",
    ],
)
def test_an_ambiguous_path_is_not_found(path: str) -> None:
    """A path that the next reader could take for another one does not go on."""
    with pytest.raises(NotFound):
        check_forward("127.0.0.1", ["127.0.0.1:8080"], path, HOSTS)


def test_port_80_needs_no_number() -> None:
    """Browsers leave the default port out of Host."""
    assert "localhost" in own_hosts(80)
    assert "localhost" not in HOSTS


def test_a_client_cannot_say_who_it_is() -> None:
    """Whatever a client writes about addresses stays behind; the socket's peer goes on."""
    sent = [
        ("X-Forwarded-For", "9.9.9.9"),
        ("x-forwarded-host", "evil"),
        ("X-Forwarded-Proto", "https"),
        ("Forwarded", "for=9.9.9.9"),
        ("X-Real-IP", "9.9.9.9"),
        ("Host", "127.0.0.1:8080"),
        ("Cookie", "a=b"),
        ("Authorization", "Bearer t"),
    ]

    assert forward_headers(sent, "127.0.0.5") == [
        ("Cookie", "a=b"),
        ("Authorization", "Bearer t"),
        ("X-Forwarded-For", "127.0.0.5"),
        ("Accept-Encoding", "identity"),
    ]


def test_hop_by_hop_headers_end_here() -> None:
    """Those of the standard and those that Connection names, in both directions; several cookies stay several."""
    sent = [("Connection", "keep-alive, X-Secret"), ("X-Secret", "1"), ("TE", "trailers"), ("Upgrade", "h2c")]
    assert forward_headers(sent, "127.0.0.1")[:-2] == []

    came = [
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("Transfer-Encoding", "chunked"),
        ("Server", "x"),
        ("Connection", "close"),
    ]
    assert answer_headers(came) == [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20))), st.text(max_size=15))
def test_there_is_one_address_whatever_is_sent(headers: list[tuple[str, str]], peer: str) -> None:
    """Exactly one X-Forwarded-For goes on, with the socket's peer."""
    named = [value for name, value in forward_headers(headers, peer) if name.lower() == "x-forwarded-for"]
    assert named == [peer]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "not_found"),
        (405, "method_not_allowed"),
        (413, "too_large"),
        (400, "bad_request"),
        (500, "internal"),
        (503, "internal"),
    ],
)
def test_every_status_has_a_code(status: int, code: str) -> None:
    """An error that a library chose gets a code of ours."""
    assert code_of_status(status)[0] == code
