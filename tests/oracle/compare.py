"""Compare opiward with the second implementation on random regimens.

usage: compare.py OPIWARD [--seed S] [--n N] [--batch B] [--keep FILE] [--show K]

Charts are made in batches, written as newline-delimited resources to `opiward evaluate`, and judged here by
med.py; batches take turns with the factors of 2022 and 2016. Compared for each order: its class (counted,
unreadable, excluded, not counted), med and medLow; for each patient: totals now and at the peak, atLeast.
Figures may differ by 0.01 MME/d, which is their rounding. Differing charts go to FILE as Bundles, one a line.
Exit status 0 when nothing differs.
"""
import argparse
import collections
import json
import subprocess
import sys
import time

import generate
import med

TOLERANCE = med.F(1, 100)
CLASS = {"counted": "counted", "unreadable": "unreadable", "excluded": "excluded"}


def run(opiward, resources, table, at=generate.AT):
    """{patient reference: verdict} of newline-delimited resources."""
    text = "\n".join(json.dumps(r, ensure_ascii=False) for r in resources)
    done = subprocess.run([opiward, "evaluate", "--preset", table, "--at", at, "-"], input=text.encode(), capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"opiward: exit {done.returncode}: {done.stderr.decode(errors='replace')[:400]}")
    return {v["patient"]: v for v in map(json.loads, done.stdout.decode().splitlines())}


def near(ours, theirs):
    if ours is None or theirs is None:
        return ours is None and theirs is None
    return abs(ours - med.F(str(theirs))) <= TOLERANCE


def differences(mine, verdict):
    """What of one chart differs: (what, ours, theirs)."""
    out = []
    theirs = {o["reference"]: o for o in verdict["orders"]}
    for ref, (role, high, low) in mine.orders.items():
        o = theirs.get(ref)
        got = CLASS.get(o["role"], "not counted") if o else "missing"
        if got != role:
            out.append((f"{ref} class", role, got + ": " + str(o and o["reason"])))
        elif role == "counted":
            if not near(high, o["med"]):
                out.append((f"{ref} med", float(high), o["med"]))
            if not near(low, o["medLow"]):
                out.append((f"{ref} medLow", float(low), o["medLow"]))
    m = verdict["med"]
    for what, ours, got in (("now", mine.now, m["now"]), ("peak", mine.peak, m["peak"])):
        if not near(ours, got):
            out.append((what, ours if ours is None else float(ours), got))
    if mine.at_least != m["atLeast"]:
        out.append(("atLeast", mine.at_least, m["atLeast"]))
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("opiward")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--n", type=int, default=20000)
    ap.add_argument("--batch", type=int, default=4000)
    ap.add_argument("--keep")
    ap.add_argument("--show", type=int, default=12)
    opt = ap.parse_args()
    known, at = med.products(), med.instant(generate.AT)
    counts, wrong, done, started = collections.Counter(), 0, 0, time.monotonic()
    keep = open(opt.keep, "w", encoding="utf-8") if opt.keep else None
    while done < opt.n:
        size = min(opt.batch, opt.n - done)
        table = ("cdc-2022", "cdc-2016")[done // opt.batch % 2]
        maker = generate.Maker(opt.seed * 1000003 + done, known)
        charts = [maker.chart(f"p{i}") for i in range(size)]
        verdicts = run(opt.opiward, [r for c in charts for r in c], table)
        for chart in charts:
            mine = med.evaluate(chart, at, table, known)
            counts.update(role for role, _, _ in mine.orders.values())
            found = differences(mine, verdicts["Patient/" + chart[0]["id"]])
            if not found:
                continue
            wrong += 1
            if wrong <= opt.show:
                print(f"-- {table}, seed {opt.seed}: {chart[0]['id']} of the batch from {done}")
                for what, ours, got in found:
                    print(f"   {what}: second implementation {ours}, opiward {got}")
            if keep:
                keep.write(json.dumps({"table": table, "found": found, "bundle": generate.bundle(chart)}) + "\n")
        done += size
    seconds = time.monotonic() - started
    print(f"{done} regimens, {sum(counts.values())} orders ({', '.join(f'{n} {c}' for c, n in sorted(counts.items()))}), {wrong} differ; {seconds:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
