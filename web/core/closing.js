/**
 * What the end of a connection means (docs/protocol.md §5).
 *
 * 44xx: come back, and after 4502, for a slow network may have held `connect` up. 45xx: do not, except after 4500 with a new token, once. A code that is not one of ours: come back.
 */

export const RETURN = "return";
export const RETURN_WITH_NEW_TOKEN = "return_with_new_token";
export const WAIT_TO_BE_SEEN = "wait_to_be_seen";
export const STAY_AWAY = "stay_away";

export const CODES = [
  4401, 4402, 4403, 4408, 4409, 4410, 4411, 4413, 4414, 4500, 4501, 4502, 4503, 4504, 4505, 4506, 4507, 4508,
];

/**
 * What to do after a close.
 *
 * `tokenWasNew`: the token of this connection was drawn because the last one was refused. A page that lost its place to a
 * newer one (4411) waits until somebody looks at it again, else eleven tabs would push each other out for ever.
 */
export function afterClose(code, tokenWasNew = false) {
  if (code === 4403) return RETURN_WITH_NEW_TOKEN;
  if (code === 4500) return tokenWasNew ? STAY_AWAY : RETURN_WITH_NEW_TOKEN;
  if (code === 4411) return WAIT_TO_BE_SEEN;
  if (code >= 4500 && code <= 4599 && code !== 4502) return STAY_AWAY;
  return RETURN;
}

/** The name of the sentence for a close, or null where "connecting again" says enough. */
export function closeWord(code) {
  const told = [4411, 4413, 4414, 4500, 4501, 4503, 4504, 4505, 4506, 4507, 4508];
  return told.includes(code) ? `close.${code}` : null;
}
