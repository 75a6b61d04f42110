"""Browsers: which pages may use this API, and the cookies that hold a page's secrets out of its scripts' reach.

A cookie comes by itself with every request of the browser, so a request in browser mode must show by its `Origin` that one of our own pages sends it. In
production the cookies are `__Host-` ones: no subdomain and no plain HTTP can plant them. Demo mode has no TLS, and not every browser stores a `Secure` cookie from
http://127.0.0.1, so there they have plain names, and the narrower path instead.
"""

from dataclasses import dataclass

from aiohttp import web

COOKIE_AGE_S = 400 * 86_400
"""The longest that browsers keep a cookie; what it stands for ends earlier by itself."""

BROWSER_AGE_S = 3600


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookies' names and manner. `browser` ties a picture to the browser that asked for it, for an hour, and proves nothing else."""

    refresh: str
    device: str
    browser: str
    secure: bool
    path: str

    @classmethod
    def of(cls, *, demo: bool) -> "Cookies":
        """The cookies of a mode."""
        if demo:
            return cls("rt", "dv", "bw", secure=False, path="/v1/auth")
        return cls("__Host-rt", "__Host-dv", "__Host-bw", secure=True, path="/")

    def put(self, response: web.Response, name: str, value: str | None) -> None:
        """Sets one of them, or takes it away (None)."""
        if value is None:
            response.del_cookie(name, path=self.path, secure=self.secure, httponly=True, samesite="Strict")
        else:
            response.set_cookie(
                name,
                value,
                max_age=BROWSER_AGE_S if name == self.browser else COOKIE_AGE_S,
                path=self.path,
                secure=self.secure,
                httponly=True,
                samesite="Strict",
            )


class Origins:
    """The origins that are let in."""

    def __init__(self, origins: frozenset[str], *, demo: bool) -> None:
        """Args: origins: `scheme://host[:port]`; demo: `localhost` stands for 127.0.0.1 too."""
        also = {origin.replace("//127.0.0.1", "//localhost", 1) for origin in origins} if demo else set()
        self._allowed = origins | also

    def allow(self, origin: str | None, site: str | None, is_web: bool) -> bool:
        """Whether a request that changes something may go on. Args: site: the header Sec-Fetch-Site; is_web: it is in browser mode."""
        if site == "cross-site":
            return False
        if origin is None:
            return not is_web
        return origin in self._allowed
