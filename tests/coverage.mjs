// Coverage of the judgement: what no test reaches, line by line and branch by branch,
// less what tests/coverage-exceptions.txt justifies.
//
//   cmake -B build-cov -G Ninja -DOW_COVERAGE=ON -DCMAKE_BUILD_TYPE=Debug
//   ninja -C build-cov && ctest --test-dir build-cov
//   node tests/coverage.mjs build-cov [--list]
//
// Status 1 when something is neither reached nor justified, or an exception is void.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const [build, list] = process.argv.slice(2);
if (!build) {
  console.error('usage: node tests/coverage.mjs BUILD-FOLDER [--list]');
  process.exit(64);
}
const exceptions = readFileSync('tests/coverage-exceptions.txt', 'utf8')
  .split('\n')
  .filter((l) => l && !l.startsWith('#'))
  .map((l) => {
    const [file, fn, text, why] = l.split(' :: ');
    if (!why) throw new Error(`not "file :: function :: text :: why": ${l}`);
    return { file, fn, text, why, used: 0 };
  });
const report = JSON.parse(execFileSync('gcovr',
  ['-r', '.', '--object-directory', build, '-f', 'alerts/', '--json'],
  { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] }));

// The function each line stands in: clang-format keeps the name of every definition at
// the margin, and nothing else that looks like one.
function functions(source) {
  let name = '';
  return source.map((l) => {
    name = /^[a-z][\w *]*?\b(\w+)\(/.exec(l)?.[1] ?? name;
    return name;
  });
}

let open = 0;
let lines = 0;
let reached = 0;
let branches = 0;
let taken = 0;
let justified = 0;
for (const f of report.files) {
  const source = readFileSync(f.file, 'utf8').split('\n');
  const within = functions(source);
  let missing = 0;
  for (const l of f.lines.filter((x) => !x['gcovr/noncode'])) {
    const dead = l.branches.filter((b) => b.count === 0).length;
    lines += 1;
    reached += l.count > 0 ? 1 : 0;
    branches += l.branches.length;
    taken += l.branches.length - dead;
    if (l.count > 0 && dead === 0) continue;
    const n = l.line_number - 1;
    const text = source[n];
    const e = exceptions.find((x) => (x.file === '*' || x.file === f.file) &&
                                     (x.fn === '*' || x.fn === within[n]) &&
                                     text.includes(x.text));
    if (e) {
      e.used += 1;
      justified += 1;
      continue;
    }
    missing += 1;
    if (list) console.log(`${f.file}:${n + 1}: ${within[n]}: ${l.count > 0 ? `${dead} of ${l.branches.length} branches` : 'line'}: ${text.trim()}`);
  }
  open += missing;
  if (missing && !list) console.log(`${f.file}: ${missing}`);
}
for (const e of exceptions.filter((x) => x.used === 0)) {
  console.log(`void exception: ${e.file} :: ${e.fn} :: ${e.text}`);
  open += 1;
}
const share = (a, b) => `${a} of ${b} (${(100 * a / b).toFixed(1)} %)`;
console.log(`lines ${share(reached, lines)}, branches ${share(taken, branches)}; ` +
            `${justified} places justified, ${open} open`);
process.exit(open ? 1 : 0);
