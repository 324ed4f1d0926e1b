/*
 * Store: resources, their versions and what was deleted
 *
 * Replaces the router's memory repository where a real server differs: version
 * ids count 1, 2, 3 per resource, a deleted resource is remembered (410, shown
 * in histories), content is validated, and a failed transaction leaves nothing.
 *
 * Every change is announced to `onChange` once it is certain: at once for a
 * single write, at the end for a transaction. `check` may refuse a resource by
 * throwing; `clock` gives the instants of meta.lastUpdated.
 *
 * Promises: what is handed out is a copy; what is kept is never changed in
 * place. Built on @medplum/fhir-router 5.2.13, whose conditional create calls
 * createResourceSync and searchSync; both are replaced here.
 */
import { deepClone, gone, notFound, OperationOutcomeError, preconditionFailed } from '@medplum/core';
import { MemoryRepository } from '@medplum/fhir-router';
import { faultsOf, isResourceType } from './definitions.mjs';
import { refusal, refusalWith } from './outcome.mjs';
import { findMatches, sortMatches } from './search.mjs';

const FIRST_ID = 1001;

function copyOf(value) {
  return value === undefined ? undefined : deepClone(value);
}

export class Store extends MemoryRepository {
  constructor({ onChange = () => {}, check = () => {}, clock = () => new Date().toISOString() } = {}) {
    super();
    this.onChange = onChange;
    this.check = check;
    this.clock = clock;
    this.clear();
  }

  clear() {
    this.live = new Map(); /* type -> Map(id -> current resource) */
    this.past = new Map(); /* "Type/id" -> versions, oldest first */
    this.trail = []; /* every version in the order written */
    this.nextId = FIRST_ID;
    this.undo = null; /* steps back, while in a transaction */
    this.held = []; /* changes not yet announced */
    this.stamp = null; /* lastUpdated to use instead of now */
  }

  /* ---- reading ---- */

  ofType(type) {
    return this.live.get(type) ?? new Map();
  }

  current(type, id) {
    return this.ofType(type).get(id);
  }

  versionsOf(type, id) {
    return this.past.get(`${type}/${id}`) ?? [];
  }

  mustHave(type, id) {
    const found = this.current(type, id);
    if (!found) {
      throw new OperationOutcomeError(this.versionsOf(type, id).length ? gone : notFound);
    }
    return found;
  }

  async readResource(type, id) {
    return copyOf(this.mustHave(type, id));
  }

  async readVersion(type, id, versionId) {
    const version = this.versionsOf(type, id).find((v) => v.versionId === versionId);
    if (!version) {
      throw new OperationOutcomeError(notFound);
    }
    if (!version.resource) {
      throw new OperationOutcomeError(gone);
    }
    return copyOf(version.resource);
  }

  searchSync(request) {
    const found = sortMatches(findMatches(this, request), request.sortRules);
    const from = request.offset ?? 0;
    const page = found.slice(from, request.count === undefined ? undefined : from + request.count);
    return {
      resourceType: 'Bundle',
      type: 'searchset',
      total: found.length,
      entry: page.length ? page.map((r) => ({ search: { mode: 'match' }, resource: copyOf(r) })) : undefined,
    };
  }

  /* ---- writing ---- */

  generateId() {
    return String(this.nextId++);
  }

  /* An id nobody uses: a client may have taken one of our numbers. */
  freeId(type) {
    let id = this.generateId();
    while (this.versionsOf(type, id).length) {
      id = this.generateId();
    }
    return id;
  }

  createResourceSync(resource, _options, update = false) {
    const type = resource.resourceType;
    if (!isResourceType(type)) {
      throw refusal(404, 'not-supported', `unknown resource type ${type}`);
    }
    const kept = JSON.parse(JSON.stringify(resource));
    if (!update && kept.id && this.current(type, kept.id)) {
      throw refusal(409, 'conflict', `${type}/${kept.id} exists already`);
    }
    kept.id ??= this.freeId(type);
    this.validate(kept);
    return copyOf(this.write(type, kept.id, kept, update));
  }

  validate(resource) {
    if (!/^[A-Za-z0-9\-.]{1,64}$/.test(resource.id)) {
      throw refusal(400, 'value', 'a resource id has 1 to 64 letters, digits, "-" or "."');
    }
    const faults = faultsOf(resource);
    if (faults) {
      throw refusalWith(422, faults);
    }
    this.check(resource);
  }

  async createResource(resource, options, update = false) {
    return this.createResourceSync(resource, options, update);
  }

  async updateResource(resource, options) {
    if (!resource.id) {
      throw refusal(400, 'required', 'an update needs an id');
    }
    this.checkVersion(resource.resourceType, resource.id, options?.ifMatch);
    return this.createResourceSync(resource, undefined, true);
  }

  async deleteResource(type, id, options) {
    if (!this.current(type, id)) {
      if (!this.versionsOf(type, id).length) {
        throw new OperationOutcomeError(notFound);
      }
      return; /* deleting twice is no error */
    }
    this.checkVersion(type, id, options?.ifMatch);
    this.write(type, id, null, true);
  }

  checkVersion(type, id, ifMatch) {
    if (ifMatch && this.mustHave(type, id).meta.versionId !== ifMatch) {
      throw new OperationOutcomeError(preconditionFailed);
    }
  }

  /* The only place that changes anything. `resource` null means deleted. */
  write(type, id, resource, update) {
    const key = `${type}/${id}`;
    const versions = this.versionsOf(type, id);
    const before = this.current(type, id);
    const versionId = String(versions.length + 1);
    const lastUpdated = this.stamp ?? this.clock();
    const interaction = resource === null ? 'delete' : before ? 'update' : 'create';
    if (resource) {
      resource.meta = { ...resource.meta, versionId, lastUpdated };
    }
    const version = { type, id, versionId, lastUpdated, interaction, byPut: update, resource };
    this.undo?.push(() => this.unwrite(key, version, before));
    this.past.set(key, [...versions, version]);
    this.trail.push(version);
    this.place(type, id, resource);
    this.announce({ ...version, before });
    return resource;
  }

  place(type, id, resource) {
    if (!this.live.has(type)) {
      this.live.set(type, new Map());
    }
    if (resource) {
      this.live.get(type).set(id, resource);
    } else {
      this.live.get(type).delete(id);
    }
  }

  unwrite(key, version, before) {
    const versions = this.past.get(key).filter((v) => v !== version);
    if (versions.length) {
      this.past.set(key, versions);
    } else {
      this.past.delete(key);
    }
    this.trail = this.trail.filter((v) => v !== version);
    this.place(version.type, version.id, before ?? null);
  }

  announce(change) {
    if (this.undo) {
      this.held.push(change);
    } else {
      this.onChange(change);
    }
  }

  async withTransaction(callback) {
    if (this.undo) {
      return callback(this);
    }
    this.undo = [];
    try {
      const result = await callback(this);
      const changes = this.held;
      this.endTransaction();
      changes.forEach((change) => this.onChange(change));
      return result;
    } catch (err) {
      this.undo.reverse().forEach((step) => step());
      this.endTransaction();
      throw err;
    }
  }

  endTransaction() {
    this.undo = null;
    this.held = [];
  }
}
