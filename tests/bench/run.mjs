/*
 * Figures: the daemon beside floors that do the same bare work, in turns in one run
 *
 *   run.mjs BUILD_DIR        (tests/bench/run builds it first)
 *
 * The one measured is pinned to CPU 0, what loads it to CPU 1. A ratio is the median of
 * the rounds' ratios; floor and product meet the same moments of the machine. `others` is
 * what the rest of the machine used meanwhile, in percent of the two CPUs: above ten, look
 * at the CPU figures rather than at the requests. The floors that are not programs of
 * their own are probes kept outside this repository, in $OW_SHARED/floors; without them
 * their figures have no ratio and are not judged.
 *
 * The exit status says whether everything could be measured, not whether it is fast.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Daemon } from '../integration/daemon.mjs';

const build = resolve(process.argv[2] ?? 'build-bench');
const shared = resolve(process.env.OW_SHARED ?? '../shared');
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 2);
const only = (process.env.BENCH_ONLY ?? '').split(/\s+/).filter(Boolean);
const wanted = (name) => only.length === 0 || only.includes(name);
const HZ = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const dir = mkdtempSync(join(tmpdir(), 'opiward-bench-'));
const pinned = ['taskset', '-c', '0'];
const CHANNEL = 'c0ffee00c0ffee00c0ffee00c0ffee00';
const channelFile = join(dir, 'channel');
const children = new Set();
const table = [];

/* --- figures --- */

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const round = (v, digits = 0) => (v === undefined ? '-' : v.toFixed(digits));

function figure(name, value, { aim = '', ratio, reached, goes } = {}) {
  const judged = reached === undefined ? (aim ? 'not judged' : '') : reached ? 'reached' : 'NOT reached';
  table.push([name, value, ratio === undefined ? '' : ratio.toFixed(2), aim, judged]);
  console.log(`${name}: ${value}${ratio === undefined ? '' : `, ratio ${ratio.toFixed(2)}`}${aim ? `, aim ${aim}: ${judged}` : ''}`);
  if (goes && reached === false) {
    console.log(`    where the time goes: ${goes}`);
  }
}

/* --- processes --- */

function stat(path) {
  const f = readFileSync(path, 'utf8').split(') ')[1].split(' ');
  return Number(f[11]) + Number(f[12]);
}

/* CPU ticks of a process, its children (nginx has one) and, apart, of its threads. */
function ticks(pid) {
  const kids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return [pid, ...kids].reduce((sum, p) => sum + stat(`/proc/${p}/stat`), 0);
}

const threads = (pid) => Object.fromEntries(readdirSync(`/proc/${pid}/task`).map((t) => [t, stat(`/proc/${pid}/task/${t}/stat`)]));

function busy() {
  const v = readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1, 9).map(Number);
  return v[0] + v[1] + v[2] + v[5] + v[6];
}

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

async function answers(port) {
  for (let i = 0; i < 100; i++) {
    try {
      await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(500) });
      return;
    } catch {
      await sleep(50);
    }
  }
  throw new Error(`nothing listens on port ${port}`);
}

function start(words, options = {}) {
  const child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'ignore'], ...options });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function stop(child) {
  if (!children.has(child)) {
    return;
  }
  const ended = new Promise((r) => child.once('exit', r));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await ended;
  clearTimeout(timer);
}

async function firstLine(child) {
  let text = '';
  for await (const part of child.stdout) {
    text += part;
    if (text.includes('\n')) {
      return text.split('\n')[0];
    }
  }
  throw new Error('a program ended without a word');
}

/* --- load --- */

const us = (text) => {
  const [, n, unit] = /([\d.]+)(us|ms|s|m)/.exec(text);
  return Number(n) * { us: 1, ms: 1e3, s: 1e6, m: 6e7 }[unit];
};

let serial = 0;

function run(words, env) {
  return new Promise((done, failed) => {
    const child = start(words, { env: { ...process.env, ...env } });
    let out = '';
    child.stdout.on('data', (part) => { out += part; });
    child.once('error', failed);
    child.once('close', () => done(out));
  });
}

