/*
 * FHIR: the R4 REST interface over the store
 *
 * The router of @medplum/fhir-router does creates, updates, conditions, patches
 * and bundles. Around it, here: what servers in hospitals do and the router does
 * not, such as version headers, paging links, histories with deletions, 410,
 * 415 and 422, and transaction responses in the usual shape.
 *
 * Requests take turns: one is finished before the next begins, so that a
 * transaction is never seen half done.
 */
import { STATUS_CODES } from 'node:http';
import { FhirRouter } from '@medplum/fhir-router';
import { capabilityStatement } from './capability.mjs';
import { outcome, presentable, refusal, statusOf } from './outcome.mjs';
import { Pages } from './pages.mjs';
import { history, requireType, searchType } from './queries.mjs';

const JSON_TYPE = /^(application\/(fhir\+json|json|json\+fhir|json-patch\+json)|text\/json)\s*(;|$)/i;

export class Fhir {
  constructor(store, settings) {
    this.store = store;
    this.settings = settings;
    this.pages = new Pages(settings);
    this.router = new FhirRouter();
    this.turn = Promise.resolve();
    this.startedAt = new Date().toISOString();
  }

  /*
   * Answer one request {method, path, params, headers, body (text), base, tweaks}.
   * Returns {status, headers, resource}; never throws for a bad request.
   */
  handle(request) {
    const answer = this.turn.then(() => this.handleNow(request));
    this.turn = answer.catch(() => {});
    return answer;
  }

  async handleNow(request) {
    this.store.stamp = request.tweaks?.stamp ?? null;
    try {
      return await this.dispatch(request);
    } catch (err) {
      if (!err.outcome) {
        return { status: 500, headers: {}, resource: outcome('fatal', 'exception', String(err.stack ?? err)) };
      }
      return { status: statusOf(err.outcome), headers: {}, resource: presentable(err.outcome) };
    } finally {
      this.store.stamp = null;
    }
  }

  dispatch(request) {
    const { method, path, params } = request;
    const [type, id, third] = path.split('/');
    if (method === 'GET') {
      return this.get(request, type, id, third);
    }
    if (method === 'POST' && id === '_search') {
      return this.search(request, type, this.formParams(request));
    }
    if (type && !type.startsWith('$')) {
      requireType(type);
    }
    if (method === 'DELETE') {
      return this.interact(request);
    }
    if (!['POST', 'PUT', 'PATCH'].includes(method)) {
      throw refusal(405, 'not-supported', `${method} is not supported`);
    }
    const body = this.jsonBody(request);
    return path === '' && method === 'POST' ? this.bundle(request, body)
      : this.interact(request, body, params);
  }

  get(request, type, id, third) {
    const { params, base } = request;
    if (type === '' && params.has('_getpages')) {
      return this.nextPage(params, base);
    }
    if (type === 'metadata') {
      return { status: 200, headers: {}, resource: capabilityStatement(base, this.settings, this.startedAt) };
    }
    if (type === '_history') {
      return this.paged(history({ ...this, base }, {}, params));
    }
    if (type === '') {
      throw refusal(400, 'not-supported', 'searching all types is not supported');
    }
    if (id === '_history') {
      return this.paged(history({ ...this, base }, { type }, params));
    }
    if (third === '_history' && request.path.split('/').length === 3) {
      return this.paged(history({ ...this, base }, { type, id }, params));
    }
    requireType(type);
    return id === undefined ? this.search(request, type, params) : this.interact(request);
  }

  async paged(bundle) {
    return { status: 200, headers: {}, resource: await bundle };
  }

  search(request, type, params) {
    const strict = /handling\s*=\s*strict/.test(request.headers.prefer ?? '');
    const fresh = /no-cache|no-store/.test(request.headers['cache-control'] ?? '');
    const reuse_s = fresh ? 0 : request.tweaks?.cachedSearch ?? 0;
    return this.paged(searchType({ ...this, base: request.base }, type, params, { strict, reuse_s }));
  }

