/*
 * The demonstration: one morning of prescribing, told at the terminal
 *
 * A FHIR server (the simulator) and the real daemon; each scene is a change on the server.
 * What is shown comes from the parts themselves: the daemon's log, what it posted, and
 * `opiward evaluate` over the patient's record for the arithmetic. Dates are fixed, so that
 * the same morning is told every day.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, OPIWARD } from '../integration/daemon.mjs';
import { Sim } from '../sim/client.mjs';

const tty = process.stdout.isTTY === true;
const colour = tty && !process.env.NO_COLOR;
const paint = (code, text) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
const bold = (t) => paint('1', t);
const tint = { critical: (t) => paint('1;31', t), warning: (t) => paint('33', t), info: (t) => paint('36', t) };
const say = (text = '') => console.log(text);
const pause = () => (tty ? sleep(1500) : undefined);

const PATIENT = 'p1';
const today = new Date().toISOString().slice(0, 10);
const at = (time) => `${today}T${time}:00Z`;
const order = (time, fields) => ({ patient: PATIENT, authoredOn: at(time), days: 30, ...fields });

let sim;
let daemon;
let seenCards = 0;
let seenVerdicts = 0;

async function settle() {
  await sim.idle({ timeoutMs: 10_000, quietMs: 150 });
  await daemon.until((m) => m.jobs === 0 && m.inbox_waiting === 0 && m.outbox_due === 0);
  await sim.idle({ timeoutMs: 10_000, quietMs: 100 });
}

function indent(text, by = '    ') {
  return text.trimEnd().split('\n').map((l) => by + l).join('\n');
}

async function arithmetic() {
  const [orders, patient] = await Promise.all([
    sim.search(`MedicationRequest?patient=${PATIENT}&_include=MedicationRequest:medication`),
    sim.read(`Patient/${PATIENT}`),
  ]);
  const bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: patient }, ...orders.map((e) => ({ resource: e.resource }))] };
  const run = spawnSync(OPIWARD, ['evaluate', '--format', 'text', '--config', daemon.config, '-'], { input: JSON.stringify(bundle), encoding: 'utf8' });
  if (run.status !== 0) {
    return `opiward evaluate: ${run.stderr}`;
  }
  /* The figures and the orders; what was found is told by what was posted, below. */
  const [head, ...parts] = run.stdout.split('\n\n');
  const [, med] = head.split('\n');
  return [med, ...parts.filter((p) => /^(Orders|Sedatives|Held back)/.test(p))].join('\n');
}

function tellCards(cards) {
  for (const { body } of cards) {
    for (const alert of body.alerts) {
      const state = alert.state === 'open' ? (alert.revision === 0 ? 'new' : 'changed') : 'resolved';
      say(`  ${bold('alert')}   ${(tint[alert.tier] ?? bold)(`${alert.rule}, ${alert.tier}`)}, ${state}${alert.reason ? `: ${alert.reason}` : ''}`);
    }
    for (const card of body.cards) {
      say(`  ${bold('card')}    ${(tint[card.indicator] ?? bold)(card.summary)}`);
    }
  }
}

async function tellPosts() {
  const own = (list, of) => list.filter((r) => of(r) === `Patient/${PATIENT}`);
  const issues = own(await sim.stored('DetectedIssue'), (r) => r.patient.reference);
  const tasks = own(await sim.stored('Task'), (r) => r.for.reference);
  say(`  ${bold('posted')}  to the webhook, and to the FHIR server, which now holds for this patient`);
  say(`          ${issues.map((i) => `DetectedIssue/${i.id} (${i.severity}, version ${i.meta.versionId})`).join(', ')}`);
  say(`          ${tasks.map((t) => `Task/${t.id} (${t.status})`).join(', ')}`);
}

function tellHeldBack() {
  const verdicts = daemon.lines('verdict');
  const held = verdicts.slice(seenVerdicts).reduce((n, v) => n + Number(v.unchanged), 0);
  seenVerdicts = verdicts.length;
  if (held) {
    say(`  ${bold('held')}    ${held} finding(s) not sent again: told before and unchanged`);
  }
}

