/*
 * Daemon: the real opiward as tests and the demonstration hold it
 *
 *   const d = await Daemon.start({ sim, settings: { sinks: { webhook_url: sim.webhookUrl() } } });
 *   await d.until((m) => m.evaluations_total >= 1);
 *   await d.stop();
 *
 * Every wait has a limit; only processes started here are ended, by their id.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const START_MS = 20_000;
const STOP_MS = 15_000;

export const OPIWARD = process.env.OPIWARD ?? join(root, 'build/opiward');

/* The rules of dose and doubt alone, for stories that are about one alert and its life. */
const DOSE = ['med-threshold', 'sedative-coprescribing', 'unreadable-dose', 'unknown-drug', 'stale-order', 'supply-mismatch'];
const every = readFileSync(join(root, 'conf/policies/cdc-2022.tsv'), 'utf8').split('\n').map((l) => l.split('\t')).filter((f) => f[1] === 'mode').map((f) => f[0]);
export const DOSE_RULES = Object.fromEntries(every.filter((name) => !DOSE.includes(name)).map((name) => [name, { mode: 'off' }]));

/* The few settings a test changes, as YAML; JSON strings are YAML strings. */
function yaml(settings, indent = '') {
  const value = (v) => (typeof v === 'object' ? `\n${yaml(v, `${indent}  `)}` : ` ${typeof v === 'string' ? JSON.stringify(v) : v}\n`);
  return Object.entries(settings).map(([k, v]) => `${indent}${k}:${value(v)}`).join('');
}

function merge(a, b = {}) {
  const out = structuredClone(a);
  for (const [section, keys] of Object.entries(b)) {
    out[section] = { ...out[section], ...keys };
  }
  return out;
}

export class Daemon {
  /* `command` puts words in front, such as strace with its options. */
  static async start({ sim, base, directory, settings, command = [], program = OPIWARD, env = {}, wait = true } = {}) {
    const d = new Daemon();
    d.ownsDirectory = !directory;
    d.directory = directory ?? mkdtempSync(join(tmpdir(), 'opiward-'));
    d.config = join(d.directory, 'opiward.yaml');
    writeFileSync(d.config, yaml(merge({
      listen: { port: 0 },
      operations: { port: 0 },
      fhir: { base_url: base ?? sim?.base ?? '', allow_private: true, check_interval: '1s', catch_up_interval: '2s', catch_up_overlap: '10s' },
      hooks: { allow_http: true },
      outbox: { first_retry: '50ms', retry_cap: '1s', breaker_pause: '500ms' },
      knowledge: { directory: join(root, 'conf/knowledge') },
      store: { directory: join(d.directory, 'state') },
      log: { format: 'json' },
    }, settings)));
    d.log = '';
    const words = [...command, program, 'serve', '--config', d.config];
    d.child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
    d.child.stderr.on('data', (part) => { d.log += part; });
    d.ended = new Promise((done) => d.child.once('exit', (code, signal) => { d.exit = { code, signal }; done(d.exit); }));
    if (wait) {
      await d.ready();
    }
    return d;
  }

  /* Log lines of one event name, as objects. */
  lines(event) {
    return this.log.split('\n').filter((l) => l.startsWith('{'))
      .flatMap((l) => { try { return [JSON.parse(l)]; } catch { return []; } })
      .filter((l) => !event || l.event === event);
  }

  async ready() {
    const until = Date.now() + START_MS;
    for (;;) {
      const [line] = this.lines('ready');
      if (line) {
        this.port = Number(line.port);
        this.operationsPort = Number(line.operations_port);
        this.origin = `http://127.0.0.1:${this.port}`;
        this.operations = `http://127.0.0.1:${this.operationsPort}`;
        return this;
      }
      if (this.exit) {
        throw new Error(`opiward ended with ${JSON.stringify(this.exit)}: ${this.log}`);
      }
      if (Date.now() > until) {
        throw new Error(`opiward not ready: ${this.log}`);
      }
      await new Promise((r) => setTimeout(r, 10));
    }
  }

  async metrics() {
    const text = await (await fetch(`${this.operations}/metrics`, { signal: AbortSignal.timeout(5000) })).text();
    const found = {};
    for (const [, name, value] of text.matchAll(/^opiward_(\w+) (-?[\d.]+)$/gm)) {
      found[name] = Number(value);
    }
    return found;
  }

  /* Wait until the metrics satisfy `test`. */
  async until(test, limitMs = 15_000) {
    const until = Date.now() + limitMs;
    for (;;) {
      const m = await this.metrics();
      if (test(m)) {
        return m;
      }
      if (Date.now() > until) {
        throw new Error(`not reached: ${test}\n${JSON.stringify(m)}\n${this.log.slice(-4000)}`);
      }
      await new Promise((r) => setTimeout(r, 20));
    }
  }

  /* The secret endpoint, as the Subscription on the simulator names it. */
  async endpoint(sim) {
    const found = (await sim.stored('Subscription')).filter((s) => s.channel?.endpoint?.includes('/notify/'));
    return found.at(-1)?.channel.endpoint;
  }

  kill(signal = 'SIGKILL') {
    if (!this.exit) {
      this.child.kill(signal);
    }
    return this.ended;
  }

  /* Ask it to stop; its exit status. */
  async stop() {
    if (!this.exit) {
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
      await this.ended;
      clearTimeout(timer);
    }
    this.remove();
    return this.exit.code;
  }

  remove() {
    if (this.ownsDirectory) {
      rmSync(this.directory, { recursive: true, force: true });
    }
  }

  configText() {
    return readFileSync(this.config, 'utf8');
  }
}
