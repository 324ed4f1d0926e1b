/*
 * Settings: everything that can be chosen, declared once
 *
 * The same names serve the command line (`--time-scale 0.01`), and, where
 * `live` says so, POST /sim/settings while the simulator runs
 * ({"timeScale": 0.01}).
 */
export const DIALECTS = ['hapi', 'hapi-nopayload', 'hapi-bundle', 'medplum', 'firely', 'none'];

const number = (min, max) => (text) => {
  const value = Number(text);
  if (text === '' || !(value >= min && value <= max)) {
    throw new Error(`must be a number from ${min} to ${max}`);
  }
  return value;
};
const whole = (min, max) => (text) => {
  const value = number(min, max)(text);
  if (!Number.isInteger(value)) {
    throw new Error('must be a whole number');
  }
  return value;
};
const oneOf = (names) => (text) => {
  if (!names.includes(text)) {
    throw new Error(`must be one of ${names.join(', ')}`);
  }
  return text;
};
const text = (value) => String(value);
const bool = (value) => ![false, 'false', 'no', '0'].includes(value);

export const TABLE = {
  port: { read: whole(0, 65535), value: 0, help: 'port on 127.0.0.1; 0 takes a free one' },
  portFile: { read: text, value: null, help: 'write the port here when ready' },
  data: { read: text, value: null, help: 'Bundle (JSON file) to load at start and after a reset' },
  shiftDates: { flag: true, read: bool, value: false, help: "move the data's orders by whole days: its timestamp becomes today" },
  withParent: { flag: true, read: bool, value: false, help: 'stop when standard input closes' },
  dialect: { live: true, read: oneOf(DIALECTS), value: 'hapi', help: `how notifications are sent: ${DIALECTS.join(', ')}` },
  seed: { live: true, read: whole(0, 2 ** 32 - 1), value: 1, help: 'seed of the delivery order' },
  timeScale: { live: true, read: number(0, 100), value: 1, help: 'factor on every retry wait and period' },
  activationDelay: { live: true, read: whole(0, 600_000), value: 50, help: 'ms from requested to active (not scaled)' },
  matchDelay: { live: true, read: whole(0, 600_000), value: 5, help: 'ms from a write to its notification (not scaled)' },
  jitter: { live: true, read: whole(0, 60_000), value: 5, help: 'up to this many ms more, so that order varies' },
  notifyTimeout: { live: true, read: whole(1, 600_000), value: 10_000, help: 'ms a notification may take (not scaled)' },
  pageSize: { live: true, read: whole(1, 1000), value: 20, help: 'entries on a page when _count is not given' },
  maxPageSize: { live: true, read: whole(1, 10_000), value: 200, help: 'most entries on a page' },
  token: { live: true, read: text, value: null, help: 'require this bearer token under /fhir' },
};

export function defaults() {
  return Object.fromEntries(Object.entries(TABLE).map(([name, row]) => [name, row.value]));
}

function optionName(name) {
  return `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
}

export function usage() {
  const rows = Object.entries(TABLE).map(([name, { flag, value, help }]) =>
    `  ${(optionName(name) + (flag ? '' : ' X')).padEnd(24)}${help}${value === null || flag ? '' : ` [${value}]`}`);
  return `usage: run [OPTION...]\n${rows.join('\n')}\n`;
}

/* Read a command line; throws Error with a sentence for the user. */
export function fromArguments(argv) {
  const settings = defaults();
  const names = new Map(Object.keys(TABLE).map((name) => [optionName(name), name]));
  for (let i = 0; i < argv.length; i++) {
    const [option, inline] = argv[i].split(/=(.*)/s);
    const name = names.get(option);
    if (!name) {
      throw new Error(`unknown option ${option}`);
    }
    const row = TABLE[name];
    const given = inline ?? (row.flag ? 'true' : argv[++i]);
    if (given === undefined) {
      throw new Error(`${option} needs a value`);
    }
    settings[name] = readValue(option, row, given);
  }
  return settings;
}

function readValue(label, row, given) {
  try {
    return row.read(given);
  } catch (err) {
    throw new Error(`${label} ${err.message}`);
  }
}

/* Change live settings in place; nothing changes when one of them is wrong. */
export function change(settings, wanted) {
  const read = {};
  for (const [name, given] of Object.entries(wanted)) {
    if (!Object.hasOwn(TABLE, name) || !TABLE[name].live) {
      throw new Error(`"${name}" cannot be changed while running`);
    }
    read[name] = given === null ? TABLE[name].value : readValue(name, TABLE[name], given);
  }
  Object.assign(settings, read);
}