/* One sample of wrk against the server `pid`; threads are of the server. */
async function load(pid, url, { conns = 32, script, env = {}, seconds = SECONDS }) {
  const before = { busy: busy(), server: ticks(pid), threads: threads(pid), at: Date.now(), own: process.cpuUsage() };
  const out = await run(['taskset', '-c', '1', 'wrk', '-t1', `-c${conns}`, `-d${seconds}s`, '--latency', '-s', script, url], { ...env, RUN: `${process.pid}-${++serial}` });
  const took = (Date.now() - before.at) / 1000;
  const n = Number(/(\d+) requests in/.exec(out)?.[1] ?? 0);
  const bad = /Non-2xx.*|Socket errors: .*/.exec(out)?.[0];
  if (n === 0 || (bad && !/connect 0, read 0, write 0/.test(bad))) {
    throw new Error(`${url}: ${bad ?? 'no answer'}\n${out}`);
  }
  const server = ticks(pid) - before.server;
  const after = threads(pid);
  return {
    n,
    rps: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]),
    p50: us(/^\s+50%\s+(\S+)/m.exec(out)[1]),
    p99: us(/^\s+99%\s+(\S+)/m.exec(out)[1]),
    cpu: server / HZ / n * 1e6,
    threads: Object.entries(after).map(([t, v]) => (v - (before.threads[t] ?? 0)) / HZ / n * 1e6).filter((v) => v > 0.2),
    others: Math.max(0, (busy() - before.busy - server) / HZ / took - 1) / 2 * 100, /* CPU 1 is the load's */
  };
}

const of = (samples, key) => median(samples.map((s) => s[key]));
const ratios = (a, b, key) => median(a.map((s, i) => s[key] / b[i][key]));
const say = (samples) => `${round(of(samples, 'rps'))}/s, p50 ${round(of(samples, 'p50'))} us, p99 ${round(of(samples, 'p99'))} us, cpu ${round(of(samples, 'cpu'), 1)} us each`;
const noise = (...lists) => `others ${round(Math.min(...lists.flat().map((s) => s.others)))} to ${round(Math.max(...lists.flat().map((s) => s.others)))} %`;

/* The sides take turns, each with one sample a round, after one to warm up. */
async function turns(sides) {
  const samples = sides.map(() => []);
  for (let r = -1; r < ROUNDS; r++) {
    for (const [i, side] of sides.entries()) {
      const s = await side(r < 0 ? 1 : SECONDS);
      if (r >= 0) {
        samples[i].push(s);
      }
    }
  }
  return samples;
}

/* --- floors --- */

async function freePort() {
  const { createServer } = await import('node:net');
  const s = createServer();
  await new Promise((r) => s.listen(0, '127.0.0.1', r));
  const { port } = s.address();
  await new Promise((r) => s.close(r));
  return port;
}

async function nginx() {
  const port = await freePort();
  const at = join(dir, 'nginx');
  mkdirSync(at);
  writeFileSync(join(at, 'conf'), `daemon off; worker_processes 1; pid ${at}/pid; error_log ${at}/err;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; client_body_buffer_size 64k; default_type application/json;
  client_body_temp_path ${at}/1; proxy_temp_path ${at}/2; fastcgi_temp_path ${at}/3; uwsgi_temp_path ${at}/4; scgi_temp_path ${at}/5;
  server { listen 127.0.0.1:${port} backlog=1024;
    location / { return 200 '{"status":"accepted","len":4446,"id":"0123456789abcdef","note":"0123456789abcdef0123456789abcdef"}'; } } }
`);
  const child = start([...pinned, 'nginx', '-e', join(at, 'err'), '-c', join(at, 'conf')]);
  await answers(port);
  return { child, pid: child.pid, url: `http://127.0.0.1:${port}/` };
}

/* The probe that stores each body in SQLite and answers after the commit; NULL without it. */
async function durableFloor() {
  const source = join(shared, 'floors/uvhttp.c');
  const ll = '/usr/share/llhttp';
  if (!existsSync(source) || !existsSync(`${ll}/llhttp.c`)) {
    return null;
  }
  const program = join(dir, 'uvdurable');
  const built = spawnSync('gcc', ['-O2', '-w', '-DDURABLE', '-DLLHTTP_STRICT_MODE=1', '-I/usr/include/llhttp', '-I/usr/share/include/llhttp', '-o', program, source,
    ...readdirSync(ll).filter((f) => f.endsWith('.c')).map((f) => join(ll, f)), '-luv', '-lssl', '-lcrypto', '-lcjson', '-lsqlite3'], { encoding: 'utf8' });
  if (built.status !== 0) {
    console.log(`the floor does not build: ${built.stderr}`);
    return null;
  }
  return async () => {
    const port = await freePort();
    const db = join(dir, `floor-${port}.db`);
    const child = start([...pinned, program, String(port)], { env: { ...process.env, FLOOR_DB: db } });
    await answers(port);
    return { child, pid: child.pid, url: `http://127.0.0.1:${port}/`, done: async () => { await stop(child); for (const s of ['', '-wal', '-shm']) rmSync(db + s, { force: true }); } };
  };
}

