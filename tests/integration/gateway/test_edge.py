"""The HTTP side over real sockets: the web client's files, the forward of demo mode to a real small upstream, the form of errors."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from garita_common.config import ConfigError
from garita_common.core.errors import RateLimited
from garita_common.runtime import listening
from gateway.core.edge import EdgeSettings
from gateway.edge import middleware, open_session, read_files, routes

WAIT_S = 20.0


@pytest.fixture
def web_dir(tmp_path: Path) -> Path:
    """A small web client, beside a secret that must never be served."""
    folder = tmp_path / "web"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Garita</title>")
    (folder / "js" / "app.js").write_text("export {};")
    (folder / ".secret.json").write_text("{}")
    (folder / "notes.md").write_text("no part of the client")
    (tmp_path / "secret.txt").write_text("never")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


class Upstream:
    """A stand-in for the auth service that tells what it got."""

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes([
            web.route("*", "/v1/auth/echo", self.echo),
            web.get("/v1/auth/cookies", self.cookies),
            web.get("/v1/auth/moved", self.moved),
            web.get("/v1/auth/huge", self.huge),
            web.get("/v1/auth/slow", self.slow),
            web.get("/dev/outbox", self.echo),
            web.get("/.well-known/jwks.json", self.echo),
            web.get("/internal/introspect", self.echo),
        ])  # fmt: skip
        return app

    async def echo(self, request: web.Request) -> web.Response:
        return web.json_response({
            "method": request.method,
            "path": request.path,
            "query": request.rel_url.raw_query_string,
            "headers": [[name.lower(), value] for name, value in request.headers.items()],
            "body": (await request.read()).decode(),
        })  # fmt: skip

    async def cookies(self, request: web.Request) -> web.Response:
        response = web.json_response({"cookie": request.headers.get("Cookie")}, status=201)
        response.headers.add("Set-Cookie", "a=1; HttpOnly")
        response.headers.add("Set-Cookie", "b=2; HttpOnly")
        response.headers["Content-Security-Policy"] = "default-src *"
        return response

    async def moved(self, _: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/internal/introspect"})

    async def slow(self, _: web.Request) -> web.Response:
        await asyncio.sleep(1.0)
        return web.Response()

    async def huge(self, _: web.Request) -> web.Response:
        return web.Response(body=b"x" * (2 * 1024 * 1024))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def edge(
    web_dir: Path | None,
    *,
    demo: bool = True,
    auth_url: str | None = None,
    body_s: float = WAIT_S,
    answer_s: float = WAIT_S,
) -> AsyncIterator[str]:
    """The edge and its upstream on real ports; gives the edge's address."""
    port = free_port()
    async with (
        listening(Upstream().application(), "127.0.0.1", 0) as upstream,
        open_session() as session,
    ):
        origin = f"http://127.0.0.1:{port}"
        settings = EdgeSettings(
            web_dir, (origin,), port, demo, auth_url or f"http://127.0.0.1:{upstream}", body_s, answer_s
        )
        app = web.Application(middlewares=[middleware(settings)])
        app.add_routes(routes(settings, session))
        app.add_routes([web.get("/broken", broken), web.get("/limited", limited)])
        async with listening(app, "127.0.0.1", port):
            yield origin


async def broken(_: web.Request) -> web.Response:
    raise RuntimeError("a detail that nobody outside may read")


async def limited(_: web.Request) -> web.Response:
    raise RateLimited(retry_after_ms=1500)


async def say(origin: str, request: bytes) -> bytes:
    """Sends raw bytes, and gives back what comes until the other side closes."""
    host, port = origin.removeprefix("http://").split(":")
    async with asyncio.timeout(WAIT_S):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        answer = await reader.read()
        writer.close()
    return answer


async def test_the_page_and_its_files(web_dir: Path) -> None:
    """`/` is index.html; each file has its type, its ETag and the strict headers."""
    async with edge(web_dir, demo=False) as origin, aiohttp.ClientSession() as client:
        async with client.get(f"{origin}/") as page:
            assert (page.status, page.content_type) == (200, "text/html")
            assert "Garita" in await page.text()
            assert page.headers["Cache-Control"] == "no-cache"
            assert f"connect-src 'self' {origin.replace('http', 'ws')};" in page.headers["Content-Security-Policy"]
            assert page.headers["X-Content-Type-Options"] == "nosniff"
            assert "aiohttp" not in page.headers["Server"]
        async with client.get(f"{origin}/js/app.js") as script:
            assert (script.status, script.content_type) == (200, "text/javascript")
        async with client.head(f"{origin}/index.html") as head:
            assert (head.status, await head.read()) == (200, b"")


