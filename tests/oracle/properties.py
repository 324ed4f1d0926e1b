"""Properties of opiward over random charts: what must not change the answer.

usage: properties.py OPIWARD [--seed S] [--n N] [--batch B] [--keep FILE] [--show K]

Each chart is judged as it is and changed in one way, the ways in turn:

  order      the dosage lines and the resources stand in another order
  halves     one order becomes two, each with half of every dose and half of the supply (not
             where a limit per order or a smallest unit would make it another order)
  units      mg are written as ug and g
  ids        every id and reference has another name
  shift      every date, and --at with them, is 28 days later (weekdays stay)
  inactive   a stopped order of another opioid stands beside
  merged     two Bundles of two patients are one

Compared: the totals now and at the peak, atLeast, and every order's class, med and medLow; of
halves the totals. Nothing here computes a dose. Exit status 0 when nothing differs.
"""
import argparse
import collections
import copy
import json
import random
import re
import sys
import time
from datetime import datetime, timedelta

import compare
import generate
import med
from med import F

SHIFT = timedelta(days=28)
AT = generate.AT
AT_LATER = (datetime.fromisoformat(AT.replace("Z", "+00:00")) + SHIFT).strftime("%Y-%m-%dT%H:%M:%SZ")
DATE = re.compile(r"^\d{4}-\d\d-\d\d(T.*)?$")


def walk(node, change):
    """A copy of a JSON tree with change(key, value) applied to each member."""
    if isinstance(node, dict):
        return {k: walk(change(k, v), change) for k, v in node.items()}
    return [walk(v, change) for v in node] if isinstance(node, list) else node


def same(chart):
    return {r["id"]: r["id"] for r in chart}


def order(chart, r):
    out = copy.deepcopy(chart)
    for resource in out:
        r.shuffle(resource.get("dosageInstruction", []))
    orders = out[1:]
    r.shuffle(orders)
    return out[:1] + orders


def units(chart, r):
    def change(key, value):
        if not isinstance(value, dict) or "value" not in value or med.unit_of(value) not in ("mg", "milligram"):
            return value
        q = {"value": value["value"], "system": generate.UCUM}
        number = F(str(value["value"]))
        q["code"], scaled = r.choice([("ug", number * 1000), ("g", number / 1000)])
        q["value"] = int(scaled) if scaled.denominator == 1 else float(scaled)
        return q if F(str(q["value"])) == scaled else value

    return walk(chart, change)


def ids(chart, r):
    def change(key, value):
        if key == "id":
            return "n-" + value
        if key == "reference":
            return "#n-" + value[1:] if value.startswith("#") else value.replace("/", "/n-")
        return value

    return walk(chart, change)


def shift(chart, r):
    if any(len(x.get("authoredOn", "2026-01-01")) < 10 for x in chart):
        return None  # a month is not 28 days later

    def change(key, value):
        if isinstance(value, str) and key in ("authoredOn", "start", "end") and DATE.match(value):
            if len(value) == 10:
                return (datetime.strptime(value, "%Y-%m-%d") + SHIFT).strftime("%Y-%m-%d")
            return (datetime.fromisoformat(value.replace("Z", "+00:00")) + SHIFT).isoformat()
        return value

    return walk(chart, change)


def inactive(chart, r):
    patient = chart[0]["id"]
    return chart + [{"resourceType": "MedicationRequest", "id": patient + "-x", "intent": "order",
                     "status": r.choice(["stopped", "cancelled", "completed", "entered-in-error"]), "authoredOn": "2026-02-20",
                     "subject": {"reference": "Patient/" + patient},
                     "medicationCodeableConcept": {"coding": [{"system": generate.RXNORM, "code": r.choice(["1049683", "864706", "197696"])}]},
                     "dosageInstruction": [{"timing": {"repeat": {"frequency": 4, "period": 1, "periodUnit": "d"}},
                                            "doseAndRate": [{"doseQuantity": {"value": 10, "system": generate.UCUM, "code": "mg"}}]}]}]


