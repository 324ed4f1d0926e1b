/*
 * Steady: order-sign at a fixed rate with everything in the prefetch, a new patient every
 * second call and the patient of the call before on the others
 *
 *   steady.mjs URL RATE SECONDS      prints one line of JSON
 *
 * Calls start by the clock and not when the last one ended, so that a slow answer does not
 * hide behind a pause; the time of each counts from when it should have started.
 */
import http from 'node:http';
import { readFileSync } from 'node:fs';

const [url, rate, seconds, file] = process.argv.slice(2);
const model = readFileSync(file, 'utf8');
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const RATE = Number(rate);
const TOTAL = RATE * Number(seconds);
const run = process.pid.toString(36);
const times = { first: [], again: [] };
let bad = 0;
let n = 0;
let ended = 0;

function call(i, due) {
  const patient = `s${run}-${i >> 1}`;
  const body = model.replaceAll('@P@', patient).replace('@I@', `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`);
  const req = http.request(url, { method: 'POST', agent, headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } }, (res) => {
    res.resume();
    res.on('end', () => {
      if (res.statusCode === 200) {
        times[i & 1 ? 'again' : 'first'].push(performance.now() - due);
      } else {
        bad++;
      }
      done();
    });
  });
  req.on('error', () => { bad++; done(); });
  req.end(body);
}

const at = (list, p) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * p))];
const figures = (list) => ({ n: list.length, p50: at(list, 0.5), p95: at(list, 0.95), p99: at(list, 0.99), max: at(list, 1) });

function done() {
  if (++ended === TOTAL) {
    console.log(JSON.stringify({ bad, first: figures(times.first), again: figures(times.again), all: figures([...times.first, ...times.again]) }));
    process.exit(0);
  }
}

const start = performance.now() + 100;
const timer = setInterval(() => {
  while (n < TOTAL && performance.now() >= start + n * 1000 / RATE) {
    call(n, start + n * 1000 / RATE);
    n++;
  }
  if (n === TOTAL) {
    clearInterval(timer);
  }
}, 1);