async def test_an_unchanged_file_is_not_sent_again(web_dir: Path) -> None:
    """With the right ETag the answer is 304 and still has the strict headers; with another one the file comes."""
    async with edge(web_dir, demo=False) as origin, aiohttp.ClientSession() as client:
        async with client.get(f"{origin}/") as page:
            etag = page.headers["ETag"]
        for value in (etag, f"W/{etag}", f'"x", {etag}', "*"):
            async with client.get(f"{origin}/", headers={"If-None-Match": value}) as again:
                assert (again.status, await again.read()) == (304, b"")
                assert again.headers["ETag"] == etag
                assert "Content-Security-Policy" in again.headers
        async with client.get(f"{origin}/", headers={"If-None-Match": '"x"'}) as other:
            assert other.status == 200


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.txt", "/js/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/link.txt", "/.secret.json",
        "/notes.md", "/js", "/js/", "//index.html", "/index.html/", "/index.html%00", "/INDEX.HTML",
    ],
)  # fmt: skip
async def test_nothing_else_is_served(web_dir: Path, target: str) -> None:
    """Other paths, whatever they try to say, are not found."""
    async with edge(web_dir, demo=False) as origin:
        answer = await say(origin, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    assert answer.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 "))
    assert b"never" not in answer


async def test_a_later_file_is_not_served(web_dir: Path) -> None:
    """The list is made at start: a file that appears later does not exist."""
    async with edge(web_dir, demo=False) as origin, aiohttp.ClientSession() as client:
        (web_dir / "later.js").write_text("export {};")
        async with client.get(f"{origin}/later.js") as answer:
            assert answer.status == 404


def test_a_missing_folder_stops_the_start(tmp_path: Path) -> None:
    """One clear sentence instead of a page that is not found."""
    with pytest.raises(ConfigError, match="is not there"):
        read_files(tmp_path / "none")


async def test_errors_have_one_form(web_dir: Path) -> None:
    """Not found, wrong method, a refusal, a fault of ours: problem+json, strict headers, no detail."""
    async with edge(web_dir, demo=False) as origin, aiohttp.ClientSession() as client:
        for method, path, status, code in [
            ("GET", "/none", 404, "not_found"),
            ("POST", "/", 405, "method_not_allowed"),
            ("GET", "/broken", 500, "internal"),
            ("GET", "/limited", 429, "rate_limited"),
        ]:
            async with client.request(method, f"{origin}{path}") as answer:
                body = await answer.json(content_type="application/problem+json")
                assert (answer.status, body["status"], body["code"]) == (status, status, code)
                assert "detail" not in str(body)
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers.get("Retry-After") == ("2" if status == 429 else None)
                assert ("GET" in answer.headers.get("Allow", "")) is (status == 405)


async def test_outside_demo_nothing_is_forwarded(web_dir: Path) -> None:
    """In production accounts, keys and outbox are not found here."""
    async with edge(web_dir, demo=False) as origin, aiohttp.ClientSession() as client:
        for path in ("/v1/auth/echo", "/dev/outbox", "/.well-known/jwks.json", "/openapi.json"):
            async with client.get(f"{origin}{path}") as answer:
                assert answer.status == 404


async def test_the_forward_passes_requests_on() -> None:
    """Method, query, body and cookies arrive; addresses that the client claims do not; the real one does."""
    async with edge(None) as origin, aiohttp.ClientSession() as client:
        async with client.put(
            f"{origin}/v1/auth/echo?a=b%20c&d",
            data=b'{"x":1}',
            headers={"X-Forwarded-For": "9.9.9.9", "Cookie": "s=1", "Content-Type": "application/json"},
        ) as answer:
            got = await answer.json()
            assert "Content-Security-Policy" in answer.headers
    headers = dict(got["headers"])
    assert (got["method"], got["path"], got["query"], got["body"]) == ("PUT", "/v1/auth/echo", "a=b%20c&d", '{"x":1}')
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["cookie"] == "s=1"
    assert headers["content-type"] == "application/json"
    assert len(got["headers"]) == len(headers)


async def test_the_outbox_and_the_documents_are_forwarded() -> None:
    """The key in the outbox's address arrives."""
    async with edge(None) as origin, aiohttp.ClientSession() as client:
        async with client.get(f"{origin}/dev/outbox?key=k-_1") as answer:
            assert (await answer.json())["query"] == "key=k-_1"
        async with client.get(f"{origin}/.well-known/jwks.json") as answer:
            assert (await answer.json())["path"] == "/.well-known/jwks.json"


async def test_cookies_of_one_do_not_go_out_with_another() -> None:
    """What the auth service sets goes to the browser alone, each cookie in its own header; our headers win over its."""
    async with edge(None) as origin, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        async with client.get(f"{origin}/v1/auth/cookies") as answer:
            assert answer.status == 201
            assert answer.headers.getall("Set-Cookie") == ["a=1; HttpOnly", "b=2; HttpOnly"]
            assert answer.headers.getall("Content-Security-Policy")[0].startswith("default-src 'none'")
        async with client.get(f"{origin}/v1/auth/cookies") as answer:
            assert await answer.json() == {"cookie": None}


async def test_redirects_are_not_followed() -> None:
    """An answer that points elsewhere goes back as it is."""
    async with edge(None) as origin, aiohttp.ClientSession() as client:
        async with client.get(f"{origin}/v1/auth/moved", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, "/internal/introspect")


@pytest.mark.parametrize(
    "target",
    ["/v1/auth/../../internal/introspect", "/v1/auth/%2e%2e/%2e%2e/internal/introspect", "/internal/introspect"],
)
async def test_inner_routes_cannot_be_reached(target: str) -> None:
    """No way of writing a path leads to anything but the public routes."""
    async with edge(None) as origin:
        host = origin.removeprefix("http://")
        answer = await say(origin, f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1"])
async def test_another_host_gets_nothing(host: str) -> None:
    """The outbox under another name is not found; under the own name it is there."""
    async with edge(None) as origin, aiohttp.ClientSession() as client:
        async with client.get(f"{origin}/dev/outbox", headers={"Host": host}) as answer:
            assert answer.status == 404
        async with client.get(origin.replace("127.0.0.1", "localhost") + "/dev/outbox") as answer:
            assert answer.status == 200


async def test_a_body_has_an_end() -> None:
    """16 KiB are forwarded, one byte more is not, whether its length is announced or not."""
    async with edge(None) as origin, aiohttp.ClientSession() as client:
        async with client.post(f"{origin}/v1/auth/echo", data=b"x" * 16384) as answer:
            assert answer.status == 200
        async with client.post(f"{origin}/v1/auth/echo", data=b"x" * 16385) as answer:
            assert answer.status == 413
        host = origin.removeprefix("http://")
        head = f"POST /v1/auth/echo HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        raw = await say(origin, head + b"4000\r\n" + b"x" * 0x4000 + b"\r\n1\r\nx\r\n0\r\n\r\n")
        assert raw.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("later", [b"", b"zz\r\nxx\r\n"])
async def test_a_body_has_a_deadline(later: bytes) -> None:
    """A body that stops, or goes on as nonsense, is the client's fault and ends when its time is over."""
    async with edge(None, body_s=0.3) as origin:
        host, port = origin.removeprefix("http://").split(":")
        async with asyncio.timeout(WAIT_S):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                f"POST /v1/auth/echo HTTP/1.1\r\nHost: {host}:{port}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
            )
            writer.write(b"2\r\nxx\r\n")
            await asyncio.sleep(0.1)
            writer.write(later)
            assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
            writer.close()


async def test_an_answer_has_a_deadline() -> None:
    """An upstream that takes too long is 504."""
    async with edge(None, answer_s=0.2) as origin, aiohttp.ClientSession() as client:
        async with client.get(f"{origin}/v1/auth/slow") as answer:
            assert answer.status == 504


async def test_an_endless_answer_is_not_passed_back() -> None:
    """An answer over 1 MiB is an error of the upstream."""
    async with edge(None) as origin, aiohttp.ClientSession() as client:
        async with client.get(f"{origin}/v1/auth/huge") as answer:
            assert answer.status == 502


async def test_an_upstream_that_is_away_is_busy() -> None:
    """502 with the code `busy`, and nothing about where it should have been."""
    gone = f"http://127.0.0.1:{free_port()}"
    async with edge(None, auth_url=gone) as origin, aiohttp.ClientSession() as client:
        async with client.get(f"{origin}/v1/auth/echo") as answer:
            body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["code"]) == (502, "busy")
    assert gone.rpartition(":")[2] not in str(body)


async def test_a_session_with_cookies_is_refused(web_dir: Path) -> None:
    """The forward cannot be built on a session that would mix people's cookies."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(TypeError):
            routes(EdgeSettings(web_dir, (), 8080, True, "http://127.0.0.1:1"), session)
