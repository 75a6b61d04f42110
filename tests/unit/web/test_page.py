"""The web client as files: sentences for every code, nothing that the policy forbids, colours that can be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from auth_service.core import answers, problems
from auth_service.core.events import Kind
from garita_common.core import errors

WEB = Path(__file__).resolve().parents[3] / "web"
SCRIPTS = sorted(WEB.rglob("*.js"))
WORDS = [path.read_text() for path in SCRIPTS if path.parent.name == "words" and path.stem != "catalogue"]
# Names that are put together at run time, by their beginning.
FAMILIES = (
    "account.",
    "error.",
    "close.",
    "weak.",
    "role.",
    "member.",
    "audit.",
    "report.",
    "put_out.",
    "typing.",
    "kick.",
    "ban.",
    "status.",
    "room.public",
    "room.private",
    "join.",
    "open.",
    "contact.",
    "device.grade_",
    "event.",
    "factor.",
    "pending.recovery_",
    "stepup.send_",
    "recover.goal_",
    "recover.show_",
    "recover.sent_",
    "recover.over_",
)
MOST_LINES = 400


def names(language: str) -> set[str]:
    """The names of all sentences."""
    parts = [re.split(rf"(?m)^  {language}: {{$", text)[1].split("\n  },")[0] for text in WORDS]
    return {name for part in parts for name in re.findall(r'^    "?([a-z][\w.]*)"?: ', part, re.M)}


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_code_of_the_protocol_has_a_sentence(language: str) -> None:
    """docs/protocol.md §4, §5."""
    page = (WEB.parent / "docs" / "protocol.md").read_text()
    table = page.split("## 4. Error codes")[1].split("## 5.")[0]
    codes = set(re.findall(r"^\| `(\w+)` \|", table, re.M))

    assert codes
    assert {f"error.{code}" for code in codes} <= names(language)
    assert {f"close.{int(code)}" for code in errors.CloseCode if not code.reconnect} <= names(language)


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_code_of_the_accounts_has_a_sentence(language: str) -> None:
    """docs/auth-api.md §2, and the reasons of a weak password."""
    page = (WEB.parent / "docs" / "auth-api.md").read_text()
    table = page.split("## 2. Errors")[1].split("## 3.")[0]
    codes = set(re.findall(r"^\| `(\w+)` \| \d", table, re.M))
    reasons = set(
        re.findall(r"`(\w+)`", next(line for line in table.splitlines() if "`reasons`" in line).split("`reasons`:")[1])
    )

    assert len(codes) > 15
    assert {f"account.{code}" for code in codes} <= names(language)
    assert {f"weak.{reason}" for reason in reasons} <= names(language)


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_event_and_factor_of_an_account_has_a_sentence(language: str) -> None:
    """What the service can tell an owner, and what can be pending."""
    assert {f"event.{kind.value}" for kind in Kind} <= names(language)
    assert {"account.frozen", "account.guarded", "account.deleting"} <= names(language)
    assert {f"factor.{factor}" for factor in get_args(answers.PendingFactor)} <= names(language)
    assert {f"device.grade_{grade}" for grade in get_args(answers.Grade)} <= names(language)


def test_every_sentence_that_is_used_is_there_and_none_is_idle() -> None:
    """By the names that stand in the scripts."""
    text = "\n".join(path.read_text() for path in SCRIPTS if path.parent.name != "words")
    used = set(re.findall(r'"([a-z]+(?:\.[a-z0-9_]+)*)"', text))
    known = names("en")

    dotted = {name for name in used if "." in name and name.split(".")[0] in {one.split(".")[0] for one in known}}
    assert dotted - known == {"garita.v1"} & dotted
    assert {name for name in known - used if not name.startswith(FAMILIES)} == set()


def test_every_module_is_fetched_ahead() -> None:
    """The page names all its modules, so that they come side by side and not one after another's discovery."""
    named = re.findall(r'<link rel="modulepreload" href="([^"]+)">', (WEB / "index.html").read_text())
    begun_otherwise = {"start.js", "undo.js", "net/proof-worker.js"}

    assert named == [name for path in SCRIPTS if (name := path.relative_to(WEB).as_posix()) not in begun_otherwise]


