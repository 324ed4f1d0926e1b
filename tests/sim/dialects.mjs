/*
 * Dialects: what each real server sends when a subscribed resource changes
 *
 * A dialect is a plain description:
 *   threads            how many deliveries run at once
 *   wants(sub, change) is this change sent to this Subscription at all?
 *   request(sub, change, tools)  {method, url, headers, body} as on the wire
 *   done(reply)        does this reply end the delivery?
 *   waits(sub)         scaled milliseconds between the attempts
 *   stale              true: give up when a newer version exists
 *   period             scaled ms between evaluations (else: at once)
 * Shapes, header names and budgets are those of the servers' own source or
 * documentation; see README.md for the table.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { parseSearchRequest } from '@medplum/core';
import { getExtraEntries } from '@medplum/fhir-router';
import { findMatches, sortMatches } from './search.mjs';

export const HAPI = 'http://hapifhir.io/fhir/StructureDefinition/';
export const MEDPLUM = 'https://www.medplum.com/fhir/StructureDefinition/';
const HAPI_FHIR = { 'Content-Type': 'application/fhir+json; charset=UTF-8' };
const HAPI_AGENT = {
  'User-Agent': 'HAPI-FHIR/8.10.0 (FHIR Client; FHIR 4.0.1/R4; apache)',
  'Accept-Charset': 'utf-8',
  'Accept-Encoding': 'gzip',
};

function extension(element, name) {
  return element.extension?.find((e) => e.url === name || e.url.replace('://medplum', '://www.medplum') === name);
}

/* `Name: value` strings to a header object; a later one replaces an earlier. */
export function channelHeaders(sub, split = (line) => line.split(/:(.*)/s)) {
  const headers = {};
  for (const line of sub.channel.header ?? []) {
    const [name, value] = split(line);
    headers[name.trim()] = (value ?? '').trim();
  }
  return headers;
}

function join(endpoint, ...rest) {
  return [endpoint.replace(/\/+$/, ''), ...rest].join('/');
}

function is2xx(reply) {
  return reply.status >= 200 && reply.status < 300;
}

/* ---- HAPI ---- */

function hapiRequest(sub, change) {
  const { type, id, resource, versionId } = change;
  const url = join(sub.channel.endpoint, type, id);
  if (!resource) {
    return { method: 'DELETE', url, headers: { ...HAPI_AGENT, ...channelHeaders(sub) }, body: '' };
  }
  const strip = extension(sub.channel, `${HAPI}subscription-resthook-strip-version-ids`)?.valueBoolean;
  const { versionId: _, ...meta } = resource.meta;
  const sent = strip ? { ...resource, meta } : resource;
  return {
    method: 'PUT',
    url,
    headers: { ...HAPI_AGENT, ...HAPI_FHIR, ...(strip ? undefined : { 'If-Match': `"${versionId}"` }), ...channelHeaders(sub) },
    body: JSON.stringify(sent),
  };
}

function hapiEmpty(sub) {
  return {
    method: 'POST',
    url: sub.channel.endpoint,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8', ...channelHeaders(sub) },
    body: '',
    ignoresStatus: true,
  };
}

/* The resources named by the search criteria, each as a PUT of a transaction. */
async function hapiBundle(sub, change, { store }) {
  const asked = extension(sub, `${HAPI}subscription-payload-search-criteria`)?.valueString
    ?? `${change.type}?_id=\${matched_resource_id}&_include=*`;
  const [type, query = ''] = asked.replace('${matched_resource_id}', change.id).split(/\?(.*)/s);
  const everything = /(^|&)_include=\*/.test(query);
  const request = parseSearchRequest(`${type}?${query.replace(/(^|&)_include=\*/, '')}`);
  const found = sortMatches(findMatches(store, request), request.sortRules);
  const entries = found.map((resource) => ({ resource }));
  if (everything) {
    entries.push(...referenced(store, found).map((resource) => ({ resource })));
  } else if (request.include) {
    await getExtraEntries(store, request, found, entries);
  }
  const body = {
    resourceType: 'Bundle',
    id: randomUUID(),
    type: 'transaction',
    entry: entries.map(({ resource }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })),
  };
  return {
    method: 'POST',
    url: sub.channel.endpoint,
    headers: { ...HAPI_AGENT, ...HAPI_FHIR, ...channelHeaders(sub) },
    body: JSON.stringify(body),
    needsFhirReply: true,
  };
}

