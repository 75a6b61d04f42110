/** Every sentence of the page, by language. */

import accounts from "./accounts.js";
import captcha from "./captcha.js";
import factors from "./factors.js";
import messages from "./messages.js";
import own from "./own.js";
import page from "./page.js";
import reach from "./reach.js";
import recovery from "./recovery.js";
import rooms from "./rooms.js";

const PARTS = [page, accounts, captcha, factors, own, reach, recovery, rooms, messages];

export const en = Object.assign({}, ...PARTS.map((part) => part.en));
export const es = Object.assign({}, ...PARTS.map((part) => part.es));