async function scene(time, title, change) {
  say();
  say(bold(`${time}  ${title}`));
  await change();
  await settle();
  say(indent(await arithmetic()));
  const cards = await sim.cards();
  const fresh = cards.slice(seenCards);
  seenCards = cards.length;
  tellCards(fresh);
  tellHeldBack();
  if (fresh.length) {
    await tellPosts();
  } else {
    say(`  ${bold('posted')}  nothing: there is nothing new to say`);
  }
  await pause();
}

async function morning() {
  await scene('08:05', 'Dr. Marrowby starts oxycodone 10 mg, one tablet three times a day', () =>
    sim.order(order('08:05', { id: 'demo-oxy', drug: 'oxycodone10', sig: { frequency: 3 } })));
  await scene('08:40', 'Dr. Nettlecombe, who does not know, adds hydromorphone 2 mg, one tablet every 6 hours as needed', () =>
    sim.order(order('08:40', { id: 'demo-hydro', drug: 'hydromorphone2', requester: 'Practitioner/prac2', sig: { frequency: 1, period: 6, periodUnit: 'h', prn: true } })));
  await scene('09:10', 'Dr. Ottershaw adds lorazepam 1 mg at night: a benzodiazepine on top of opioids', () =>
    sim.order(order('09:10', { id: 'demo-lora', drug: 'lorazepam1', requester: 'Practitioner/prac3', sig: { frequency: 1 } })));
  await scene('09:45', 'Dr. Marrowby renews the oxycodone; the new order names the one it replaces', () =>
    sim.order(order('09:45', { id: 'demo-oxy-2', drug: 'oxycodone10', sig: { frequency: 3 }, priorPrescription: { reference: 'MedicationRequest/demo-oxy' } })));
  await scene('10:20', 'Dr. Nettlecombe stops the hydromorphone', () => sim.stopOrder('demo-hydro'));
  await scene('11:00', 'An order arrives whose directions nobody can compute: "use as discussed"', () =>
    sim.order(order('11:00', { id: 'demo-sig', drug: 'morphineEr30', sig: 'use as discussed', dispenseRequest: undefined })));
}

async function finish() {
  say();
  say(bold('What to look at next'));
  say(`  evaluate  build/opiward evaluate --format text FILE...   the same judgement on your own FHIR files`);
  say(`  check     build/opiward check                            configuration, tables and keys`);
  say(`  hooks     GET /cds-services on the daemon's port          the CDS Hooks services`);
  say(`  settings  conf/opiward.yaml                               every key at its default`);
  say(`  tests     make test`);
}

async function stop() {
  const status = await daemon?.stop();
  await sim?.close();
  return status ?? 0;
}

async function main() {
  say(bold('opiward: opioid safety alerts from FHIR medication orders'));
  say('A FHIR server with synthetic patients and the daemon start; then a morning is played for');
  say('one patient, Ambrosine Quillfeather, 68. MED is the cumulative morphine-equivalent dose, in');
  say('MME a day. All patients are invented.');
  sim = await Sim.start({ data: true, dialect: 'hapi', timeScale: 0.1, activationDelay: 10 });
  daemon = await Daemon.start({ sim, settings: { sinks: { webhook_url: sim.webhookUrl() }, site: { task_owner: 'Organization/pharmacy' } } });
  await daemon.until((m) => m.subscription_active === 1);
  await settle();
  seenCards = (await sim.cards()).length;
  seenVerdicts = daemon.lines('verdict').length;
  say();
  say(`The server is at ${sim.base}; opiward listens on ${daemon.origin}. It found no Subscription of`);
  say(`its own, made one, and judged the ${seenVerdicts} patient(s) who had orders already.`);
  await morning();
  await finish();
}

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    if (!stopping) {
      stopping = true;
      say('\nStopping.');
      await stop();
      process.exit(0);
    }
  });
}
try {
  await main();
  if (!stopping) {
    process.exitCode = await stop();
  }
} catch (err) {
  if (!stopping) {
    console.error(err.message);
    await stop();
    process.exitCode = 70;
  }
}
