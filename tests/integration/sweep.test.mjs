/*
 * Sweep: kill -9 wherever something becomes visible, and count what is lost or doubled
 *
 * A small story (an opioid in high dose, a benzodiazepine, the opioid is stopped) is told
 * once undisturbed; it gives the alerts to expect after each part and the number of
 * system calls. Then it is told again and again, each time with a SIGKILL at another
 * call or instant, some with a second one while the daemon recovers. The daemon is
 * started again and the story goes on where it was. At every death: what was answered is
 * in the store. In the end: the alerts of the undisturbed story, none missing, none twice.
 *
 * OPIWARD_SWEEP=full runs every point of every setting and 1000 double kills.
 */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Sim } from '../sim/client.mjs';
import { DOSE_RULES, Daemon } from './daemon.mjs';
import { counting, generator, killing, leftBehind, pointsOf, scratch, shuffled, signal } from './killing.mjs';

const FULL = process.env.OPIWARD_SWEEP === 'full';
const SEED = Number(process.env.OPIWARD_SEED ?? 20260302);
const UNTIL = Date.now() + (FULL ? 6 * 3_600_000 : 175_000);
const LANES = 2;
const PART_MS = 12_000; /* longest wait for one part of the story */
const PATIENT = 'k1';

/* Each way for an event in and an alert out. `share` of the quick run's points. */
const SETTINGS = [
  { name: 'notified', dialect: 'hapi', share: 210 },
  { name: 'hinted', dialect: 'hapi-nopayload', share: 70 },
  { name: 'answer lost', dialect: 'hapi', share: 100, faults: () => [
    { match: { method: 'POST', path: '^/fhir/?$' }, action: { storeThenHangup: true }, count: 1 },
    { match: { method: 'POST', path: '^/fhir/?$', nth: 3 }, action: { storeThenHangup: true }, count: 1 }] },
  { name: 'webhook', dialect: 'hapi', share: 60, sinks: true },
  { name: 'searched', dialect: 'none', share: 15, fhir: { subscribe: false } },
];
const RANDOM = FULL ? 1000 : 50;
const DOUBLE = FULL ? 1000 : 50;

const order = (sim, fields) => sim.order({ patient: PATIENT, ...fields });
const STORY = [
  (sim) => order(sim, { id: 'a', drug: 'oxycodone20', sig: { frequency: 4 } }),
  (sim) => order(sim, { id: 'b', drug: 'lorazepam1' }),
  (sim) => sim.stopOrder('a'),
];

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/* A port that stays ours for the lane: below the range that clients get theirs from. */
async function freePort(random) {
  for (let i = 0; i < 100; i++) {
    const port = 20_000 + random(10_000);
    const server = createServer();
    const got = await new Promise((r) => server.once('error', () => r(false)).listen(port, '127.0.0.1', () => r(true)));
    await new Promise((r) => server.close(r));
    if (got) {
      return port;
    }
  }
  throw new Error('no free port');
}

/* What others see of the patient's alerts, in a form to compare. */
async function seen(sim) {
  const line = (r) => `${r.resourceType} ${r.identifier[0].value} ${r.status} ${r.severity ?? r.priority} ${r.mitigation ? 'gone' : ''}`;
  const all = [...await sim.stored('DetectedIssue'), ...await sim.stored('Task')];
  return all.map(line).sort().join('\n');
}

