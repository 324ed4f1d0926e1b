/*
 * Start: what keeps the real daemon from starting ends it in order, with the status that says why
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Daemon } from './daemon.mjs';

async function taken(use) {
  const holder = createServer();
  await new Promise((done) => holder.listen(0, '127.0.0.1', done));
  try {
    await use(holder.address().port);
  } finally {
    await new Promise((done) => holder.close(done));
  }
}

async function refused(settings, status, event, options = {}) {
  const d = await Daemon.start({ settings, wait: false, ...options });
  try {
    assert.deepEqual(await d.ended, { code: status, signal: null }, d.log);
    assert.equal(d.lines(event).length, 1, d.log);
    assert.equal(d.lines('ready').length, 0);
  } finally {
    d.remove();
  }
}

for (const listener of ['listen', 'operations']) {
  test(`a port of ${listener} that another process holds: 69 and one line of log`, () => taken((port) => refused({ [listener]: { port } }, 69, 'listen.failed')));
}

test('a second daemon on the same state: 75, and the first goes on', async () => {
  const first = await Daemon.start({});
  try {
    await refused({ store: { directory: `${first.directory}/state` } }, 75, 'store.failed');
    assert.equal((await fetch(`${first.operations}/-/ready`, { signal: AbortSignal.timeout(5000) })).status, 200);
  } finally {
    assert.equal(await first.stop(), 0, first.log);
  }
});
