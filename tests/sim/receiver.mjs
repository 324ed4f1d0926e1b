/*
 * Receiver: a webhook endpoint for tests
 *
 * Keeps every request as it came; `reply` decides the answer and may be changed
 * at any time: {status, headers, body}, 'never', or a function of (request, n)
 * that returns one of these.
 */
import http from 'node:http';

export class Receiver {
  static async start(port = 0) {
    const receiver = new Receiver();
    receiver.server = http.createServer((req, res) => receiver.take(req, res));
    await new Promise((resolve) => receiver.server.listen(port, '127.0.0.1', resolve));
    receiver.port = receiver.server.address().port;
    receiver.endpoint = `http://127.0.0.1:${receiver.port}/hook/7f3c`;
    return receiver;
  }

  constructor() {
    this.clear();
  }

  clear() {
    this.got = [];
    this.reply = { status: 200, headers: {}, body: '' };
  }

  async take(req, res) {
    const parts = [];
    for await (const part of req) {
      parts.push(part);
    }
    const { method, url, headers } = req;
    const request = { method, url, headers, body: Buffer.concat(parts).toString() };
    this.got.push(request);
    const answer = typeof this.reply === 'function' ? this.reply(request, this.got.length) : this.reply;
    if (answer === 'never') {
      return;
    }
    res.writeHead(answer.status, answer.headers ?? {});
    res.end(answer.body ?? '');
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