class Lane {
  static async open(random) {
    const l = new Lane();
    l.directory = scratch('opiward-sweep-');
    const data = join(l.directory, 'data.json');
    writeFileSync(data, JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry: [
      { resource: { resourceType: 'Patient', id: PATIENT, birthDate: '1950-01-01' } }] }));
    l.sim = await Sim.start({ data, activationDelay: 2, timeScale: 0.1, jitter: 2, matchDelay: 1 });
    l.port = await freePort(random);
    l.parts = new Map(); /* setting -> what is seen after each part of the story */
    l.n = 0;
    return l;
  }

  async close() {
    await this.sim.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async begin(setting) {
    this.setting = setting;
    this.state = join(this.directory, `t${this.n++}`);
    mkdirSync(this.state);
    this.part = 0;
    this.told = false;
    await this.sim.settings({ dialect: setting.dialect });
    await this.sim.reset();
    if (setting.faults) {
      await this.sim.faults(setting.faults());
    }
  }

  start(command) {
    return Daemon.start({ sim: this.sim, directory: this.state, command, wait: false, settings: {
      listen: { port: this.port },
      fhir: { check_interval: '1s', catch_up_interval: '1s', catch_up_overlap: '2s', timeout: '3s', ...this.setting.fhir },
      sinks: this.setting.sinks ? { webhook_url: this.sim.webhookUrl() } : {},
      outbox: { first_retry: '10ms', retry_cap: '100ms', breaker_pause: '50ms' },
      log: { level: 'info' },
      rules: DOSE_RULES,
    } });
  }

  /* Wait until `test` holds: true; false when the daemon died, throws when it takes too long. */
  async waitFor(d, what, test) {
    const until = Date.now() + PART_MS;
    while (!await test()) {
      if (d.exit) {
        return false;
      }
      if (Date.now() > until) {
        throw new Error(`${what} did not come\n${await seen(this.sim)}\n${d.log.slice(-3000)}`);
      }
      await sleep(5);
    }
    return true;
  }

  async subscribed() {
    return this.setting.fhir?.subscribe === false
      || (await this.sim.stored('Subscription')).some((s) => s.status !== 'requested');
  }

  /* Nothing waits in the store, and nothing is on its way. */
  async quiet() {
    const open = leftBehind(join(this.state, 'state'), (db) => db.prepare(
      'SELECT (SELECT count(*) FROM event WHERE state = 0) + (SELECT count(*) FROM delivery WHERE state = 0) AS n').get().n);
    return open === 0 && (await this.sim.control('POST', 'idle?timeoutMs=0&quietMs=15')).idle;
  }

  /* Tell the story from where it is; true at its end, false when the daemon died. */
  async live(d, learn) {
    if (!await this.waitFor(d, 'the subscription', () => this.subscribed())) {
      return false;
    }
    while (this.part < STORY.length) {
      if (!this.told) {
        await STORY[this.part](this.sim);
        this.told = true;
      }
      const wanted = this.parts.get(this.setting)?.[this.part];
      const reached = learn ? async () => await sleep(200) === undefined && await seen(this.sim) !== (learn.at(-1) ?? '') && await this.quiet()
        : async () => await seen(this.sim) === wanted;
      if (!await this.waitFor(d, `part ${this.part}`, reached)) {
        return false;
      }
      learn?.push(await seen(this.sim));
      this.part++;
      this.told = false;
    }
    return this.waitFor(d, 'quiet', () => this.quiet());
  }

  /* SIGTERM to the daemon itself, not to strace in front of it. */
  async end(d) {
    signal(d, 'SIGTERM');
    const timer = setTimeout(() => signal(d, 'SIGKILL'), 8000);
    const exit = await d.ended;
    clearTimeout(timer);
    return exit;
  }

  /* The undisturbed story: what is seen, and then, at full pace, the calls it takes. */
  async learn(setting) {
    const parts = [];
    const file = join(this.directory, 'calls');
    for (const learn of [parts, undefined]) {
      await this.begin(setting);
      const d = await this.start(learn ? [] : counting(file));
      assert.ok(await this.live(d, learn), d.log);
      assert.deepEqual(await this.end(d), { code: 0, signal: null }, d.log);
      this.parts.set(setting, parts);
    }
    assert.equal(new Set(parts).size, STORY.length, 'each part changes something');
    return pointsOf(file);
  }

  /* One life that is to end early. `kill` is a point or {after: ms}. */
  async doomed(kill) {
    const d = await this.start(kill.call ? killing(kill) : []);
    const timer = kill.call ? undefined : setTimeout(() => d.kill(), kill.after);
    try {
      if (await this.live(d) && kill.call) {
        await this.end(d); /* the calls of the shutdown are swept too */
      }
      if (!kill.call) {
        await d.kill();
      }
    } finally {
      clearTimeout(timer);
      signal(d, 'SIGKILL');
      await d.ended;
    }
    return d.exit.signal === 'SIGKILL';
  }

  /* Answered implies stored; the watermark has passed nothing that is not stored. */
  async checkStored() {
    const answered = (await this.sim.notifications()).filter((r) => r.result === 'delivered' && r.method === 'PUT');
    const orders = await this.sim.stored('MedicationRequest');
    const known = leftBehind(join(this.state, 'state'), (db) => {
      if (!db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'event'").get()) {
        return null;
      }
      return { events: new Set(db.prepare('SELECT rid, version FROM event').all().map((e) => `${e.rid}/${e.version}`)),
        watermark: db.prepare("SELECT value FROM setting WHERE key LIKE 'watermark:%'").get()?.value };
    });
    for (const r of answered) {
      const key = `${r.focus.split('/')[1]}/${r.versionId}`;
      assert.ok(known?.events.has(key), `${r.focus} version ${r.versionId} was answered and is not stored`);
    }
    for (const { id, meta } of orders) {
      if (known?.watermark && Date.parse(meta.lastUpdated) < Date.parse(known.watermark)) {
        assert.ok(known.events.has(`${id}/${meta.versionId}`), `the watermark has passed ${id} version ${meta.versionId}`);
      }
    }
  }

  async checkEnd(d) {
    assert.equal(await seen(this.sim), this.parts.get(this.setting).at(-1));
    for (const type of ['DetectedIssue', 'Task']) {
      assert.deepEqual(await this.sim.duplicates(type), [], 'duplicates');
    }
    assert.ok((await this.sim.stored('Subscription')).length <= 1, 'one Subscription');
    const left = leftBehind(join(this.state, 'state'), (db) => db.prepare(
      'SELECT (SELECT count(*) FROM event WHERE state = 2) AS parked, (SELECT count(*) FROM delivery WHERE state = 2) AS dead').get());
    assert.deepEqual({ ...left }, { parked: 0, dead: 0 }, d.log);
    if (this.setting.sinks) {
      const cards = new Map((await this.sim.cards()).map((c) => [c.headers['idempotency-key'], c.body]));
      assert.equal(cards.size, STORY.length, 'one card a part, however often it was sent');
      assert.ok([...cards.values()].at(-1).alerts.every((a) => a.state === 'resolved'));
    }
  }

  /* One point: die, perhaps die again while recovering, then live to the end. */
  async run({ setting, kills }) {
    await this.begin(setting);
    let died = 0;
    for (const kill of kills) {
      died += await this.doomed(kill) ? 1 : 0;
      await this.checkStored();
    }
    const d = await this.start([]);
    try {
      await d.ready();
      assert.ok(await this.live(d), `died by itself ${JSON.stringify(d.exit)} ${d.log}`);
      await this.checkEnd(d);
      assert.deepEqual(await this.end(d), { code: 0, signal: null }, d.log);
    } finally {
      await d.kill();
    }
    rmSync(this.state, { recursive: true, force: true });
    return died;
  }
}

