/*
 * Pages: result sets kept on the server and handed out in pieces
 *
 * As HAPI does, a search or history keeps the list of what it found and the
 * `next` link names that list, so paging is stable while data changes: a page
 * shows the present version of what matched when the search began. A list is
 * forgotten after an hour, or when too many are open; its links then say 410.
 */
import { randomUUID } from 'node:crypto';
import { refusal } from './outcome.mjs';

const MAX_OPEN = 500;
const KEEP_MS = 3600_000;

export class Pages {
  constructor(settings) {
    this.settings = settings;
    this.clear();
  }

  clear() {
    this.open = new Map(); /* token -> snapshot */
    this.byQuery = new Map(); /* query -> snapshot, for servers that reuse searches */
  }

  /* Page size for what the client asked (text or undefined), within the server's limit. */
  sizeFor(asked) {
    if (asked === undefined) {
      return this.settings.pageSize;
    }
    if (!/^\d{1,9}$/.test(asked)) {
      throw refusal(400, 'value', '_count must be a whole number');
    }
    return Math.min(Number(asked), this.settings.maxPageSize);
  }

  /* Keep a snapshot {query, type, rows, size, self, render}. */
  keep(snapshot) {
    const kept = { ...snapshot, token: randomUUID(), at: Date.now() };
    this.open.set(kept.token, kept);
    this.byQuery.set(kept.query, kept);
    if (this.open.size > MAX_OPEN) {
      this.forget(this.open.values().next().value);
    }
    return kept;
  }

  forget(snapshot) {
    this.open.delete(snapshot.token);
    if (this.byQuery.get(snapshot.query) === snapshot) {
      this.byQuery.delete(snapshot.query);
    }
  }

  /* The snapshot of an identical query made less than `seconds` ago, if any. */
  recent(query, seconds) {
    const found = this.byQuery.get(query);
    return found && Date.now() - found.at < seconds * 1000 ? found : undefined;
  }

  find(token) {
    const found = this.open.get(token);
    if (!found || Date.now() - found.at > KEEP_MS) {
      throw refusal(410, 'expired', 'this search is no longer kept; search again');
    }
    return found;
  }

  linkTo(base, snapshot, offset, relation) {
    const query = `_getpages=${snapshot.token}&_getpagesoffset=${offset}&_count=${snapshot.size}`
      + `&_bundletype=${snapshot.type}`;
    return { relation, url: `${base}?${query}` };
  }

  /* One page as a Bundle; `entries` turns rows into Bundle entries. */
  async page(base, snapshot, offset) {
    const { rows, size } = snapshot;
    const link = [{ relation: 'self', url: offset === 0 ? snapshot.self
      : this.linkTo(base, snapshot, offset, 'self').url }];
    if (size > 0 && offset + size < rows.length) {
      link.push(this.linkTo(base, snapshot, offset + size, 'next'));
    }
    if (size > 0 && offset > 0) {
      link.push(this.linkTo(base, snapshot, Math.max(0, offset - size), 'previous'));
    }
    const entry = await snapshot.render(rows.slice(offset, offset + size));
    return {
      resourceType: 'Bundle',
      id: snapshot.token,
      meta: { lastUpdated: new Date(snapshot.at).toISOString() },
      type: snapshot.type,
      total: rows.length,
      link,
      ...(entry.length ? { entry } : undefined),
    };
  }
}
