/*
 * Limits: the listener of the real daemon against bytes no client should send
 */
import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { after, before, test } from 'node:test';
import { Daemon } from './daemon.mjs';

let daemon;

before(async () => {
  daemon = await Daemon.start({ base: '', settings: { listen: {
    body_max: '64KiB', head_timeout: '400ms', idle_timeout: '1500ms', body_rate: 1000, connections_max: 40, per_peer_max: 30 } } });
});

after(async () => {
  const status = await daemon?.stop();
  assert.equal(status, 0, daemon?.log);
});

/* Send `parts` (strings, Buffers, or ms to wait); resolves to all that came until the peer closed or `limitMs`. */
function raw(parts, { limitMs = 3000, end = false } = {}) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(daemon.port, '127.0.0.1');
    const began = Date.now();
    let got = '';
    const done = (closed) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text: got, statuses: [...got.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((m) => Number(m[1])), closed, ms: Date.now() - began });
    };
    const timer = setTimeout(() => done(false), limitMs);
    socket.on('data', (d) => { got += d.toString('latin1'); });
    socket.on('end', () => done(true));
    socket.on('error', (err) => (err.code === 'ECONNRESET' || err.code === 'EPIPE' ? done(true) : reject(err)));
    (async () => {
      for (const part of parts) {
        if (typeof part === 'number') {
          await new Promise((r) => setTimeout(r, part));
        } else if (!socket.destroyed) {
          socket.write(part);
        }
      }
      if (end) {
        socket.end();
      }
    })();
  });
}

const GET = 'GET /cds-services HTTP/1.1\r\nHost: x\r\n\r\n';
const post = (head, body = '') => `POST /cds-services/opiward-patient-view HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${head}\r\n${body}`;

async function refused(status, ...parts) {
  const reply = await raw(parts);
  assert.deepEqual(reply.statuses, [status], `${JSON.stringify(parts.map((p) => String(p).slice(0, 60)))}: ${reply.text.slice(0, 200)}`);
  assert.ok(reply.closed, 'and the connection is closed');
}

