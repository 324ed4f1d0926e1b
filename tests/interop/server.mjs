/*
 * Start and stop the real FHIR server from Node
 *
 *   const server = await startServer();          // builds first if need be
 *   ... server.base is "http://127.0.0.1:PORT/fhir", server.pid the JVM's process ...
 *   await server.stop();                         // SIGTERM, resolves with the exit code
 *
 * With INTEROP_BASE set, that running server is used and left running.
 * Options: version "R4" | "R5", waitMs for the start (a first build downloads), log: file for the server's log.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const pause = (ms) => new Promise((r) => setTimeout(r, ms));

export async function startServer({ version = 'R4', waitMs = 900_000, log } = {}) {
    if (process.env.INTEROP_BASE)
        return { base: process.env.INTEROP_BASE, pid: 0, startMs: 0, stop: async () => 0 };

    const dir = mkdtempSync(join(tmpdir(), 'interop-'));
    const urlFile = join(dir, 'url');
    const env = { ...process.env, INTEROP_LOG: log ?? join(dir, 'log') };
    const began = Date.now();
    const child = spawn(join(here, 'run'), ['start', urlFile, join(dir, 'stop'), version], {
        env, stdio: ['ignore', 'ignore', 'inherit'],
    });
    let code = null;
    const ended = new Promise((r) => child.once('exit', (c, signal) => r((code = c ?? signal))));
    const killWithUs = () => child.kill('SIGTERM');
    process.once('exit', killWithUs);

    const read = () => { try { return readFileSync(urlFile, 'utf8').trim(); } catch { return ''; } };
    let base = '';
    while (!(base = read())) {
        if (code !== null || Date.now() - began > waitMs) {
            child.kill('SIGTERM');
            throw new Error(`FHIR server did not start (exit ${code}); see ${env.INTEROP_LOG}`);
        }
        await pause(100);
    }
    return {
        base, pid: child.pid, startMs: Date.now() - began, log: env.INTEROP_LOG,
        async stop() {
            process.removeListener('exit', killWithUs);
            child.kill('SIGTERM');
            const hard = setTimeout(() => child.kill('SIGKILL'), 20_000);
            await ended;
            clearTimeout(hard);
            rmSync(dir, { recursive: true, force: true });
            return code;
        },
    };
}
