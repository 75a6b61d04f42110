/** From an error to a sentence for people. */

import { AccountError } from "../net/accounts.js";
import { ProtocolError } from "../net/link.js";
import { fullDate, hasWord, t } from "./speech.js";

/** The sentence for an error of either API; an error that is neither is a fault of the page and is reported as such. */
export function sentence(error) {
  if (error instanceof AccountError) return account(error);
  if (error instanceof ProtocolError) return protocolSentence(error.code);
  reportError(error);
  return t("error.internal");
}

/** The sentence for a protocol code alone. */
export function protocolSentence(code) {
  return t(hasWord(`error.${code}`) ? `error.${code}` : "error.internal");
}

function account(error) {
  if (error.code === "conflict" && ["frozen", "guarded", "deleting"].includes(error.reason)) return t(`account.${error.reason}`, { date: fullDate(error.until) });
  const name = hasWord(`account.${error.code}`) ? `account.${error.code}` : "account.internal";
  const parts = [t(name)];
  if (error.code === "banned") parts.push(banned(error));
  if (error.code === "rate_limited" && error.retryAfter) parts.push(wait(error.retryAfter));
  return parts.filter(Boolean).join(" ");
}

/** Reason, end and appeal number of a ban. */
export function banned({ reason, until, appeal }) {
  const parts = [];
  if (reason) parts.push(t("ban.reason", { reason }));
  if (until) parts.push(t("ban.until", { date: fullDate(until) }));
  if (appeal) parts.push(t("ban.appeal", { appeal }));
  return parts.join(" ");
}

function wait(seconds) {
  if (seconds < 90) return t("wait.seconds", { count: Math.ceil(seconds) });
  return t("wait.minutes", { count: Math.ceil(seconds / 60) });
}
