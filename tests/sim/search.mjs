/*
 * Search: which resources match, and in which order
 *
 * The router's matcher evaluates FHIRPath for each resource and filter, near a
 * millisecond a piece. The handful of parameters this project asks for is
 * answered here by plain property reads, the rest by the router. Dates of
 * `_lastUpdated` are compared as instants, not as text: "…00.5Z" is after "…00Z".
 *
 * Order is always total: whatever is asked, `_id` breaks ties.
 */
import { evalFhirPath, matchesSearchRequest } from '@medplum/core';
import { MemoryRepository } from '@medplum/fhir-router';
import { searchParamsOf } from './definitions.mjs';
import { refusal } from './outcome.mjs';

const plainSearch = MemoryRepository.prototype.searchSync;

function tokenTest(read) {
  return (value) => {
    const wanted = value.split(',');
    return (resource) => wanted.includes(read(resource));
  };
}

function referenceTest(read, defaultType) {
  return (value) => {
    const wanted = value.split(',').map((v) => (v.includes('/') ? v : `${defaultType}/${v}`));
    return (resource) => {
      const reference = read(resource)?.reference;
      return reference !== undefined && wanted.some((w) => reference === w || reference.endsWith(`/${w}`)
        || w.endsWith(`/${reference}`));
    };
  };
}

function identifierTest(value) {
  const wanted = value.split(',').map((v) => {
    const bar = v.indexOf('|');
    return bar < 0 ? { value: v } : { system: v.slice(0, bar), value: v.slice(bar + 1) };
  });
  return (resource) => [resource.identifier ?? []].flat().some((i) => wanted.some((w) =>
    (w.value === '' || i.value === w.value)
    && (w.system === undefined || (i.system ?? '') === w.system)));
}

const quickTests = {
  _id: tokenTest((r) => r.id),
  identifier: identifierTest,
  status: tokenTest((r) => r.status),
  intent: tokenTest((r) => r.intent),
  patient: referenceTest((r) => r.patient ?? r.subject ?? r.for, 'Patient'),
};

/* A date as the span it names: a bare day is the whole day. */
function spanOf(text) {
  const lengths = { 4: 'Y', 7: 'M', 10: 'D' };
  const start = Date.parse(text.length > 10 && !/(Z|[+-]\d\d:\d\d)$/.test(text) ? `${text}Z` : text);
  if (Number.isNaN(start)) {
    throw refusal(400, 'value', `not a date: ${text}`);
  }
  const end = new Date(start);
  switch (lengths[text.length]) {
    case 'Y': end.setUTCFullYear(end.getUTCFullYear() + 1); break;
    case 'M': end.setUTCMonth(end.getUTCMonth() + 1); break;
    case 'D': end.setUTCDate(end.getUTCDate() + 1); break;
    default: end.setTime(start + (text.includes('.') ? 1 : 1000));
  }
  return [start, end.getTime()];
}

const instantTests = {
  eq: (t, [from, until]) => t >= from && t < until,
  ne: (t, [from, until]) => t < from || t >= until,
  ge: (t, [from]) => t >= from,
  gt: (t, [, until]) => t >= until,
  sa: (t, [, until]) => t >= until,
  le: (t, [, until]) => t < until,
  lt: (t, [from]) => t < from,
  eb: (t, [from]) => t < from,
};

function lastUpdatedTest(filter) {
  const test = instantTests[filter.operator];
  if (!test) {
    throw refusal(400, 'value', `_lastUpdated does not know "${filter.operator}"`);
  }
  const span = spanOf(filter.value);
  return (resource) => test(Date.parse(resource.meta.lastUpdated), span);
}

function isQuick(type, filter) {
  return filter.operator === 'eq' && Object.hasOwn(quickTests, filter.code)
    && (filter.code.startsWith('_') || Object.hasOwn(searchParamsOf(type), filter.code))
    && !filter.value.includes('\\')
    && !(filter.code === 'status' && filter.value.includes('|'));
}

/* Split a request into quick tests and what is left for the router's matcher. */
function plan(request) {
  const quick = [];
  const rest = [];
  for (const filter of request.filters ?? []) {
    if (filter.code === '_lastUpdated') {
      quick.push(lastUpdatedTest(filter));
    } else if (isQuick(request.resourceType, filter)) {
      quick.push(quickTests[filter.code](filter.value));
    } else {
      rest.push(filter);
    }
  }
  return { quick, rest };
}

/* Does one resource match? Used for subscription criteria. */
export function matches(resource, request) {
  const { quick, rest } = plan(request);
  return resource.resourceType === request.resourceType && quick.every((test) => test(resource))
    && (rest.length === 0 || matchesSearchRequest(resource, { ...request, filters: rest }));
}

/* All live resources that match, as kept (not copies), in no promised order. */
export function findMatches(store, request) {
  const { quick, rest } = plan(request);
  const found = [...store.ofType(request.resourceType).values()].filter((r) => quick.every((test) => test(r)));
  if (rest.length === 0) {
    return found;
  }
  const narrowed = { ...request, filters: rest, sortRules: undefined, offset: undefined, count: undefined };
  if (!rest.some((f) => f.code.includes('.'))) {
    return found.filter((r) => matchesSearchRequest(r, narrowed));
  }
  const scope = { resources: new Map(store.live).set(request.resourceType, new Map(found.map((r) => [r.id, r]))) };
  const hits = plainSearch.call(scope, narrowed).entry ?? [];
  return hits.map((e) => store.current(request.resourceType, e.resource.id));
}

function keyReader(type, code) {
  if (code === '_lastUpdated') {
    return (r) => Date.parse(r.meta.lastUpdated);
  }
  if (code === '_id') {
    return (r) => r.id;
  }
  const expression = searchParamsOf(type)[code]?.expression;
  if (!expression) {
    throw refusal(400, 'not-supported', `cannot sort ${type} by ${code}`);
  }
  return (r) => JSON.stringify(evalFhirPath(expression, r));
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/* Sort by the first rule, then the second, ..., then `_id`. Returns a new array. */
export function sortMatches(resources, sortRules) {
  const rules = [...(sortRules ?? []), { code: '_id' }];
  const rows = resources.map((r) => ({ r, keys: [] }));
  if (rows.length) {
    const type = resources[0].resourceType;
    for (const rule of rules) {
      const read = keyReader(type, rule.code);
      rows.forEach((row) => row.keys.push(read(row.r)));
    }
  }
  rows.sort((x, y) => {
    for (let i = 0; i < rules.length; i++) {
      const order = compare(x.keys[i], y.keys[i]) * (rules[i].descending ? -1 : 1);
      if (order !== 0) {
        return order;
      }
    }
    return 0;
  });
  return rows.map((row) => row.r);
}
