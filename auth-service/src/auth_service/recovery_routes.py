"""The endpoints of recovery, as `routes.py` has the others."""

from dataclasses import dataclass

from .completing import Completing
from .core import answers, problems, recovery_requests, requests
from .core.questions import QUESTIONS
from .edge import BASE, Ask, Reply, Route
from .objecting import Objecting
from .recovering import Recovering
from .secret_question import SecretQuestion


@dataclass(frozen=True, slots=True)
class RecoveryHandlers:
    """What the endpoints do."""

    recovering: Recovering
    objecting: Objecting
    completing: Completing
    question: SecretQuestion

    async def start(self, ask: Ask) -> Reply:
        """POST /recoveries"""
        return Reply(202, await self.recovering.start(ask.body, ask.caller))

    async def send(self, ask: Ask) -> Reply:
        """POST /recoveries/{id}/send"""
        await self.recovering.send(ask.path["recovery_id"], ask.body, ask.caller)
        return Reply(202, answers.Accepted())

    async def options(self, ask: Ask) -> Reply:
        """POST /recoveries/{id}/options"""
        return Reply(200, await self.recovering.options(ask.path["recovery_id"], ask.body))

    async def evidence(self, ask: Ask) -> Reply:
        """POST /recoveries/{id}/evidence"""
        return Reply(202, await self.recovering.evidence(ask.path["recovery_id"], ask.body))

    async def phone_unavailable(self, ask: Ask) -> Reply:
        """POST /recoveries/{id}/phone-unavailable"""
        await self.recovering.phone_unavailable(ask.path["recovery_id"], ask.body)
        return Reply(202, answers.Accepted())

    async def shown(self, ask: Ask) -> Reply:
        """GET /recoveries/{id}"""
        return Reply(200, await self.recovering.shown(ask.path["recovery_id"], ask.flow_secret))

    async def veto(self, ask: Ask) -> Reply:
        """POST /recoveries/{id}/veto"""
        if ask.body.token is not None:
            await self.objecting.by_link(ask.path["recovery_id"], ask.body.token, ask.caller)
        else:
            await self.objecting.by_session(ask.path["recovery_id"], ask.present)
        return Reply(204)

    async def complete(self, ask: Ask) -> Reply:
        """POST /recoveries/{id}/complete"""
        await self.completing.complete(ask.path["recovery_id"], ask.body)
        return Reply(204)

    async def pending(self, ask: Ask) -> Reply:
        """GET /me/recoveries"""
        return Reply(200, await self.recovering.pending(ask.present))

    async def set_question(self, ask: Ask) -> Reply:
        """PUT /me/secret-question"""
        return Reply(202, await self.question.set(ask.present, ask.body))

    async def own_question(self, ask: Ask) -> Reply:
        """GET /me/secret-question"""
        return Reply(200, await self.question.shown(ask.present))

    async def remove_question(self, ask: Ask) -> Reply:
        """DELETE /me/secret-question"""
        return Reply(202, await self.question.remove(ask.present))

    async def questions(self, _: Ask) -> Reply:
        """GET /secret-questions"""
        return Reply(200, _QUESTIONS, cache_s=300)


_QUESTIONS = answers.SecretQuestions(
    questions=[answers.QuestionText(id=question, en=said["en"], es=said["es"]) for question, said in QUESTIONS.items()]
)


def table(do: RecoveryHandlers) -> tuple[Route, ...]:
    """All of them."""
    p = problems
    one = f"{BASE}/recoveries/{{recovery_id}}"
    return (
        Route("POST", f"{BASE}/recoveries", "recovery", "Begin to get an account back", do.start,
              {202: answers.RecoveryStarted}, recovery_requests.StartRecovery, refusals=(p.Banned, p.ProofRequired)),
        Route("POST", f"{one}/send", "recovery_send", "Have codes sent", do.send,
              {202: answers.Accepted}, recovery_requests.SendRecoveryCode, refusals=(p.FlowGone, p.ProofRequired)),
        Route("POST", f"{one}/options", "recovery_options", "Begin to show a passkey", do.options,
              {200: answers.PasskeyOptions}, recovery_requests.RecoverySecret, refusals=(p.FlowGone, p.Contradicted)),
        Route("POST", f"{one}/evidence", "recovery_evidence", "Show evidence", do.evidence,
              {202: answers.Accepted}, recovery_requests.ShowEvidence, refusals=(p.CodeInvalid, p.Contradicted, p.FlowGone)),
        Route("POST", f"{one}/phone-unavailable", "recovery_phone", "Say that the phone is no more", do.phone_unavailable,
              {202: answers.Accepted}, recovery_requests.RecoverySecret, refusals=(p.FlowGone,)),
        Route("GET", one, "recovery_state", "How a recovery stands", do.shown,
              {200: answers.RecoveryState}, flow_secret=True, refusals=(p.FlowGone,)),
        Route("POST", f"{one}/veto", "recovery_veto", "Object to a recovery", do.veto,
              {204: None}, recovery_requests.VetoRecovery, takes_token=True, spared=True, refusals=(p.NotHere, p.StepUpRequired, p.AccessRefused)),
        Route("POST", f"{one}/complete", "recovery_complete", "Set the new password, or turn second factors off", do.complete,
              {204: None}, recovery_requests.CompleteRecovery, refusals=(p.Contradicted, p.FlowGone, p.WeakPassword)),
        Route("GET", f"{BASE}/me/recoveries", "me_recoveries", "Recoveries of the account that wait", do.pending,
              {200: answers.Recoveries}, needs_token=True),
        Route("GET", f"{BASE}/secret-questions", "secret_questions", "The secret questions to choose from", do.questions,
              {200: answers.SecretQuestions}),
        Route("GET", f"{BASE}/me/secret-question", "secret_question_shown", "The secret question that is set", do.own_question,
              {200: answers.OwnQuestion}, needs_token=True),
        Route("DELETE", f"{BASE}/me/secret-question", "secret_question_delete", "Remove the secret question", do.remove_question,
              {202: answers.Removal}, needs_token=True, refusals=(p.StepUpRequired, p.Contradicted, p.NotHere)),
        Route("PUT", f"{BASE}/me/secret-question", "secret_question", "Set the secret question", do.set_question,
              {202: answers.Effective}, requests.SetQuestion, needs_token=True, refusals=(p.StepUpRequired, p.Contradicted)),
    )  # fmt: skip
