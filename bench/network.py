"""A network namespace of our own, in which connections can be cut in silence: no packet of a port arrives, nobody is told.

The whole run moves into the namespace (`unshare --net`, which needs root or user namespaces); there is only loopback in it, so nothing that is cut here is
anybody else's. Packets are dropped by blackhole rules of the policy routing, which need nothing but `ip`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

INSIDE = "GARITA_BENCH_NAMESPACE"
LOCAL_PREFERENCE = 10


def enter(words: Sequence[str]) -> None:
    """Starts this command again inside a namespace of its own, if that can be had; returns if not, or if it is inside already."""
    if os.environ.get(INSIDE) or not all(shutil.which(name) for name in ("unshare", "ip")):
        return
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        return
    os.environ[INSIDE] = "1"
    os.execvp(unshare[0], [*unshare, sys.executable, *words])  # noqa: S606  # our own command line, in another namespace


def set_up() -> bool:
    """Brings the loopback up and puts our rules before all others; False outside a namespace of our own."""
    if not os.environ.get(INSIDE):
        return False
    _ip("link", "set", "lo", "up")
    _ip("rule", "add", "pref", str(LOCAL_PREFERENCE), "lookup", "local")
    _ip("rule", "del", "pref", "0")
    return True


def cut(ports: Sequence[int]) -> None:
    """From now on nothing comes to or from these TCP ports."""
    for port in ports:
        for side in ("sport", "dport"):
            _ip("rule", "add", "pref", "1", "ipproto", "tcp", side, str(port), "blackhole")


def mend(ports: Sequence[int]) -> None:
    """The ports are reached again; what TCP has not given up is sent anew."""
    for port in ports:
        for side in ("sport", "dport"):
            _ip("rule", "del", "pref", "1", "ipproto", "tcp", side, str(port), "blackhole")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
