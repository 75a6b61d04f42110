/**
 * The page behind the link of a warning: it asks what to do, and only then does it. Opening it changes nothing, so a mail scanner that
 * follows links does no harm. The link's secret stands after `#`, which no server and no log ever sees, and leaves the address at once.
 */

import { AccountError, Accounts } from "./net/accounts.js";

const TOKEN = /^[a-p]{64}$/;
const WORDS = {
  en: {
    title: "Was this you?",
    lead: "You were told of something that happened to your account. If it was you, close this page: nothing has changed by opening it.",
    cancel: "Undo it",
    cancelHint: "What was added goes, what is being removed stays, a new device is logged out, and a recovery is objected to.",
    notMe: "It was not me",
    notMeHint: "Undoes it too, and freezes the account for three days: sessions end, nothing can be changed, and only your own devices get in. Do this if somebody may know your password. Of a recovery it is an objection and nothing else.",
    recover: "Get my account back",
    recoverHint: "You cannot get in, or it was you who asked to get back in: begin or go on from here. What you waited already counts.",
    done: "Received. If the link was still good, it is done now.",
    broken: "This link is not whole. Copy all of it from the message.",
    rate_limited: "Too many tries from here. Please come back in an hour.",
    trouble: "The server could not be reached. Please try again.",
  },
  es: {
    title: "¿Has sido tú?",
    lead: "Se te ha avisado de algo que ha pasado en tu cuenta. Si has sido tú, cierra esta página: abrirla no ha cambiado nada.",
    cancel: "Deshacerlo",
    cancelHint: "Lo añadido se quita, lo que se estaba quitando se queda y un dispositivo nuevo se cierra y quien recupera la cuenta encuentra tu oposición.",
    notMe: "No he sido yo",
    notMeHint: "También lo deshace, y congela la cuenta tres días: se cierran las sesiones, no se puede cambiar nada y solo entran tus dispositivos de siempre. Hazlo si alguien puede saber tu contraseña. Si se trata de una recuperación, es solo una oposición.",
    recover: "Recuperar mi cuenta",
    recoverHint: "No puedes entrar, o has sido tú quien pidió volver a entrar: empieza o sigue desde aquí. Lo que ya esperaste cuenta.",
    done: "Recibido. Si el enlace aún valía, ya está hecho.",
    broken: "Este enlace no está entero. Cópialo completo del mensaje.",
    rate_limited: "Demasiados intentos desde aquí. Vuelve dentro de una hora.",
    trouble: "No se ha podido llegar al servidor. Inténtalo de nuevo.",
  },
};

const language = navigator.language.toLowerCase().startsWith("es") ? "es" : "en";
const words = WORDS[language];
const part = (id) => document.getElementById(id);

function say(id, sentence) {
  part(id).textContent = sentence;
}

function reveal(id, sentence, hint) {
  say(id, sentence);
  say(`${id}-hint`, hint);
  part(id).hidden = part(`${id}-hint`).hidden = false;
}

function offer(id, sentence, hint, act) {
  reveal(id, sentence, hint);
  part(id).addEventListener("click", act);
}

function allow(allowed) {
  for (const id of ["cancel", "not-me"]) part(id).disabled = !allowed;
}

async function send(token, action) {
  allow(false);
  say("trouble", "");
  try {
    await new Accounts().call("POST", "/undo", { body: { token, action } });
  } catch (error) {
    if (!(error instanceof AccountError)) throw error;
    say("trouble", words[error.code === "rate_limited" ? "rate_limited" : "trouble"]);
    allow(true);
    return;
  }
  for (const id of ["cancel", "not-me", "cancel-hint", "not-me-hint", "lead"]) part(id).hidden = true;
  say("result", words.done);
  part("result").focus();
}

const [token, ...does] = location.hash.slice(1).split("&");
history.replaceState(null, "", location.pathname);
document.documentElement.lang = language;
document.title = `${words.title} · Garita`;
say("title", words.title);
if (TOKEN.test(token)) {
  say("lead", words.lead);
  if (does.includes("cancel")) offer("cancel", words.cancel, words.cancelHint, () => send(token, "cancel"));
  offer("not-me", words.notMe, words.notMeHint, () => send(token, "not_me"));
  reveal("recover", words.recover, words.recoverHint);
  part("recover").href = `./#/recover/${token}`;
} else {
  say("trouble", words.broken);
}
