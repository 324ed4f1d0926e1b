/*
 * Faults: misbehaviour on command
 *
 * A rule says which requests (or outgoing notifications) it is for, what goes
 * wrong, and how often:
 *   {"match": {"on": "request", "method": "POST", "path": "^/fhir/?$", "nth": 2},
 *    "action": {"status": 503, "retryAfter": 1}, "count": 3}
 * `nth` spares the first nth-1 matches; `count` (default 1, 0 for always) is how
 * many are hit after that. The first rule that applies wins.
 */
const REQUEST_ACTIONS = {
  status: 'number', retryAfter: 'any', slowMs: 'number', cut: 'number', hangupBefore: 'boolean',
  storeThenHangup: 'boolean', garbage: 'boolean', endless: 'boolean', cachedSearch: 'number',
  commitDelayMs: 'number', ignoreIfNoneExist: 'boolean', nextLink: 'string', chunked: 'boolean',
};
const NOTIFY_ACTIONS = { duplicate: 'number', drop: 'boolean', reorder: 'boolean', delayMs: 'number' };
const MAX_RULES = 1000;

function fail(i, what) {
  throw new Error(`rule ${i}: ${what}`);
}

function checkAction(action, i) {
  const names = Object.keys(action ?? {});
  if (names.length === 0) {
    fail(i, 'has no action');
  }
  for (const name of names) {
    const type = REQUEST_ACTIONS[name] ?? NOTIFY_ACTIONS[name] ?? fail(i, `unknown action "${name}"`);
    if (type !== 'any' && typeof action[name] !== type) {
      fail(i, `action "${name}" takes a ${type}`);
    }
  }
  const on = names.some((n) => n in NOTIFY_ACTIONS) ? 'notify' : 'request';
  if (on === 'notify' && names.some((n) => n in REQUEST_ACTIONS)) {
    fail(i, 'mixes actions on requests and on notifications');
  }
  return on;
}

function build(given, i) {
  const { match = {}, action, count = 1, ...unknown } = given;
  for (const name of [...Object.keys(unknown), ...Object.keys(match).filter((k) => !['on', 'method', 'path', 'nth'].includes(k))]) {
    fail(i, `unknown member "${name}"`);
  }
  const on = checkAction(action, i);
  if (match.on !== undefined && match.on !== on) {
    fail(i, `this action happens on a ${on}, not on a ${match.on}`);
  }
  const nth = match.nth ?? 1;
  if (!Number.isInteger(nth) || nth < 1 || !Number.isInteger(count) || count < 0) {
    fail(i, 'nth is a whole number from 1, count from 0');
  }
  return { on, method: match.method, path: match.path && new RegExp(match.path), action,
    spare: nth - 1, left: count === 0 ? Infinity : count, hits: 0, given };
}

export class Faults {
  constructor() {
    this.rules = [];
  }

  clear() {
    this.rules = [];
  }

  /* Add rules; none is added when one of them is wrong. Throws Error. */
  add(given) {
    const rules = [given].flat().map(build);
    if (this.rules.length + rules.length > MAX_RULES) {
      throw new Error(`more than ${MAX_RULES} rules`);
    }
    this.rules.push(...rules);
  }

  list() {
    return this.rules.map(({ given, hits, left }) => ({ ...given, hits, left: left === Infinity ? null : left }));
  }

  /* The action for this request or notification, or null. Counts the match. */
  pick(on, method, url) {
    for (const rule of this.rules) {
      if (rule.on !== on || rule.left === 0 || (rule.method && rule.method !== method)
          || (rule.path && !rule.path.test(url))) {
        continue;
      }
      if (rule.spare > 0) {
        rule.spare--;
        continue;
      }
      rule.left--;
      rule.hits++;
      return rule.action;
    }
    return null;
  }
}
