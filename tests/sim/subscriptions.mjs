/*
 * Subscriptions: from a stored Subscription to notifications
 *
 * Watches every change of the store. A Subscription that asks for `requested`
 * becomes `active` a little later, as a new version; a change that meets the
 * criteria of an active one becomes a delivery. With dialect `none` nothing
 * ever happens, as on servers without an engine; with `firely` only what came
 * through /administration is acted on, once per period and newest version only.
 */
import { parseSearchRequest } from '@medplum/core';
import { dialectNamed, HAPI } from './dialects.mjs';
import { isResourceType } from './definitions.mjs';
import { refusal } from './outcome.mjs';
import { matches } from './search.mjs';

const STRATEGY = `${HAPI}subscription-matching-strategy`;

function invalid(code, text) {
  return refusal(422, 'processing', `${code}: ${text}`);
}

/* Criteria "Type?params" to a search request; null when it is something else. */
function criteriaOf(text) {
  const [type, query = ''] = text.split(/\?(.*)/s);
  return isResourceType(type) && text.includes('?') ? parseSearchRequest(query ? text : type) : null;
}

/* What HAPI refuses on create and update. */
export function checkSubscription(sub) {
  const { status, criteria, channel } = sub;
  if (!['requested', 'active'].includes(status)) {
    return; /* stored, but never processed */
  }
  if (!criteria?.trim()) {
    throw invalid('HAPI-0011', 'Subscription.criteria must be populated');
  }
  const type = criteria.split('?')[0];
  if (!/^[A-Za-z]+$/.test(type) || !criteria.includes('?')) {
    throw invalid('HAPI-0014', 'Subscription.criteria must be in the form "{Resource Type}?[params]"');
  }
  if (!isResourceType(type)) {
    throw invalid('HAPI-0013', `Subscription.criteria contains invalid/unsupported resource type: ${type}`);
  }
  if (!channel?.type) {
    throw invalid('HAPI-0020', 'Subscription.channel.type must be populated');
  }
  if (channel.type === 'rest-hook' && !channel.endpoint?.trim()) {
    throw invalid('HAPI-0021', 'Rest-hook subscriptions must have Subscription.channel.endpoint defined');
  }
  if (channel.payload && !/^application\/(fhir\+)?(json|xml)(\+fhir)?\s*(;|$)/.test(channel.payload)) {
    throw invalid('HAPI-1985', `Invalid value for Subscription.channel.payload: ${channel.payload}`);
  }
}

export class Subscriptions {
  constructor({ settings, store, delivery }) {
    this.settings = settings;
    this.store = store;
    this.delivery = delivery;
    this.administered = new Set(); /* ids that came through /administration */
    this.timers = new Set();
    this.changed = new Map(); /* firely: "Type/id" -> newest change of this period */
  }

  reset() {
    this.timers.forEach(clearTimeout);
    this.timers.clear();
    this.administered.clear();
    this.changed.clear();
  }

  get pending() {
    return this.timers.size;
  }

  later(ms, work) {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, ms);
    this.timers.add(timer);
  }

  /* Called by the store for every change that is certain. */
  onChange(change) {
    const dialect = dialectNamed(this.settings.dialect);
    if (!dialect) {
      return;
    }
    if (change.type === 'Subscription') {
      this.activateLater(change, dialect);
      return;
    }
    if (dialect.period) {
      this.collect(change, dialect);
      return;
    }
    const wanted = this.wanted(change, dialect);
    if (wanted.length) {
      this.later(this.settings.matchDelay, () => this.deliver(wanted, change, dialect));
    }
  }

  acts(dialect, id) {
    return !dialect.period || this.administered.has(id);
  }

  activateLater({ resource }, dialect) {
    if (resource?.status !== 'requested' || resource.channel.type !== 'rest-hook') {
      return;
    }
    const { versionId } = resource.meta;
    this.later(this.settings.activationDelay, () => {
      const now = this.store.current('Subscription', resource.id);
      if (now?.meta.versionId === versionId && this.acts(dialect, now.id)) {
        this.activate(now);
      }
    });
  }

  activate(sub) {
    const active = { ...structuredClone(sub), status: 'active' };
    if (this.settings.dialect.startsWith('hapi')) {
      const others = (active.meta.tag ?? []).filter((t) => t.system !== STRATEGY);
      active.meta.tag = [...others, { system: STRATEGY, code: 'IN_MEMORY', display: 'In-memory' }];
    }
    this.store.write('Subscription', sub.id, active, true);
  }

  /* Active Subscriptions this change is for. A deleted resource is judged by its last state. */
  wanted(change, dialect) {
    const resource = change.resource ?? change.before;
    return [...this.store.ofType('Subscription').values()].filter((sub) => {
      if (sub.status !== 'active' || sub.channel.type !== 'rest-hook' || !this.acts(dialect, sub.id)
          || !dialect.wants(sub, change) || (sub.end && Date.parse(sub.end) < Date.now())) {
        return false;
      }
      const criteria = criteriaOf(sub.criteria);
      return criteria !== null && matches(resource, criteria);
    });
  }

  deliver(subs, change, dialect) {
    for (const sub of subs) {
      this.delivery.submit({ dialect, sub, change, tools: { store: this.store } });
    }
  }

  collect(change, dialect) {
    if (this.wanted(change, dialect).length === 0) {
      this.changed.delete(`${change.type}/${change.id}`);
      return;
    }
    if (this.changed.size === 0) {
      this.later(dialect.period * this.settings.timeScale, () => this.evaluate(dialect));
    }
    this.changed.set(`${change.type}/${change.id}`, change);
  }

  evaluate(dialect) {
    const changes = [...this.changed.values()];
    this.changed.clear();
    for (const change of changes) {
      this.deliver(this.wanted(change, dialect), change, dialect);
    }
  }
}
