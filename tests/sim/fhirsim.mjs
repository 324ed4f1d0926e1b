/*
 * The FHIR simulator: process, options, start and stop
 *
 * Prints one line, "ready http://127.0.0.1:PORT/fhir", when it answers. Stops
 * on SIGTERM and SIGINT, and with --with-parent when standard input closes.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { Simulator } from './server.mjs';
import { fromArguments, usage } from './settings.mjs';

const EX_USAGE = 64;

function readSettings(argv) {
  if (argv.includes('--help')) {
    process.stdout.write(usage());
    process.exit(0);
  }
  try {
    return fromArguments(argv);
  } catch (err) {
    process.stderr.write(`fhirsim: ${err.message}\n${usage()}`);
    process.exit(EX_USAGE);
  }
}

function writePort(path, port) {
  const scratch = `${path}.${process.pid}`;
  writeFileSync(scratch, `${port}\n`);
  renameSync(scratch, path);
}

async function main() {
  const settings = readSettings(process.argv.slice(2));
  const sim = new Simulator(settings);
  const port = await sim.listen();
  const stop = () => sim.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (settings.withParent) {
    process.stdin.resume().on('end', stop).on('error', stop);
  }
  if (settings.portFile) {
    writePort(settings.portFile, port);
  }
  process.stdout.write(`ready http://127.0.0.1:${port}/fhir\n`);
}

main().catch((err) => {
  process.stderr.write(`fhirsim: ${err.stack ?? err}\n`);
  process.exit(1);
});
