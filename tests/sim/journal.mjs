/*
 * Journal: what was asked of the simulator, and what it sent
 *
 * Every request under /fhir and /sim/webhook and every notification attempt is
 * one record, in order of arrival, numbered from 1. Bounded: the oldest records
 * fall out, long bodies are cut and say so.
 */
const MAX_RECORDS = 20_000;
const MAX_BODY = 256 * 1024;

export class Journal {
  constructor() {
    this.clear();
  }

  clear() {
    this.records = [];
    this.last = 0;
    this.lastRequestAt = 0;
  }

  /* Add a record and return it; the caller fills in the outcome later. */
  add(kind, fields) {
    const { body, ...rest } = fields;
    const record = { n: ++this.last, at: new Date().toISOString(), kind, ...rest, body: body ?? '' };
    if (record.body.length > MAX_BODY) {
      record.body = record.body.slice(0, MAX_BODY);
      record.bodyCut = true;
    }
    if (kind === 'request') {
      this.lastRequestAt = Date.now();
    }
    this.records.push(record);
    if (this.records.length > MAX_RECORDS) {
      this.records.splice(0, MAX_RECORDS / 10);
    }
    return record;
  }

  /* Records after number `since`, of a kind and with a path matching, when given. */
  select({ since = 0, kind, path, method }) {
    const pattern = path && new RegExp(path);
    return this.records.filter((r) => r.n > since && (!kind || r.kind === kind)
      && (!method || r.method === method) && (!pattern || pattern.test(r.url)));
  }
}
