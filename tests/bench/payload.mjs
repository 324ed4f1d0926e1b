/*
 * Payloads of the figures, all synthetic, the same bytes in every run
 *
 *   payload.mjs FOLDER
 *
 * quiet.json    order-sign whose patient needs no card: nothing to say
 * cards.json    order-sign of the same size that ends in cards
 * whole.json    the same with all kinds in the prefetch, @P@ for the patient and @I@ for
 *               the instance
 * notice.lua    wrk script: PUT of a 4 KB MedicationRequest, a new one every time,
 *               spread over 500 patients; $MORE is put in front of its members
 * hook.lua      wrk script: POST of the file $BODY
 * notice.json   one such MedicationRequest, for the figures of the JSON reader
 * bundle.json   a searchset of 400 orders, likewise
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { order } from '../sim/orders.mjs';

const HOOK_BYTES = 10 * 1024;
const NOTICE_BYTES = 4400;
const AUTHORED = new Date(Date.now() - 2 * 86_400_000).toISOString();

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
const write = (name, text) => writeFileSync(join(folder, name), text);

const searchset = (resources) => ({
  resourceType: 'Bundle', type: 'searchset', total: resources.length,
  entry: resources.map((resource) => ({ fullUrl: `https://ehr.example.org/fhir/${resource.resourceType}/${resource.id}`, resource, search: { mode: 'match' } })),
});

/* What servers add to a resource, and what makes it as long as real ones are. */
const dressed = (fields) => ({
  ...order({ authoredOn: AUTHORED, ...fields }),
  meta: { versionId: '1', lastUpdated: AUTHORED, profile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-medicationrequest'] },
  category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/medicationrequest-category', code: 'community', display: 'Community' }] }],
  encounter: { reference: 'Encounter/floor-1' },
});

const QUIET = ['lisinopril10', 'metformin500', 'atorvastatin20', 'amlodipine5', 'omeprazole20', 'levothyroxine50'];
const OTHERS = {
  lisinopril10: ['314076', 'lisinopril 10 MG Oral Tablet'],
  metformin500: ['861007', 'metformin hydrochloride 500 MG Oral Tablet'],
  atorvastatin20: ['617310', 'atorvastatin 20 MG Oral Tablet'],
  amlodipine5: ['197361', 'amlodipine 5 MG Oral Tablet'],
  omeprazole20: ['198051', 'omeprazole 20 MG Delayed Release Oral Capsule'],
  levothyroxine50: ['966222', 'levothyroxine sodium 0.05 MG Oral Tablet'],
};
const CARDS = ['oxycodone10', 'morphineEr30', 'lorazepam1', 'gabapentin300', 'hydrocodone5', 'zolpidem5'];

/* `drugs` in the prefetch, as many orders as make HOOK_BYTES; one opioid as the draft. */
function hook(drugs, draftSig) {
  const prefetch = (n) => ({
    patient: { resourceType: 'Patient', id: 'h1', gender: 'female', birthDate: '1970-01-01', name: [{ family: 'Example', given: ['Ada'] }] },
    orders: searchset(Array.from({ length: n }, (_, i) => {
      const name = drugs[i % drugs.length];
      return dressed({ id: `rx${i}`, patient: 'h1', drug: OTHERS[name] ?? name, sig: { frequency: 1 } });
    })),
  });
  let n = 1;
  while (JSON.stringify(prefetch(n)).length < HOOK_BYTES) {
    n++;
  }
  return JSON.stringify({
    hook: 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
    context: { userId: 'Practitioner/prac1', patientId: 'h1', draftOrders: searchset([dressed({ id: 'draft', patient: 'h1', drug: 'oxycodone5', status: 'draft', sig: draftSig })]) },
    prefetch: prefetch(n),
  });
}

const notice = (id, patient) => {
  const o = dressed({ id, patient, drug: 'oxycodone5', sig: { frequency: 2 } });
  o.note = [{ text: '' }];
  o.note[0].text = 'Reviewed with the patient. '.repeat(200).slice(0, NOTICE_BYTES - JSON.stringify(o).length);
  return JSON.stringify(o);
};

const lua = (s) => `[==[${s}]==]`;
const [before, between, after] = notice('@I@', '@P@').slice(1).split(/@[IP]@/); /* the patient comes first */

write('quiet.json', hook(QUIET, { frequency: 1 }));
write('cards.json', hook(CARDS, { frequency: 4 }));

/* The same with every kind that rules look at; patient and instance change with each call. */
const KINDS = ['conditions', 'observations', 'procedures', 'encounters', 'serviceRequests', 'carePlans', 'dispenses', 'consents'];
const condition = (id, code, text) => ({ resourceType: 'Condition', id, clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] }, code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code, display: text }], text }, subject: { reference: 'Patient/h1' }, recordedDate: AUTHORED });
const whole = JSON.parse(hook(CARDS, { frequency: 4 }));
for (const kind of KINDS) {
  whole.prefetch[kind] = searchset(kind === 'conditions' ? [condition('c1', 'M54.50', 'Low back pain'), condition('c2', 'I10', 'Hypertension')] : []);
}
whole.hookInstance = '@I@';
write('whole.json', JSON.stringify(whole).replaceAll('Patient/h1', 'Patient/@P@').replaceAll('"h1"', '"@P@"'));

write('notice.json', notice('n-1', 'p1'));
write('bundle.json', JSON.stringify(searchset(Array.from({ length: 400 }, (_, i) => dressed({ id: `b${i}`, patient: 'p1', sig: { frequency: 2 } })))));
write('hook.lua', `local f = io.open(os.getenv("BODY"), "rb"); local b = f:read("*a"); f:close()
wrk.method = "POST"; wrk.body = b; wrk.headers["Content-Type"] = "application/json"
`);
write('notice.lua', `local n, run, at = 0, os.getenv("RUN"), os.getenv("AT")
local headers = { ["Content-Type"] = "application/fhir+json" }
local a, b, c = "{" .. (os.getenv("MORE") or "") .. ${lua(before)}, ${lua(between)}, ${lua(after)}
request = function()
  n = n + 1
  local id = run .. "-" .. n
  return wrk.format("PUT", at .. "/MedicationRequest/" .. id, headers, a .. "p" .. n % 500 .. b .. id .. c)
end
`);