/* Resources that `found` refer to directly, each once. */
function referenced(store, found) {
  const seen = new Map();
  const visit = (value) => {
    if (value === null || typeof value !== 'object') {
      return;
    }
    const [type, id] = typeof value.reference === 'string' ? value.reference.split('/') : [];
    const target = id && store.current(type, id);
    if (target && !found.includes(target)) {
      seen.set(`${type}/${id}`, target);
    }
    Object.values(value).forEach(visit);
  };
  found.forEach(visit);
  return [...seen.values()];
}

/* HAPI: a Bundle must be answered with 204, or with 200 and a FHIR body. */
function hapiDone(reply, request) {
  if (request.ignoresStatus) {
    return true;
  }
  if (!is2xx(reply)) {
    return false;
  }
  const isFhir = /fhir/.test(reply.headers['content-type'] ?? '');
  if (!request.needsFhirReply && !isFhir) {
    return true;
  }
  if (request.needsFhirReply && (reply.status === 204 || !isFhir)) {
    return reply.status === 204;
  }
  try {
    return typeof JSON.parse(reply.body).resourceType === 'string';
  } catch {
    return !request.needsFhirReply && reply.body === '';
  }
}

/* 1 s, then a tenth longer each time, until 60 s are spent: 21 attempts. */
function hapiWaits() {
  const waits = [];
  for (let wait = 1000, spent = 0; spent + wait < 60_000; wait = Math.min(wait * 1.1, 30_000)) {
    spent += wait;
    waits.push(wait);
  }
  return waits;
}

function hapiWants(sub, change) {
  return change.resource !== null
    || extension(sub.channel, `${HAPI}subscription-send-delete-messages`)?.valueBoolean === true;
}

function hapi(shape) {
  return {
    name: 'HAPI',
    threads: 2,
    wants: hapiWants,
    request: (sub, change, tools) => {
      const chosen = shape ?? (!sub.channel.payload ? 'empty'
        : extension(sub, `${HAPI}subscription-payload-search-criteria`) ? 'bundle' : 'resource');
      return chosen === 'empty' ? hapiEmpty(sub)
        : chosen === 'bundle' && change.resource ? hapiBundle(sub, change, tools) : hapiRequest(sub, change);
    },
    done: hapiDone,
    waits: hapiWaits,
  };
}

/* ---- Medplum ---- */

function medplumWants(sub, change) {
  const only = extension(sub, 'https://www.medplum.com/fhir/StructureDefinition/subscription-supported-interaction')?.valueCode;
  return only ? only === change.interaction : change.interaction !== 'delete';
}

function medplumRequest(sub, change) {
  const body = change.resource ? JSON.stringify(change.resource) : '{}';
  const secret = extension(sub, `${MEDPLUM}subscription-secret`)?.valueString;
  return {
    method: 'POST',
    url: sub.channel.endpoint,
    headers: {
      'Content-Type': 'application/fhir+json',
      'X-Medplum-Subscription': sub.id,
      'X-Medplum-Interaction': change.interaction,
      ...(change.resource ? undefined : { 'X-Medplum-Deleted-Resource': `${change.type}/${change.id}` }),
      ...(secret ? { 'X-Signature': createHmac('sha256', secret).update(body).digest('hex') } : undefined),
      'x-trace-id': randomUUID(),
      /* Medplum splits at every colon and keeps the second part only. */
      ...channelHeaders(sub, (line) => line.split(':')),
    },
    body,
  };
}

function medplumWaits(sub) {
  const asked = extension(sub, `${MEDPLUM}subscription-max-attempts`)?.valueInteger ?? 4;
  const attempts = Math.min(Math.max(asked, 1), 19);
  return Array.from({ length: attempts - 1 }, (_, i) => 1000 * 2 ** i);
}

/* ---- the table ---- */

const table = {
  hapi: hapi(null),
  'hapi-nopayload': hapi('empty'),
  'hapi-bundle': hapi('bundle'),
  medplum: {
    name: 'Medplum',
    threads: 2,
    wants: medplumWants,
    request: medplumRequest,
    done: (reply) => reply.status >= 200 && reply.status < 400,
    waits: medplumWaits,
    stale: true,
  },
  firely: {
    name: 'Firely',
    threads: 1,
    period: 20_000,
    wants: (_sub, change) => change.resource !== null,
    request: (sub, { type, id, resource }) => ({
      method: 'PUT',
      url: join(sub.channel.endpoint, type, id),
      headers: { 'Content-Type': 'application/fhir+json; fhirVersion=4.0; charset=utf-8', ...channelHeaders(sub) },
      body: JSON.stringify(resource),
    }),
    done: is2xx,
    waits: () => [60_000, 60_000],
  },
  none: null,
};

/* The dialect of that name; null when the server never acts on Subscriptions. */
export function dialectNamed(name) {
  return table[name];
}
