/** The recovery of an account, as requests (docs/auth-api.md §9). A flow is `{id, secret}`, and whatever else its keeper knows of it. */

export class Recovery {
  #accounts;

  constructor(accounts) {
    this.#accounts = accounts;
  }

  /** `link`: the letters of a warning's link, or null; `asked`: what the guard of the form adds. */
  start({ identifier, goal, link }, asked) {
    return this.#accounts.call("POST", "/recoveries", { body: { identifier, goal, ...(link ? { link } : {}), ...asked } });
  }

  /** `channel`: `email` or `sms`. To whom is the server's choice. */
  send(flow, channel, asked) {
    return this.#post(flow, "send", { channel, ...asked });
  }

  /** The server's options for a passkey as evidence. */
  options(flow) {
    return this.#post(flow, "options", {});
  }

  /** `piece`: `{kind, value}`, or `{kind, credential}`. Where a saved code was used, the answer has a new one in its place. */
  show(flow, piece) {
    return this.#post(flow, "evidence", piece);
  }

  /** That is all: weigh it. */
  done(flow) {
    return this.#post(flow, "evidence", { kind: "done" });
  }

  phoneUnavailable(flow) {
    return this.#post(flow, "phone-unavailable", {});
  }

  state(flow) {
    return this.#accounts.call("GET", `/recoveries/${flow.id}`, { headers: { "X-Flow-Secret": flow.secret } });
  }

  /** `password`: the new one, or null where only the second factors go. */
  complete(flow, password) {
    return this.#post(flow, "complete", password === null ? {} : { new_password: password });
  }

  /** The secret questions by id, each in every language. */
  async questions() {
    const { questions } = await this.#accounts.call("GET", "/secret-questions");
    return new Map(questions.map((question) => [question.id, question]));
  }

  #post(flow, what, body) {
    return this.#accounts.call("POST", `/recoveries/${flow.id}/${what}`, { body: { flow_secret: flow.secret, ...body } });
  }
}
