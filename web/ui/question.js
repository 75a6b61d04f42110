/** The secret question: whether there is one, setting another, removing it; and honest words on what it can do. */

import { Card } from "./card.js";
import { h, newId } from "./dom.js";
import { FieldTrouble, field, fieldsOnly, form } from "./forms.js";
import { remove, removalTold } from "./removal.js";
import { currentLanguage, fullDate, t } from "./speech.js";

export function questionCard(own) {
  const card = new Card("question.title");
  let questions = [];
  const again = async (said) => {
    await own.refresh();
    await card.draw();
    card.tell(said);
  };
  const away = own.guard(async () => {
    const removal = await remove(own, { path: "/me/secret-question", title: "question.remove_title", lead: "question.remove_lead", only: "slow" });
    if (removal) await again(removalTold(removal));
  });
  const keep = (id) => own.guard(async () => (await own.keep(id)) && again("removal.kept"));
  const ask = () => {
    const id = newId("question");
    const choice = h("select", { id, name: "question" }, questions.map((one) => h("option", { value: one.id, say: () => one[currentLanguage()] })));
    const answer = field({ name: "answer", word: "question.answer", hint: "question.answer_hint", autocomplete: "off", maxlength: 128 });
    const work = async () => {
      if (!answer.input.value.trim()) throw new FieldTrouble(answer, "question.short");
      const done = await own.change("PUT", "/me/secret-question", { question_id: choice.value, answer: answer.input.value });
      if (done) await again(() => t("question.done", { date: fullDate(done.effective_ms) }));
    };
    const handle = (error) => {
      if (error.code !== "invalid_request") return fieldsOnly(error);
      answer.fail("question.short");
      return true;
    };
    card.hush();
    card.show(form({
      rows: [h("div", { class: "field" }, h("label", { for: id, say: "question.choose" }), choice), answer.row],
      submit: "question.save", work, handle,
      others: [h("button", { type: "button", class: "quiet", say: "cancel", on: { click: own.guard(() => card.draw()) } })],
    }).element);
    choice.focus();
  };
  card.draw = async () => {
    const [known, { question }] = await Promise.all([own.read("/secret-questions"), own.read("/me/secret-question")]);
    questions = known.questions;
    const going = own.removalOf({ factor: "question" });
    const text = question && questions.find((one) => one.id === question.question_id);
    const counts = question && question.effective_ms <= Date.now();
    card.show(
      h("p", { say: "question.lead" }),
      question
        ? h("div", {}, h("p", {}, h("strong", { say: () => text?.[currentLanguage()] ?? question.question_id })),
          h("p", { class: "hint", say: () => t(counts ? "question.counts" : "question.waits", { date: fullDate(counts ? question.added_ms : question.effective_ms) }) }))
        : h("p", { say: "question.none" }),
      going && going.cancel_until_ms > Date.now() && h("p", { class: "hint", say: () => t("question.old_one", { date: fullDate(going.effective_ms) }) }),
      h("div", { class: "actions" },
        h("button", { type: "button", class: "quiet", say: question ? "question.change" : "question.set", on: { click: ask } }),
        question && h("button", { type: "button", class: "quiet", say: "question.remove", on: { click: away } }),
        !question && going && going.cancel_until_ms > Date.now()
          && h("button", { type: "button", class: "quiet", say: "removal.keep", on: { click: keep(going.id) } })));
  };
  return card;
}