/* --- the product --- */

function daemon(settings) {
  return Daemon.start({ program: join(build, 'opiward'), command: pinned, base: '', settings: {
    ...settings,
    listen: { per_peer_max: 1024 },
    fhir: { subscribe: false, catch_up_interval: '24h', first_load: 'new', channel_secret_file: channelFile, ...settings?.fhir },
  } });
}

/* --- the figures --- */

async function hooks(floor) {
  const d = await daemon();
  const url = `${d.origin}/cds-services/opiward-order-sign`;
  const script = join(dir, 'hook.lua');
  for (const [name, what] of [['quiet', 'nothing to say'], ['cards', 'a card']]) {
    const body = join(dir, `${name}.json`);
    const [f, p] = await turns([
      (seconds) => load(floor.pid, floor.url, { script, env: { BODY: body }, seconds }),
      (seconds) => load(d.child.pid, url, { script, env: { BODY: body }, seconds })]);
    const stages = execFileSync('taskset', ['-c', '0', join(build, 'tests/bench_hook'), body], { encoding: 'utf8' }).trim().replace(/^.*?: /, '');
    const ratio = ratios(p, f, 'rps');
    console.log(`\nfloor, nginx static POST of the same ${statSync(body).size} bytes: ${say(f)}; ${noise(f, p)}; ratio by cpu ${round(1 / ratios(p, f, 'cpu'), 2)}`);
    figure(`order-sign, 10 KB prefetch, ${what}, 32 connections`, say(p), { aim: '>= 0.40 of nginx', ratio, reached: ratio >= 0.4,
      goes: `in memory ${stages}; beyond the mean of that, HTTP, loop and kernel ${round(of(p, 'cpu') - Number(/mean ([\d.]+)/.exec(stages)[1]), 1)} us (nginx: ${round(of(f, 'cpu'), 1)} us in all)` });
    const rate = Math.floor(of(p, 'rps') / 2);
    const p99 = [];
    for (let r = 0; r < ROUNDS; r++) {
      p99.push(await latency(url, body, rate));
    }
    const best = Math.min(...p99.map((l) => l.p99));
    figure(`  p99 at half load (${rate}/s asked, ${round(median(p99.map((l) => l.rps)))}/s given)`, `${round(median(p99.map((l) => l.p99)) / 1000, 2)} ms (best round ${round(best / 1000, 2)}), p50 ${round(median(p99.map((l) => l.p50)) / 1000, 2)} ms`,
      { aim: '< 5 ms', reached: median(p99.map((l) => l.p99)) < 5000, goes: 'see the load of others above: the answer itself takes what "cpu" says' });
  }
  await d.stop();
}

/* A steady rate over 32 connections, every request timed. */
async function latency(url, body, rate) {
  const log = join(dir, 'h2load.log');
  rmSync(log, { force: true });
  await run(['taskset', '-c', '1', 'h2load', '--h1', '-t1', '-c32', `--rps=${Math.max(1, rate / 32)}`, '-D', String(SECONDS + 1), '-d', body, '-H', 'content-type: application/json', `--log-file=${log}`, url]);
  const rows = readFileSync(log, 'utf8').trim().split('\n').map((l) => l.split('\t').map(Number));
  const times = rows.filter(([, status]) => status === 200).map(([, , t]) => t).sort((a, b) => a - b);
  if (times.length < 100 || times.length < rows.length * 0.99) {
    throw new Error(`h2load: ${times.length} good answers of ${rows.length}`);
  }
  return { rps: times.length / (SECONDS + 1), p50: times[Math.floor(times.length / 2)], p99: times[Math.floor(times.length * 0.99)] };
}

/* What a clinician waits for: a fixed rate, a new patient and one just told in turn. */
async function steady() {
  const d = await daemon();
  const out = await run(['taskset', '-c', '1', 'node', 'tests/bench/steady.mjs', `${d.origin}/cds-services/opiward-order-sign`, '200', '15', join(dir, 'whole.json')]);
  const s = JSON.parse(out);
  if (s.bad > 0) {
    throw new Error(`${s.bad} calls were not answered`);
  }
  const ms = (t) => `p50 ${round(t.p50, 1)} ms, p95 ${round(t.p95, 1)} ms, p99 ${round(t.p99, 1)} ms`;
  console.log('');
  figure('order-sign at 200/s with full prefetch, a card each', ms(s.all), { aim: 'p99 < 20 ms', reached: s.all.p99 < 20, goes: 'see the two kinds of patient' });
  figure('  of these a patient seen first', ms(s.first));
  figure('  of these a patient told 5 ms before', ms(s.again));
  await d.stop();
}