def halves(chart, r):
    """The first order twice, with half of each amount; None where half of it is not half the dose."""
    at = next((i for i, x in enumerate(chart) if x["resourceType"] == "MedicationRequest"), None)
    text = json.dumps(chart[at])
    if "priorPrescription" in json.dumps(chart) or len([x for x in chart if x["resourceType"] == "MedicationRequest"]) > 1 or "dispenseRequest" in text:
        return None  # linked, or continued by another: which half is?

    def change(key, value):
        if isinstance(value, dict) and "value" in value and key in ("doseQuantity", "low", "high", "rateQuantity", "numerator",
                                                                    "maxDosePerAdministration", "maxDosePerLifetime"):
            if med.unit_of(value) not in med.SECONDS:
                half = F(str(value["value"])) / 2
                return {**value, "value": int(half) if half.denominator == 1 else float(half)}
        return value

    first = walk(chart[at], change)
    second = {**copy.deepcopy(first), "id": first["id"] + "-2"}
    return chart[:at] + [first, second] + chart[at + 1:]


CHANGES = [("order", order), ("halves", halves), ("units", units), ("ids", ids), ("shift", shift), ("inactive", inactive), ("merged", None)]


def figures(v, prefix=""):
    """What is compared of a verdict: the totals, and each order by its old name."""
    m = v["med"]
    orders = {o["reference"].replace("/n-", "/"): (compare.CLASS.get(o["role"], "not counted"), o["med"], o["medLow"]) for o in v["orders"]}
    return (m["now"], m["peak"], m["atLeast"]), orders


def near(a, b):
    if a is None or b is None or isinstance(a, (str, bool)):
        return a == b
    return abs(F(str(a)) - F(str(b))) <= compare.TOLERANCE


def breach(name, before, after):
    (total, orders), (total2, orders2) = figures(before), figures(after)
    if not all(map(near, total, total2)):
        return f"totals {total}, then {total2}"
    if name == "halves":
        return None
    for ref, what in orders.items():
        if not all(map(near, what, orders2.get(ref, ("missing", None, None)))):
            return f"{ref} {what}, then {orders2.get(ref)}"
    return None


def merged(opiward, charts, table):
    """Two by two in one Bundle; the verdicts of the single ones must come out again."""
    lines = []
    for a, b in zip(charts[::2], charts[1::2]):
        lines.append(generate.bundle(a + b))
    return compare.run(opiward, lines, table)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("opiward")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--n", type=int, default=3500)
    ap.add_argument("--batch", type=int, default=500)
    ap.add_argument("--keep")
    ap.add_argument("--show", type=int, default=12)
    opt = ap.parse_args()
    known, done, wrong, tried, started = med.products(), 0, 0, collections.Counter(), time.monotonic()
    keep = open(opt.keep, "w", encoding="utf-8") if opt.keep else None
    turn = 0
    while done < opt.n:
        name, change = CHANGES[turn % len(CHANGES)]
        table = ("cdc-2022", "cdc-2016")[turn // len(CHANGES) % 2]
        r = random.Random(opt.seed * 7919 + turn)
        maker = generate.Maker(opt.seed * 1000003 + 500000000 + done, known)
        charts = [maker.chart(f"p{i}") for i in range(min(opt.batch, opt.n - done))]
        done += len(charts)
        turn += 1
        before = compare.run(opt.opiward, [x for c in charts for x in c], table)
        if name == "merged":
            after = merged(opt.opiward, charts[:len(charts) // 2 * 2], table)
            changed = [(c, c) for c in charts[:len(charts) // 2 * 2]]
        else:
            changed = [(c, change(c, r)) for c in charts]
            changed = [(c, d) for c, d in changed if d is not None]
            after = compare.run(opt.opiward, [x for _, d in changed for x in d], table, AT_LATER if name == "shift" else AT)
        after = {k.replace("/n-", "/"): v for k, v in after.items()}
        tried[name] += len(changed)
        for chart, other in changed:
            ref = "Patient/" + chart[0]["id"]
            why = breach(name, before[ref], after[ref]) if ref in after else "no verdict"
            if why is None:
                continue
            wrong += 1
            if wrong <= opt.show:
                print(f"-- {name}, {table}, {ref}: {why}")
            if keep:
                keep.write(json.dumps({"name": name, "table": table, "found": [[why, None, None]], "bundle": generate.bundle(chart), "changed": generate.bundle(other)}) + "\n")
    print(f"{sum(tried.values())} charts ({', '.join(f'{n} {c}' for c, n in tried.items())}), {wrong} breaches; {time.monotonic() - started:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
