/*
 * Queries: type searches and histories, from query string to first page
 *
 * Unknown parameters are dropped and left out of the `self` link, as lenient
 * servers do; with `Prefer: handling=strict` they are refused.
 */
import { parseSearchRequest } from '@medplum/core';
import { getExtraEntries } from '@medplum/fhir-router';
import { isResourceType, searchParamsOf } from './definitions.mjs';
import { refusal } from './outcome.mjs';
import { findMatches, sortMatches } from './search.mjs';

const RESULT_PARAMS = new Set(['_sort', '_include', '_revinclude', '_summary', '_total', '_elements', '_has']);
const SILENT_PARAMS = new Set(['_format', '_pretty', '_count']);

export function requireType(type) {
  if (!isResourceType(type)) {
    throw refusal(404, 'not-supported', `unknown resource type ${type}`);
  }
}

function isKnown(type, name) {
  const bare = name.split(':')[0].split('.')[0];
  return RESULT_PARAMS.has(bare) || Object.hasOwn(searchParamsOf(type), bare);
}

/* Sort the parameters into those understood and those not. */
function understood(type, params, strict) {
  const kept = new URLSearchParams();
  for (const [name, value] of params) {
    if (SILENT_PARAMS.has(name) || value === '') {
      continue;
    }
    if (isKnown(type, name)) {
      kept.append(name, value);
    } else if (strict) {
      throw refusal(400, 'invalid', `unknown search parameter "${name}" for ${type}`);
    }
  }
  return kept;
}

function asQuery(params) {
  const query = {};
  for (const name of new Set(params.keys())) {
    query[name] = params.getAll(name);
  }
  return query;
}

function renderer(store, request, base) {
  const fullUrl = (type, id) => `${base}/${type}/${id}`;
  return async (ids) => {
    const found = ids.map((id) => store.current(request.resourceType, id)).filter(Boolean);
    const entries = found.map((r) => ({ fullUrl: fullUrl(r.resourceType, r.id),
      resource: structuredClone(r), search: { mode: 'match' } }));
    if (entries.length && (request.include || request.revInclude)) {
      await getExtraEntries(store, request, found, entries, { fullUrl });
    }
    return entries;
  };
}

/*
 * Search one type. `reuse_s`: seconds for which an identical earlier search may
 * be answered from its old list. Returns the first page.
 */
export async function searchType({ store, pages, base }, type, params, { strict, reuse_s = 0 }) {
  requireType(type);
  const kept = understood(type, params, strict);
  const size = kept.get('_summary') === 'count' ? 0 : pages.sizeFor(params.get('_count') ?? undefined);
  const text = kept.toString();
  const query = `${type}?${text}&_count=${size}`;
  const old = reuse_s > 0 && pages.recent(query, reuse_s);
  if (old) {
    return pages.page(base, old, 0);
  }
  const request = parseSearchRequest(type, asQuery(kept));
  const rows = sortMatches(findMatches(store, request), request.sortRules).map((r) => r.id);
  const self = `${base}/${type}?${text}${text ? '&' : ''}_count=${size}`;
  const snapshot = pages.keep({ query, type: 'searchset', rows, size, self, render: renderer(store, request, base) });
  return pages.page(base, snapshot, 0);
}

function historyEntry(base, version) {
  const { type, id, versionId, lastUpdated, interaction, byPut, resource } = version;
  const method = interaction === 'delete' ? 'DELETE' : byPut ? 'PUT' : 'POST';
  const status = { create: '201 Created', update: '200 OK', delete: '204 No Content' }[interaction];
  return {
    fullUrl: `${base}/${type}/${id}`,
    ...(resource ? { resource: structuredClone(resource) } : undefined),
    request: { method, url: method === 'POST' ? type : `${type}/${id}` },
    response: { status, etag: `W/"${versionId}"`, lastModified: lastUpdated },
  };
}

/* History of everything, of a type, or of one resource; newest first. */
export async function history({ store, pages, base }, { type, id }, params) {
  if (type) {
    requireType(type);
  }
  if (id && !store.versionsOf(type, id).length) {
    throw refusal(404, 'not-found', `${type}/${id} is not known`);
  }
  const since = params.get('_since');
  const from = since === null ? -Infinity : Date.parse(since);
  if (Number.isNaN(from)) {
    throw refusal(400, 'value', '_since must be an instant');
  }
  const rows = store.trail.filter((v) => (!type || v.type === type) && (!id || v.id === id)
    && Date.parse(v.lastUpdated) >= from).reverse();
  const size = pages.sizeFor(params.get('_count') ?? undefined);
  const path = [type, id, '_history'].filter(Boolean).join('/');
  const self = `${base}/${path}${params.size ? `?${params}` : ''}`;
  const render = async (page) => page.map((v) => historyEntry(base, v));
  return pages.page(base, pages.keep({ query: self, type: 'history', rows, size, self, render }), 0);
}