def test_scripts_make_no_markup_of_text() -> None:
    """What Trusted Types would stop in a browser is not even written down."""
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(.?style|\.cssText|srcdoc"
    )

    assert [str(path) for path in SCRIPTS if forbidden.search(path.read_text())] == []


def test_the_page_needs_nobody_else() -> None:
    """No address of another host in markup, styles or scripts, and nothing inline."""
    pages = [path.read_text() for path in WEB.glob("*.html")]
    outside = re.compile(r"""(?:src|href|url|import|from)\s*[=(]?\s*["'(]\s*(?:https?:)?//""")

    assert [page for page in pages if re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)] == []
    everything = [path for path in WEB.rglob("*") if path.suffix in {".html", ".css", ".js"}]
    assert [str(path) for path in everything if outside.search(path.read_text())] == []
    assert [str(path) for path in WEB.rglob("*.css") if "@import" in path.read_text()] == []


def test_every_file_says_what_it_is_for_and_stays_short() -> None:
    """A first comment in each script; none over the size that asks for a split."""
    assert [str(path) for path in SCRIPTS if not path.read_text().startswith("/**")] == []
    assert [str(path) for path in SCRIPTS if len(path.read_text().splitlines()) > MOST_LINES] == []


def test_core_is_pure() -> None:
    """`core/` touches no page, socket, clock or chance."""
    impure = re.compile(
        r"\b(document|window|fetch|WebSocket|localStorage|setTimeout|Date\.now|performance|Math\.random|crypto|navigator)\b\s*[.(]"
    )

    assert [
        str(path) for path in (WEB / "core").glob("*.js") if impure.search(_without_comments(path.read_text()))
    ] == []
    outward = re.compile(r'from "\.\./')
    assert [str(path) for path in (WEB / "core").glob("*.js") if outward.search(path.read_text())] == []


PAIRS = [
    ("ink", "ground"), ("ink", "surface"), ("ink", "raised"), ("ink", "note-wash"), ("ink", "bad-wash"), ("ink", "accent-wash"),
    ("soft", "ground"), ("soft", "surface"), ("soft", "raised"), ("accent", "ground"), ("accent", "surface"),
    ("accent", "raised"), ("accent", "accent-wash"), ("accent-ink", "accent"), ("bad", "surface"), ("bad", "bad-wash"),
    ("bad", "raised"), ("good", "raised"), ("warm", "surface"),
]  # fmt: skip


@pytest.mark.parametrize(("front", "back"), PAIRS, ids=[f"{front} on {back}" for front, back in PAIRS])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(scheme: str, front: str, back: str) -> None:
    """WCAG 2.2 §1.4.3: a contrast of 4.5 for text, in both colour schemes."""
    colours = _colours(scheme)

    assert _contrast(colours[front], colours[back]) >= 4.5


@pytest.mark.parametrize("hue", range(8))
def test_letters_on_marks_can_be_read(hue: int) -> None:
    """White on each person's colour."""
    css = (WEB / "style" / "base.css").read_text()
    found = re.search(rf"\.hue-{hue} {{ background: (#\w{{6}})", css)

    assert found
    assert _contrast(found[1], "#ffffff") >= 4.5


def test_problems_are_known_to_the_page() -> None:
    """Every code that the auth service can say, documented or not."""
    codes = {kind.code for kind in vars(problems).values() if isinstance(kind, type) and hasattr(kind, "code")}

    assert "overloaded" in codes
    assert {f"account.{code}" for code in codes} <= names("en")


def _without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


def _colours(scheme: str) -> dict[str, str]:
    css = (WEB / "style" / "base.css").read_text()
    light, dark = css.split("prefers-color-scheme: dark")[:2]
    return dict(re.findall(r"--([\w-]+): (#\w{6});", light if scheme == "light" else dark.split("*, *::before")[0]))


def _contrast(one: str, other: str) -> float:
    """WCAG's relative luminances, compared."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
