/*
 * Delivery: notifications on their way out
 *
 * Deliveries wait in one queue and are taken by the dialect's threads. A thread
 * stays with its delivery through every retry, as HAPI's do, so two endpoints
 * that do not answer hold up everyone else. A little random delay before each
 * send lets two threads overtake each other; the seed decides who.
 *
 * Every wait is bounded, and `stop` drops whatever has not been sent.
 */
import http from 'node:http';

const MAX_QUEUE = 50_000;
const MAX_REPLY = 64 * 1024;

/* A small seeded generator (xorshift32): the same seed, the same order. */
function generator(seed) {
  let x = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    x ^= x << 13; x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5; x >>>= 0;
    return x / 2 ** 32;
  };
}

/* Send one request; resolves to {status, headers, body} or rejects with the network's error. */
export function send({ method, url, headers, body }, timeout_ms, agent) {
  return new Promise((resolve, reject) => {
    const all = { ...headers };
    if (body !== '' || method !== 'DELETE') {
      all['Content-Length'] = Buffer.byteLength(body);
    }
    const req = http.request(url, { method, headers: all, agent }, (res) => {
      const parts = [];
      let size = 0;
      res.on('data', (part) => {
        size += part.length;
        if (size <= MAX_REPLY) {
          parts.push(part);
        }
      });
      res.on('error', reject);
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body: Buffer.concat(parts).toString() }));
    });
    const timer = setTimeout(() => req.destroy(new Error(`no answer in ${timeout_ms} ms`)), timeout_ms);
    req.on('close', () => clearTimeout(timer));
    req.on('error', reject);
    req.end(body);
  });
}

export class Delivery {
  constructor({ settings, journal, faults, isStale }) {
    this.settings = settings;
    this.journal = journal;
    this.faults = faults;
    this.isStale = isStale;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    this.sleepers = new Set();
    this.reset();
  }

  reset() {
    this.epoch = {}; /* work begun under an earlier epoch ends quietly */
    this.wakeAll();
    this.queue = [];
    this.late = null; /* a delivery held back to come after the next one */
    this.busy = 0;
    this.random = generator(this.settings.seed);
  }

  stop() {
    this.reset();
    this.agent.destroy();
  }

  get pending() {
    return this.queue.length + this.busy + (this.late ? 1 : 0);
  }

  wakeAll() {
    this.sleepers.forEach((wake) => wake());
  }

  sleep(ms) {
    if (ms <= 0) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.sleepers.add(wake);
    });
  }

  /* Queue one delivery {dialect, sub, change, tools}; faults may drop, repeat or hold it. */
  submit(job) {
    const { endpoint } = job.sub.channel;
    const action = this.faults.pick('notify', job.change.interaction, `${endpoint} ${job.change.type}/${job.change.id}`);
    if (action?.drop) {
      this.record(job, { method: '-', url: endpoint, headers: {}, body: '' }, 0).result = 'dropped by a fault';
      return;
    }
    if (action?.reorder && !this.late) {
      this.hold(job);
      return;
    }
    const copies = Math.min(action?.duplicate ?? 1, 100);
    for (let i = 0; i < copies; i++) {
      this.push({ ...job, delay: action?.delayMs ?? 0 });
    }
    this.releaseLate();
  }

  /* Keep a delivery until another has gone first, or for one second at most. */
  hold(job) {
    const { epoch } = this;
    this.late = job;
    this.sleep(1000).then(() => epoch === this.epoch && this.late === job && this.releaseLate());
  }

  releaseLate() {
    const job = this.late;
    this.late = null;
    if (job) {
      this.push({ ...job, delay: this.settings.jitter + 20 });
    }
  }

  push(job) {
    if (this.queue.length >= MAX_QUEUE) {
      throw new Error('delivery queue is full');
    }
    this.queue.push(job);
    this.wakeThreads(job.dialect.threads);
  }

  wakeThreads(threads) {
    while (this.busy < threads && this.queue.length) {
      this.busy++;
      this.run(this.queue.shift(), this.epoch, threads);
    }
  }

  async run(job, epoch, threads) {
    try {
      await this.sleep(job.delay + Math.floor(this.random() * this.settings.jitter));
      await this.deliver(job, epoch);
    } finally {
      if (epoch === this.epoch) {
        this.busy--;
        this.wakeThreads(threads);
      }
    }
  }

  async deliver(job, epoch) {
    const request = await job.dialect.request(job.sub, job.change, job.tools);
    const waits = [0, ...job.dialect.waits(job.sub)];
    for (let i = 0; i < waits.length; i++) {
      await this.sleep(waits[i] * this.settings.timeScale);
      if (epoch !== this.epoch) {
        return;
      }
      if (i > 0 && job.dialect.stale && this.isStale(job.change)) {
        this.record(job, request, i + 1).result = 'abandoned: a newer version exists';
        return;
      }
      if (await this.attempt(job, request, i + 1, waits.length)) {
        return;
      }
    }
  }

  record(job, { method, url, headers, body }, attempt) {
    return this.journal.add('notification', { method, url, headers, body, attempt,
      subscription: job.sub.id, interaction: job.change.interaction,
      focus: `${job.change.type}/${job.change.id}`, versionId: job.change.versionId, status: null, result: 'sending' });
  }

  /* One try; true when the delivery is over. */
  async attempt(job, request, n, most) {
    const record = this.record(job, request, n);
    try {
      const reply = await send(request, this.settings.notifyTimeout, this.agent);
      record.status = reply.status;
      record.reply = reply.body.slice(0, 2000);
      if (job.dialect.done(reply, request)) {
        record.result = 'delivered';
        return true;
      }
      record.result = 'refused';
    } catch (err) {
      record.result = `failed: ${err.message}`;
    }
    if (n === most) {
      record.result += '; given up';
    }
    return false;
  }
}