/* Still well: a good client is answered at once. */
async function well() {
  const began = Date.now();
  const reply = await raw([GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')]);
  assert.deepEqual(reply.statuses, [200]);
  assert.ok(Date.now() - began < 1000);
}

test('too long, too many, too large: 414, 431, 413', async () => {
  await refused(414, `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await refused(431, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`);
  await refused(431, `GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(101)}\r\n`);
  await refused(413, post('Content-Length: 65537\r\n'));
  await refused(413, post('Content-Length: 99999999999999999999\r\n').replace('99999999999999999999', '9999999999'));
  await refused(413, post('Transfer-Encoding: chunked\r\n', `${(40_000).toString(16)}\r\n${'a'.repeat(40_000)}\r\n${(40_000).toString(16)}\r\n${'a'.repeat(40_000)}\r\n0\r\n\r\n`));
  await well();
});

test('a body over the limit is refused before it is sent', async () => {
  const reply = await raw([post('Content-Length: 60000000\r\nExpect: 100-continue\r\n')]);
  assert.deepEqual(reply.statuses, [413]);
});

test('smuggling: whatever two readers could read differently is refused, and the connection ends', async () => {
  const follow = 'GET /cds-services HTTP/1.1\r\nHost: x\r\n\r\n';
  for (const head of [
    'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', 'Transfer-Encoding: chunked\r\nContent-Length: 3\r\n',
    'Content-Length: 3\r\nContent-Length: 4\r\n', 'Content-Length: 3\r\nContent-Length: 3\r\n', 'Content-Length: 3, 3\r\n', 'Content-Length: +3\r\n', 'Content-Length: -3\r\n',
    'Content-Length: 0x3\r\n', 'Content-Length: 3 4\r\n', 'Content-Length : 3\r\n', 'Content-Length:\r\n 3\r\n', 'Content-Length: 99999999999999999999\r\n',
    'Transfer-Encoding: xchunked\r\n', 'Transfer-Encoding: chunked, identity\r\n', 'Transfer-Encoding : chunked\r\n', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding:\x0bchunked\r\n', 'X: a\n\r\n', 'X: a\r\n folded\r\n', 'X\x00: a\r\n', 'X: a\x00b\r\n', ': empty\r\n', 'no colon\r\n']) {
    const reply = await raw([post(head, `abc${follow}`)]);
    assert.equal(reply.statuses.length, 1, `${JSON.stringify(head)}: ${reply.statuses}`);
    assert.ok([400, 411, 413, 501].includes(reply.statuses[0]), `${JSON.stringify(head)}: ${reply.statuses}`);
    assert.ok(reply.closed, head);
  }
  for (const body of ['3;x=y\r\nabc\r\n0\r\n\r\n', '3\nabc\n0\n\n', '03x\r\nabc\r\n0\r\n\r\n', '-3\r\nabc\r\n0\r\n\r\n', 'ffffffffffffffffff\r\nabc', '3\r\nabcd\r\n0\r\n\r\n']) {
    const reply = await raw([post('Transfer-Encoding: chunked\r\n', body + follow)]);
    assert.ok(reply.statuses.length <= 2 && (reply.statuses.length === 1 ? [400, 413].includes(reply.statuses[0]) : body.includes(';')), `${JSON.stringify(body)}: ${reply.statuses}`);
  }
  await well();
});

test('request lines: the unknown method, version, target', async () => {
  for (const [line, wanted] of [['BREW / HTTP/1.1', [400, 405, 501]], ['GET / HTTP/2.0', [400, 505]], ['GET / HTTP/1.2', [400, 505]], ['GET /', [400, 505]], ['GET  / HTTP/1.1', [400]], ['GET / HTTP/1.1 ', [400]], ['get / HTTP/1.1', [400, 405, 501]],
    ['CONNECT x:1 HTTP/1.1', [400, 405, 501]], ['TRACE / HTTP/1.1', [400, 405, 501, 404]], ['GET /\x01 HTTP/1.1', [400]], ['\x16\x03\x01\x02', [400]]]) {
    const reply = await raw([`${line}\r\nHost: x\r\nConnection: close\r\n\r\n`]);
    assert.ok(reply.statuses.length === 0 ? reply.closed : wanted.includes(reply.statuses[0]), `${JSON.stringify(line)}: ${reply.statuses}`);
  }
  await refused(400, 'GET / HTTP/1.1\r\n\r\n'); /* no Host */
  await refused(400, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
  await well();
});

test('wrong type 415, wrong method 405 with Allow, nothing there 404', async () => {
  const close = 'Connection: close\r\n';
  assert.deepEqual((await raw([post(`Content-Length: 2\r\n${close}`, '{}').replace('application/json', 'text/xml')])).statuses, [415]);
  const method = await raw([`DELETE /cds-services HTTP/1.1\r\nHost: x\r\n${close}\r\n`]);
  assert.deepEqual(method.statuses, [405]);
  assert.match(method.text, /\r\nAllow: GET/i);
  assert.deepEqual((await raw([`GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n${close}\r\n`])).statuses, [404]);
});

test('slow heads and bodies are cut in time, and hold up nobody', async () => {
  const slow = [
    raw(['GET /cds', 100, '-services', 100, ' HTTP/1.1\r\n', 100, 'Host: x\r\n', 100, 'A: b\r\n', 100, 'B: c\r\n', 400, '\r\n']),
    ...Array.from({ length: 10 }, () => raw(['POST / HTTP/1.1\r\nHost'])),
  ];
  await well();
  for (const reply of await Promise.all(slow)) {
    assert.ok(reply.closed && reply.ms < 2000, `${reply.ms} ms ${reply.text.slice(0, 60)}`);
    assert.ok(reply.statuses.length === 0 || reply.statuses[0] === 408, String(reply.statuses));
  }
});

test('an idle connection is closed, a busy one is kept', async () => {
  const idle = await raw([GET], { limitMs: 4000 });
  assert.deepEqual(idle.statuses, [200]);
  assert.ok(idle.closed && idle.ms >= 1000, `${idle.ms} ms`);
  const busy = await raw([GET, 500, GET, 500, GET, 500, GET, 500, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')]);
  assert.deepEqual(busy.statuses, [200, 200, 200, 200, 200]);
});

test('pipelined requests are answered in order', async () => {
  const close = 'Connection: close\r\n';
  const reply = await raw([GET + post('Content-Length: 2\r\n', '{}') + GET + `GET /nothing HTTP/1.1\r\nHost: x\r\n${close}\r\n`]);
  assert.deepEqual(reply.statuses, [200, 400, 200, 404]);
  const http10 = await raw(['GET /cds-services HTTP/1.0\r\nHost: x\r\n\r\n']);
  assert.ok(http10.closed && http10.statuses.length <= 1);
});

test('more connections than allowed are told so or closed, and room comes back', async () => {
  const many = Array.from({ length: 50 }, () => raw([GET], { limitMs: 1000 }));
  const replies = await Promise.all(many);
  assert.ok(replies.some((r) => r.statuses[0] === 200));
  assert.ok(replies.every((r) => [200, 503, undefined].includes(r.statuses[0])));
  assert.ok(replies.filter((r) => r.statuses[0] !== 200).length >= 10, 'the limit held');
  await well();
});

test('answers carry no empty header, a length, and no word about the machine', async () => {
  const { text } = await raw([GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')]);
  const head = text.split('\r\n\r\n')[0];
  assert.match(head, /\r\nContent-Length: \d+/i);
  assert.match(head, /\r\nDate: /i);
  assert.ok(!/\r\nServer:/i.test(head));
  assert.ok(!/: *\r\n/.test(`${head}\r\n`));
});
