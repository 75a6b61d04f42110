"""A-05: finding out who has an account."""

from tests.attack import people, raw
from tests.attack.conftest import Target


async def test_a_wrong_password_and_an_unknown_name_get_the_same_bytes(target: Target, no_traceback: None) -> None:
    """Status, body and telling headers alike, by name and by address."""
    person = await target.person()
    answers = []
    for identifier in (person.name, person.email, "nobody-here", "nobody@example.org"):
        async with people.Api(target.origin, raw.fresh_address()) as api:
            answers.append(await api.log_in({"identifier": identifier, "password": "wrong wrong wrong 1"}))

    assert {answer.status for answer in answers} == {401}
    assert len({answer.raw for answer in answers}) == 1
    assert len({tuple(sorted(set(answer.headers) - {"date"})) for answer in answers}) == 1


async def test_registering_a_known_address_looks_like_registering_a_new_one(target: Target) -> None:
    """202 with the same fields; the owner gets a message, the stranger no code."""
    person = await target.person()
    answers = []
    for email in (person.email, "entirely-new@example.org"):
        async with people.Api(target.origin, raw.fresh_address()) as api:
            answers.append(
                await api.post(
                    "registrations",
                    {"email": email, "password": people.PASSWORD, "captcha": await api.proof("register")},
                )
            )

    assert {answer.status for answer in answers} == {202}
    assert {frozenset(answer.body) for answer in answers} == {frozenset({"flow_id", "flow_secret", "expires_in"})}
    assert len({len(answer.raw) for answer in answers}) == 1
