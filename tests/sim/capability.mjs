/*
 * Capability: the /metadata statement of the simulated server
 */
import { resourceTypes, searchParamsOf } from './definitions.mjs';

const INTERACTIONS = ['read', 'vread', 'update', 'patch', 'delete', 'create', 'search-type',
  'history-instance', 'history-type'];

function resourceEntry(type, withSubscriptions) {
  const params = Object.values(searchParamsOf(type)).filter((p) => p.code);
  const codes = type === 'Subscription' && !withSubscriptions ? [] : INTERACTIONS;
  return {
    type,
    interaction: (codes.length ? codes : ['read', 'search-type']).map((code) => ({ code })),
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: true,
    conditionalUpdate: true,
    conditionalDelete: 'single',
    searchInclude: params.filter((p) => p.type === 'reference').map((p) => `${type}:${p.code}`),
    searchParam: params.map((p) => ({ name: p.code, type: p.type })),
  };
}

export function capabilityStatement(base, settings, startedAt) {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: startedAt,
    kind: 'instance',
    software: { name: 'FHIR simulator', version: `1.0.0 (${settings.dialect})` },
    implementation: { description: 'Synthetic data for tests and demonstrations', url: base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    rest: [{
      mode: 'server',
      interaction: ['transaction', 'batch', 'history-system'].map((code) => ({ code })),
      resource: resourceTypes().map((type) => resourceEntry(type, settings.dialect !== 'none')),
    }],
  };
}