let lanes;
const random = generator(SEED);
const points = new Map(); /* setting -> points of its undisturbed story */

before(async () => {
  lanes = await Promise.all(Array.from({ length: LANES }, () => Lane.open(random)));
});

after(() => Promise.all(lanes?.map((l) => l.close()) ?? []));

/* All trials over the lanes; what failed, with its point. */
async function campaign(name, trials) {
  const queue = [...trials];
  const failed = [];
  let run = 0;
  let deaths = 0;
  await Promise.all(lanes.map(async (lane) => {
    for (let t = queue.shift(); t && failed.length < 10 && Date.now() < UNTIL; t = queue.shift()) {
      try {
        const died = await lane.run(t);
        deaths += died;
      } catch (err) {
        failed.push(`${t.setting.name} ${JSON.stringify(t.kills)}: ${err.message}`);
      }
      run++;
    }
  }));
  const doubled = failed.filter((f) => /duplicates|one card|one Subscription/.test(f)).length;
  console.log(`${name}: ${run} of ${trials.length} points run, ${deaths} deaths, ${failed.length - doubled} lost, ${doubled} doubled (seed ${SEED})`);
  return { run, failed };
}

function settled({ run, failed }, least) {
  assert.deepEqual(failed, []);
  assert.ok(run >= least, `${run} points in the time there is, at least ${least} expected`);
}

test('the undisturbed story', async () => {
  for (const setting of SETTINGS) {
    const [found] = await Promise.all(lanes.map((lane) => lane.learn(setting)));
    points.set(setting, found);
    assert.deepEqual(lanes[0].parts.get(setting), lanes[1].parts.get(setting), 'the same alerts under the same names');
  }
  const counts = SETTINGS.map((s) => `${s.name} ${points.get(s).length}`).join(', ');
  console.log(`calls to die at: ${counts}`);
});

test('killed at any instant', async () => {
  const trials = Array.from({ length: RANDOM }, (_, i) => ({ setting: SETTINGS[i % 4], kills: [{ after: random(400) }] }));
  settled(await campaign('killed at an instant', trials), trials.length);
});

test('killed again while recovering', async () => {
  const trials = Array.from({ length: DOUBLE }, (_, i) => {
    const setting = SETTINGS[i % 4];
    const all = points.get(setting);
    const second = i % 3 === 0 ? { after: random(150) } : { ...all[random(all.length)] };
    if (second.n) { /* recovery makes fewer calls than the whole story */
      second.n = 1 + random(Math.max(1, second.n >> 1));
    }
    return { setting, kills: [all[random(all.length)], second] };
  });
  settled(await campaign('killed twice', trials), trials.length);
});

test('killed at each call that changes something: nothing lost, nothing twice', async () => {
  const trials = SETTINGS.flatMap((setting) => {
    const all = points.get(setting);
    return (FULL ? all : shuffled(all, random).slice(0, setting.share)).map((kill) => ({ setting, kills: [kill] }));
  });
  settled(await campaign('killed at a call', FULL ? trials : shuffled(trials, random)), FULL ? trials.length : 250);
});
