/*
 * Killing: a daemon that dies at a chosen system call, and what it left on disk
 *
 * strace counts the calls of a thread and sends SIGKILL at the entry of the n-th one of
 * a kind: whatever that call would have done is not done. A run that only counts gives
 * the numbers to sweep. (strace 6.1 forgets the signal with --seccomp-bpf.)
 */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/* Calls that change what others can see: disk, peers, and the wake-ups between threads. */
export const CALLS = ['write', 'pwrite64', 'writev', 'sendto', 'sendmsg', 'fsync', 'fdatasync', 'ftruncate', 'unlink',
  'rename', 'accept4'];

const STRACE = ['strace', '-f', '-qq'];

/* Words in front of the program: count every call into `file`. */
export function counting(file) {
  return [...STRACE, '-o', file, '-e', `trace=${CALLS}`, '-e', 'signal=none'];
}

/* Words in front of the program: die at the n-th `call` of a thread. */
export function killing({ call, n }) {
  return [...STRACE, '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${n}`];
}

/* What a counting run saw: [{call, n}] with every n that a thread reached. */
export function pointsOf(file) {
  const counts = new Map();
  for (const [, thread, call] of readFileSync(file, 'utf8').matchAll(/^(\d+) +(\w+)\(/gm)) {
    const key = `${call} ${thread}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const most = new Map();
  for (const [key, n] of counts) {
    const call = key.split(' ')[0];
    most.set(call, Math.max(most.get(call) ?? 0, n));
  }
  return [...most].flatMap(([call, n]) => Array.from({ length: n }, (_, i) => ({ call, n: i + 1 })));
}

/* Signal a daemon, not strace in front of it; SIGKILL ends both. */
export function signal(daemon, name) {
  if (daemon.exit) {
    return;
  }
  let watched = 0;
  try {
    const { pid } = daemon.child;
    watched = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
    process.kill(watched || pid, name);
  } catch {
    /* gone in this moment */
  }
  if (name === 'SIGKILL' && watched) {
    daemon.child.kill(name);
  }
}

/* Where short-lived state goes: memory when there is some. */
export function scratch(name) {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), name));
}

/* Run `ask(db)` on a copy of what is on disk; the state itself is not touched. null: no store yet. */
export function leftBehind(state, ask) {
  const file = join(state, 'opiward.db');
  if (!existsSync(file)) {
    return null;
  }
  const copy = scratch('opiward-left-');
  try {
    for (const end of ['', '-wal']) {
      if (existsSync(file + end)) {
        copyFileSync(file + end, join(copy, `opiward.db${end}`));
      }
    }
    const db = new DatabaseSync(join(copy, 'opiward.db'));
    try {
      return ask(db);
    } finally {
      db.close();
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/* A small seeded generator: the same seed, the same points. */
export function generator(seed) {
  let x = seed >>> 0 || 1;
  return (below) => {
    x ^= x << 13; x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5; x >>>= 0;
    return x % below;
  };
}

export function shuffled(list, random) {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const k = random(i + 1);
    [out[i], out[k]] = [out[k], out[i]];
  }
  return out;
}