async function notify() {
  const floor = await durableFloor();
  const ehr = start(['taskset', '-c', '1', join(build, 'tests/bench_ehr'), '0']);
  const port = await firstLine(ehr);
  const script = join(dir, 'notice.lua');
  if (!floor) {
    console.log(`\nno probe in ${shared}/floors: durable notifications have no floor here`);
  }
  for (const conns of [1, 32, 256]) {
    const product = (path) => async (seconds) => {
      const d = await daemon({ fhir: { base_url: `http://127.0.0.1:${port}/${path}`, requests_max: 16 }, sinks: { fhir: true } });
      const s = await load(d.child.pid, d.origin, { conns, script, env: { AT: `/notify/${CHANNEL}` }, seconds });
      const m = await d.metrics();
      s.evaluations = m.evaluations_total / seconds;
      s.stored = m.events_received_total;
      if (s.stored < s.n) {
        throw new Error(`${s.n} notifications answered, ${s.stored} stored`);
      }
      await d.kill('SIGKILL');
      d.remove();
      return s;
    };
    const sides = [product('fhir'), product('silent')];
    if (floor) {
      sides.unshift(async (seconds) => {
        const f = await floor();
        const s = await load(f.pid, f.url, { conns, script, env: { AT: '', MORE: '"hookInstance":"1",' }, seconds });
        await f.done();
        return s;
      });
    }
    const samples = await turns(sides);
    const [p, silent] = samples.slice(-2);
    const f = floor ? samples[0] : undefined;
    if (f) {
      console.log(`\nfloor, one insert per request, answered after the commit, ${conns} in flight: ${say(f)}; ${noise(f, p, silent)}`);
    }
    const judged = conns === 32;
    const both = (list) => (f ? ratios(list, f, 'rps') : undefined);
    const parts = (list) => list[0].threads.map((v) => round(v, 1)).join(', ');
    const goes = (list) => `cpu us per notification by thread, the loop first, then the store's writer: ${parts(list)}${f ? `; of the floor: ${parts(f)}` : ''}`;
    figure(`durable notifications with evaluation, ${conns} in flight`, `${say(p)}; ${round(of(p, 'evaluations'))} evaluations/s meanwhile`,
      { aim: judged ? '>= 0.60 of the durable floor' : '', ratio: both(p), reached: judged && f ? both(p) >= 0.6 : undefined, goes: 'the judgement shares the core with the intake: see below' });
    figure('  the same, the FHIR server silent: stored, not judged', say(silent), { ratio: both(silent) });
    console.log(`    ${goes(p)}; silent: ${parts(silent)}`);
  }
  await stop(ehr);
}

/* What others do only ever makes it slower: the least of all rounds counts. */
function evaluate() {
  const best = new Map();
  for (let r = 0; r < ROUNDS; r++) {
    const out = execFileSync('taskset', ['-c', '0', join(build, 'tests/bench_evaluate')], { encoding: 'utf8' });
    for (const [, n, time] of out.matchAll(/(\d+) orders:\s+([\d.]+) us/g)) {
      best.set(n, Math.min(best.get(n) ?? Infinity, Number(time)));
    }
  }
  console.log('');
  for (const [n, time] of best) {
    figure(`one patient judged, ${n} orders, no parsing`, `${time} us (cpu, best round)`, n === '50' ? { aim: '< 100 us', reached: time < 100, goes: 'reading doses and names, then the text of the cards; perf record on tests/bench_evaluate' } : {});
  }
}

/* Instructions of one more round: what the run costs beside its start. The same from run to run. */
function instructionsOf(program, ...args) {
  const count = (times) => {
    const out = spawnSync('valgrind', ['--tool=callgrind', `--callgrind-out-file=${join(dir, 'callgrind')}`, join(build, 'tests', program), ...args, String(times)], { encoding: 'utf8' });
    const found = /Collected : (\d+)/.exec(out.stderr);
    if (!found) {
      throw new Error(`callgrind counted nothing of ${program}: ${out.stderr.slice(-300)}`);
    }
    return { instructions: Number(found[1]), text: out.stdout };
  };
  const [one, three] = [count(1), count(3)];
  return { each: (three.instructions - one.instructions) / 2, text: one.text };
}

function instructions() {
  console.log('');
  const sig = instructionsOf('bench_sig');
  const sigs = Number(/^(\d+) sigs/.exec(sig.text)[1]);
  figure('instructions to read a sig (callgrind)', `${round(sig.each / sigs)}, of ${sigs} in the corpus`);
  for (const n of ['1', '10', '50']) {
    const { each } = instructionsOf('bench_evaluate', n);
    figure(`instructions to judge ${n} order${n === '1' ? '' : 's'} (callgrind)`, `${round(each)}, ${round(each / Number(n))} an order`);
  }
}

