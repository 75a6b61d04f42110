"""Garita's client library: accounts, a connection that lasts, rooms, messages and files.

```python
async with AuthApi("http://127.0.0.1:8080/v1/auth") as api:
    account = Account(api, TokenStore(default_path()))
    async with Client("tcp://127.0.0.1:8081", account) as client:
        await client.join(room)
        await client.send(room, "hola")
        async for event in client:
            print(event.op, event.text)
```
"""

from .account import Account
from .auth_api import AuthApi
from .client import Client
from .core.errors import (
    AuthRefused,
    Banned,
    Closed,
    Ended,
    GaritaError,
    LoginNeeded,
    NoAnswer,
    RequestRefused,
    TransferFailed,
    Unreachable,
)
from .core.hearing import Event, FileInfo, Person, RoomInfo
from .files import download, upload
from .link import Timing
from .ports import AccessToken, TokenSource
from .token_store import Login, MemoryStore, TokenStore, default_path

__all__ = [
    "AccessToken",
    "Account",
    "AuthApi",
    "AuthRefused",
    "Banned",
    "Client",
    "Closed",
    "Ended",
    "Event",
    "FileInfo",
    "GaritaError",
    "Login",
    "LoginNeeded",
    "MemoryStore",
    "NoAnswer",
    "Person",
    "RequestRefused",
    "RoomInfo",
    "Timing",
    "TokenSource",
    "TokenStore",
    "TransferFailed",
    "Unreachable",
    "default_path",
    "download",
    "upload",
]
