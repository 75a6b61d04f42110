"""Two people meet in a room and share a file, over TCP, with nothing but Python's standard library.

    python stdlib_client.py http://127.0.0.1:8080 127.0.0.1:8081 'http://127.0.0.1:8080/dev/outbox?key=…'

The three addresses are those that `make run` prints. Written from docs/protocol.md and docs/auth-api.md.
"""

import hashlib
import json
import os
import re
import socket
import struct
import sys
import time
import uuid
from urllib.request import Request, urlopen

API, TCP, OUTBOX = sys.argv[1].rstrip("/") + "/v1/auth", sys.argv[2].split(":"), sys.argv[3]


def post(path, **body):
    headers = {"Content-Type": "application/json"}
    return json.load(urlopen(Request(API + path, json.dumps(body).encode(), headers), timeout=30))


def solve(challenge):
    asked = challenge["parameters"]
    nonce, salt, prefix = (bytes.fromhex(asked[name]) for name in ("nonce", "salt", "keyPrefix"))
    for counter in range(1000):
        word = nonce + struct.pack(">I", counter)
        key = hashlib.pbkdf2_hmac("sha256", word, salt, asked["cost"], asked["keyLength"])
        if key.startswith(prefix):
            return {"challenge": challenge, "solution": {"counter": counter, "derivedKey": key.hex()}}
    raise SystemExit("no counter fits")


def chat_token(name):  # registers, logs in, and asks for a token that the chat takes
    email, password = f"{name}@example.org", os.urandom(12).hex()
    captcha = solve(post("/challenges", action="register")["params"])
    time.sleep(1.6)  # a form that is filled faster is taken for a robot's
    flow = post("/registrations", email=email, password=password, captcha=captcha)
    texts = [mail["text"] for mail in json.load(urlopen(OUTBOX, timeout=30)) if mail["to"] == email]
    secret, code = flow["flow_secret"], re.search(r"\b\d{6}\b", texts[-1]).group()
    ticket = post(f"/registrations/{flow['flow_id']}/verify", flow_secret=secret, code=code)["registration_ticket"]
    post(f"/registrations/{flow['flow_id']}/complete", ticket=ticket, username=name)
    tokens = post("/login", identifier=name, password=password)["tokens"]
    again = {"refresh_token": tokens["refresh_token"], "device_hint": tokens["device"]}
    return post("/token/refresh", audience="chat", **again)["access_token"]


class Chat:
    def __init__(self, token):
        self.socket = socket.create_connection(TCP, timeout=30)
        self.stream, self.last_id, self.heard = self.socket.makefile("rb"), 0, []
        self.ask("connect", v=1, token=token)

    def write(self, kind, payload):
        self.socket.sendall(struct.pack(">BI", kind, len(payload)) + payload)

    def say(self, op, **fields):
        self.write(1, json.dumps({"op": op, **fields}, ensure_ascii=False).encode())

    def read(self):  # the next frame; a piece of a file comes as {"op": "chunk", …}
        kind, length = struct.unpack(">BI", self.stream.read(5))
        payload = self.stream.read(length)
        frame = json.loads(payload) if kind == 1 else {"op": "chunk", "data": payload[24:]}
        if frame["op"] == "ping":
            self.say("pong")
        return frame

    def ask(self, op, **fields):
        self.last_id += 1
        self.say(op, id=self.last_id, **fields)
        while (frame := self.read()).get("id") != self.last_id:
            self.heard.append(frame)
        assert frame["op"] == "ok", frame
        return frame

    def change(self, op, **fields):
        return self.ask(op, cmid=str(uuid.uuid4()), **fields)

    def hear(self, op):
        while not (found := [frame for frame in self.heard if frame["op"] == op]):
            self.heard.append(self.read())
        self.heard.remove(found[0])
        return found[0]

    def upload(self, room, name, data):
        sha256 = hashlib.sha256(data).hexdigest()
        begun = self.change("upload", room=room, name=name, size=len(data), sha256=sha256, type="application/x-demo")
        upload, step, sent, acked = begun["upload"], begun["chunk_bytes"], begun["offset"], begun["offset"]
        while acked < len(data):
            while sent < len(data) and sent - acked <= (begun["window"] - 1) * step:
                self.write(2, bytes.fromhex(upload) + struct.pack(">Q", sent) + data[sent : sent + step])
                sent = min(sent + step, len(data))
            acked = self.hear("chunk_ack")["offset"]
        return self.change("upload_finish", upload=upload)["file"]["id"]

    def download(self, file):
        begun, data = self.ask("download", file=file), b""
        while len(data) < begun["file"]["size"]:
            data += self.hear("chunk")["data"]
            self.say("chunk_ack", transfer=begun["transfer"], offset=len(data))
        assert hashlib.sha256(data).hexdigest() == begun["file"]["sha256"]
        return data


ana, bea = (Chat(chat_token(f"{who}-{os.urandom(4).hex()}")) for who in ("ana", "bea"))
room = ana.change("create_room", kind="public", title="plaza")["room"]["id"]
bea.change("join", room=room)
ana.change("send", room=room, text="¡Hola, Bea!")
print(bea.hear("message")["text"])
content = os.urandom(5 * 1024 * 1024)
ana.change("send", room=room, text="", files=[ana.upload(room, "photo.raw", content)])
fetched = bea.download(bea.hear("message")["files"][0]["id"])
assert fetched == content
print("5 MiB, SHA-256", hashlib.sha256(fetched).hexdigest())