  nextPage(params, base) {
    const snapshot = this.pages.find(params.get('_getpages'));
    const offset = Number(params.get('_getpagesoffset') ?? 0);
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw refusal(400, 'value', '_getpagesoffset must be a whole number');
    }
    return this.paged(this.pages.page(base, snapshot, offset));
  }

  formParams(request) {
    if (!/^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? '')) {
      throw refusal(415, 'not-supported', '_search takes application/x-www-form-urlencoded');
    }
    const params = new URLSearchParams(request.params);
    new URLSearchParams(request.body).forEach((value, name) => params.append(name, value));
    return params;
  }

  jsonBody(request) {
    if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
      throw refusal(415, 'not-supported', 'send application/fhir+json');
    }
    let body;
    try {
      body = JSON.parse(request.body);
    } catch (err) {
      throw refusal(400, 'structure', `the body is not JSON: ${err.message}`);
    }
    if (body === null || typeof body !== 'object') {
      throw refusal(400, 'structure', 'the body is not a resource');
    }
    return body;
  }

  route(request, body) {
    const { method, path, params, headers } = request;
    const ifMatch = headers['if-match'];
    if (ifMatch !== undefined && !/^(W\/)?"[^"]+"$/.test(ifMatch)) {
      throw refusal(400, 'value', 'If-Match must be an entity tag such as W/"3"');
    }
    const url = params.size ? `${path}?${params}` : path;
    const call = { method, url, pathname: '', params: {}, query: {}, body, config: { transactions: true },
      headers: { 'if-match': ifMatch, 'if-none-exist': request.tweaks?.ignoreIfNoneExist ? undefined : headers['if-none-exist'] } };
    return this.router.handleRequest(call, this.store);
  }

  /* Read, create, update, patch or delete one resource. */
  async interact(request, body) {
    if (request.method === 'POST' && !Array.isArray(body)) {
      delete body.id; /* the server chooses ids on create */
    }
    const [oo, resource] = await this.route(request, body);
    const status = this.finalStatus(request.method, statusOf(oo), resource);
    if (!resource || status >= 400) {
      return { status, headers: {}, resource: presentable(status < 400 ? outcome('information', 'informational', 'done') : oo) };
    }
    const headers = this.versionHeaders(request, status, resource);
    if (request.method === 'GET' && request.headers['if-none-match'] === headers.ETag) {
      return { status: 304, headers, resource: null };
    }
    const prefer = request.method === 'GET' ? undefined
      : /return\s*=\s*(\w+)/.exec(request.headers.prefer ?? '')?.[1];
    return { status, headers, resource: prefer === 'minimal' ? null
      : prefer === 'OperationOutcome' ? outcome('information', 'informational', 'done') : resource };
  }

  /* A PUT that made the resource is 201, which the router does not say. */
  finalStatus(method, status, resource) {
    if (status !== 200 || method !== 'PUT' || !resource?.meta) {
      return status;
    }
    const made = this.store.versionsOf(resource.resourceType, resource.id).at(-1);
    return made?.interaction === 'create' ? 201 : 200;
  }

  versionHeaders(request, status, resource) {
    const { versionId, lastUpdated } = resource.meta ?? {};
    if (!versionId) {
      return {};
    }
    const where = `${request.base}/${resource.resourceType}/${resource.id}/_history/${versionId}`;
    return {
      ETag: `W/"${versionId}"`,
      'Last-Modified': new Date(lastUpdated).toUTCString(),
      ...(request.method === 'GET' ? undefined : { [status === 201 ? 'Location' : 'Content-Location']: where }),
    };
  }

  /* A batch or transaction. */
  async bundle(request, body) {
    if (['batch', 'transaction'].includes(body.type) && !body.entry?.length) {
      return { status: 200, headers: {}, resource: { resourceType: 'Bundle', type: `${body.type}-response` } };
    }
    const entries = Array.isArray(body.entry) ? body.entry : [];
    if (request.tweaks?.ignoreIfNoneExist) {
      entries.forEach((e) => delete e.request?.ifNoneExist);
    }
    const methods = entries.map((e) => e?.request?.method);
    const [oo, response] = await this.route(request, body);
    const status = statusOf(oo);
    if (status >= 400) {
      return { status, headers: {}, resource: presentable(oo) };
    }
    const full = /return\s*=\s*representation/.test(request.headers.prefer ?? '');
    response.entry = response.entry.map((entry, i) => this.bundleEntry(entry, methods[i], full));
    return { status: 200, headers: {}, resource: response };
  }

  bundleEntry(entry, method, full) {
    const { resource, response } = entry;
    const status = this.finalStatus(method, statusOf(response.outcome ?? { id: 'ok' }), resource);
    const shown = { status: `${status} ${STATUS_CODES[status]}` };
    if (status >= 400) {
      return { response: { ...shown, outcome: presentable(response.outcome) } };
    }
    if (resource?.meta?.versionId && resource.id) {
      const { versionId, lastUpdated } = resource.meta;
      shown.location = `${resource.resourceType}/${resource.id}/_history/${versionId}`;
      shown.etag = `W/"${versionId}"`;
      shown.lastModified = lastUpdated;
    }
    return { ...(resource && (full || method === 'GET') ? { resource } : undefined), response: shown };
  }
}
