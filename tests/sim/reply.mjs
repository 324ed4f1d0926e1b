/*
 * Reply: an answer onto the wire, whole or deliberately not
 */
import { gzipSync } from 'node:zlib';

const GZIP_FROM = 1024;
const ENDLESS_MAX = 256 * 1024 * 1024;
const ENDLESS_MS = 60_000;
const GARBAGE = '<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>'
  + '<body><h1>Bad Gateway</h1><p>The proxy could not reach the server.</p></body></html>\n';

/* Send `text` of `type`; gzip when the client takes it, `action` may spoil it. */
export function sendText(res, status, type, text, headers = {}, action = null) {
  let body = Buffer.from(text ?? '');
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) {
    res.setHeader(name, value);
  }
  if (body.length && type) {
    res.setHeader('Content-Type', type);
  }
  if (body.length >= GZIP_FROM && /\bgzip\b/.test(res.req.headers['accept-encoding'] ?? '')) {
    body = gzipSync(body, { level: 1 });
    res.setHeader('Content-Encoding', 'gzip');
    res.setHeader('Vary', 'Accept-Encoding');
  }
  if (!action?.chunked && status !== 304 && status !== 204) {
    res.setHeader('Content-Length', body.length);
  }
  if (action?.cut !== undefined) {
    cutShort(res, body, action.cut);
    return;
  }
  if (action?.chunked) {
    const half = Math.floor(body.length / 2);
    res.write(body.subarray(0, half));
    res.end(body.subarray(half));
    return;
  }
  res.end(body);
}

export function sendJson(res, status, value, headers, action) {
  sendText(res, status, 'application/json; charset=utf-8', JSON.stringify(value), headers, action);
}

export function sendFhir(res, status, resource, headers, action) {
  const text = resource ? JSON.stringify(resource) : '';
  sendText(res, status, 'application/fhir+json; charset=utf-8', text, headers, action);
}

/* Promise the whole body, send `n` bytes of it (at most all but one), hang up. */
function cutShort(res, body, n) {
  const part = body.subarray(0, Math.max(0, Math.min(n, body.length - 1)));
  if (part.length === 0) {
    res.flushHeaders();
    setImmediate(() => res.destroy());
    return;
  }
  res.write(part, () => res.destroy());
}

/* What a broken proxy says: 200, and HTML. */
export function sendGarbage(res, status = 200) {
  sendText(res, status, 'text/html; charset=utf-8', GARBAGE);
}

/* JSON that begins well and does not end, until the client leaves or the ceiling is met. */
export function sendEndless(res) {
  const until = Date.now() + ENDLESS_MS;
  let sent = 0;
  res.writeHead(200, { 'Content-Type': 'application/fhir+json; charset=utf-8' });
  res.write('{"resourceType":"Bundle","type":"searchset","entry":[');
  const piece = `${JSON.stringify({ resource: { resourceType: 'Basic', id: 'x', code: { text: 'y'.repeat(4000) } } })},`;
  const more = () => {
    while (!res.destroyed) {
      sent += piece.length;
      if (sent > ENDLESS_MAX || Date.now() > until) {
        res.destroy();
        return;
      }
      if (!res.write(piece)) {
        res.once('drain', more);
        return;
      }
    }
  };
  more();
}
