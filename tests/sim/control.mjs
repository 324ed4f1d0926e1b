/*
 * Control: the /sim interface by which tests direct the simulator
 *
 * Everything is JSON; a mistake in a request is answered 400 with {"error"}.
 * The routes are listed in README.md.
 */
import { send } from './delivery.mjs';
import { change } from './settings.mjs';

const MAX_IDLE_MS = 120_000;
const MAX_CARDS = 10_000;

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export class Control {
  constructor(sim) {
    this.sim = sim;
    this.cards = [];
  }

  reset() {
    this.cards = [];
  }

  /* Answer {method, path, params, headers, body}: returns {status, value}. */
  async handle(request) {
    const { method, path } = request;
    const route = `${method} ${path}`;
    if (path.startsWith('/sim/webhook')) {
      return this.webhook(request);
    }
    const handler = {
      'GET /sim/faults': () => ({ rules: this.sim.faults.list() }),
      'POST /sim/faults': () => this.addFaults(this.json(request)),
      'DELETE /sim/faults': () => this.sim.faults.clear(),
      'GET /sim/log': () => this.log(request.params),
      'DELETE /sim/log': () => this.sim.journal.clear(),
      'POST /sim/reset': () => this.sim.reset(),
      'GET /sim/settings': () => this.sim.settings,
      'POST /sim/settings': () => this.change(this.json(request)),
      'GET /sim/store': () => this.stored(request.params.get('type')),
      'POST /sim/notify': () => this.notify(this.json(request)),
      'POST /sim/idle': () => this.idle(request.params),
    }[route];
    if (!handler) {
      return { status: 404, value: { error: `no route ${route}` } };
    }
    try {
      return { status: 200, value: (await handler()) ?? {} };
    } catch (err) {
      return { status: 400, value: { error: err.message } };
    }
  }

  json({ body }) {
    return JSON.parse(body || '{}');
  }

  addFaults(rules) {
    this.sim.faults.add(rules);
    return { rules: this.sim.faults.list() };
  }

  change(wanted) {
    change(this.sim.settings, wanted);
    return this.sim.settings;
  }

  log(params) {
    const query = Object.fromEntries(params);
    return { last: this.sim.journal.last, records: this.sim.journal.select({ ...query, since: Number(query.since ?? 0) }) };
  }

  stored(type) {
    if (!type) {
      throw new Error('name a type: /sim/store?type=DetectedIssue');
    }
    return { resources: [...this.sim.store.ofType(type).values()] };
  }

  /* Send any request, well-formed or not, as if it were a notification. */
  async notify({ url, method = 'POST', headers = {}, body = '', count = 1 }) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const replies = [];
    for (let i = 0; i < Math.min(count, 1000); i++) {
      const record = this.sim.journal.add('notification', { method, url, headers, body: text, attempt: 1, status: null });
      try {
        const reply = await send({ method, url, headers, body: text }, this.sim.settings.notifyTimeout);
        Object.assign(record, { status: reply.status, result: 'sent' });
        replies.push(reply);
      } catch (err) {
        record.result = `failed: ${err.message}`;
        replies.push({ status: null, error: err.message });
      }
    }
    return { ...replies[0], replies };
  }

  /*
   * Wait until nothing is on its way and no request has come for `quietMs`.
   * {"idle": false} when that does not happen within `timeoutMs`.
   */
  async idle(params) {
    const timeout = Math.min(Number(params.get('timeoutMs') ?? 10_000), MAX_IDLE_MS);
    const quiet = Number(params.get('quietMs') ?? 0);
    const until = Date.now() + timeout;
    for (;;) {
      const { pending, journal } = this.sim;
      if (pending === 0 && Date.now() - journal.lastRequestAt >= quiet) {
        return { idle: true, pending };
      }
      if (Date.now() >= until) {
        return { idle: false, pending };
      }
      await sleep(5);
    }
  }

  /* A sink for cards: takes any JSON, keeps it, shows it. */
  webhook({ method, path, headers, body }) {
    if (method === 'GET') {
      return { status: 200, value: { received: this.cards } };
    }
    if (method === 'DELETE') {
      this.cards = [];
      return { status: 200, value: {} };
    }
    let value;
    try {
      value = JSON.parse(body);
    } catch (err) {
      return { status: 400, value: { error: `not JSON: ${err.message}` } };
    }
    this.cards.push({ at: new Date().toISOString(), method, path, headers, body: value });
    this.cards.splice(0, this.cards.length - MAX_CARDS);
    return { status: 200, value: {} };
  }
}