function sigs() {
  const out = execFileSync('taskset', ['-c', '0', join(build, 'tests/bench_sig')], { encoding: 'utf8' });
  const [, each, second] = /: ([\d.]+) us each, (\d+) a second/.exec(out);
  console.log('');
  figure('sigs read', `${second} a second, ${each} us each (cpu, best round)`);
}

function json() {
  const out = execFileSync('taskset', ['-c', '0', join(build, 'tests/bench_json')], { encoding: 'utf8' });
  console.log(`\n${out.trim()}`);
  const all = [...out.matchAll(/^json\S* .*ratio=([\d.]+)/gm)].map(([, r]) => Number(r));
  if (all.length === 0) {
    throw new Error('bench_json printed no ratio');
  }
  figure('JSON reader', 'least ratio of the inputs above', { aim: '>= 0.70 of plain cJSON', ratio: Math.min(...all), reached: Math.min(...all) >= 0.7, goes: 'the strict scan' });
}

async function idle() {
  const d = await daemon();
  await sleep(1500);
  const read = (file, key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${d.child.pid}/${file}`, 'utf8'))[1]) / 1024;
  const rss = read('status', 'VmRSS');
  console.log('');
  figure('idle memory', `${round(rss, 1)} MiB resident, of it ${round(read('status', 'RssAnon'), 1)} its own and ${round(read('status', 'RssFile'), 1)} programs and libraries; peak ${round(read('status', 'VmHWM'), 1)}`,
    { aim: '< 16 MB', reached: rss * 1.048576 < 16, goes: 'libraries shared with other programs; tables of conf/knowledge' });
  await d.stop();
}

function store() {
  const out = execFileSync('taskset', ['-c', '0', join(build, 'tests/bench_store'), dir, '1', String(ROUNDS)], { encoding: 'utf8' });
  console.log('');
  for (const part of out.split(/^(?=store\.)/m)) {
    const [, conns, value, ratio] = /receive\.c(\d+) (.*)[^]*as many as in flight\s+.*ratio ([\d.]+)/.exec(part);
    figure(`store alone, ${conns} in flight, beside bare inserts in batches of ${conns}`, value, { ratio: Number(ratio) });
  }
}

async function server(floor) {
  const port = await freePort();
  const child = start([...pinned, join(build, 'tests/bench_server'), String(port)]);
  await answers(port);
  const env = { BODY: join(dir, 'notice.json') };
  const script = join(dir, 'hook.lua');
  const [f, p] = await turns([
    (seconds) => load(floor.pid, floor.url, { script, env, seconds }),
    (seconds) => load(child.pid, `http://127.0.0.1:${port}/`, { script, env, seconds })]);
  console.log(`\nfloor, nginx static POST of 4.4 KB: ${say(f)}; ${noise(f, p)}`);
  figure('HTTP server alone, static answer', say(p), { ratio: ratios(p, f, 'rps') });
  await stop(child);
}

/* --- all of it --- */

let failed = 0;
async function attempt(name, fn) {
  if (!wanted(name)) {
    return;
  }
  try {
    await fn();
  } catch (err) {
    failed++;
    console.log(`${name}: could not be measured: ${err.message}`);
  }
}

console.log(`# ${new Date().toISOString()} ${execFileSync('nproc', { encoding: 'utf8' }).trim()} CPUs, ${/model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]}, load ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]}; ${ROUNDS} rounds of ${SECONDS} s`);
writeFileSync(channelFile, CHANNEL, { mode: 0o600 });
execFileSync('node', ['tests/bench/payload.mjs', dir]);
const floor = wanted('hooks') || wanted('server') ? await nginx() : null;
try {
  await attempt('hooks', () => hooks(floor));
  await attempt('steady', steady);
  await attempt('notify', notify);
  await attempt('evaluate', evaluate);
  await attempt('sigs', sigs);
  await attempt('instructions', instructions);
  await attempt('json', json);
  await attempt('idle', idle);
  await attempt('store', store);
  await attempt('server', () => server(floor));
} finally {
  for (const c of [...children]) {
    await stop(c);
  }
  rmSync(dir, { recursive: true, force: true });
}
console.log('\n| figure | value | ratio | aim | |\n|---|---|---|---|---|');
for (const row of table) {
  console.log(`| ${row.map((c) => String(c).trim()).join(' | ')} |`);
}
process.exit(failed ? 1 : 0);
