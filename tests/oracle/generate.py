"""Random regimens: charts of one patient with one to four MedicationRequests (FHIR R4), from a seed.

The same seed gives the same charts. Values are what orders hold: tablets, millilitres, patches, rates, ranges,
every way of saying how often, bounds, tapers, supplies, statuses, links; and a share of what cannot be read.
Nothing here knows a factor or an answer. Standard library only.
usage: generate.py SEED N     prints N charts, one FHIR Bundle a line
"""
import json
import random
import sys
from datetime import datetime, timedelta, timezone

import med

AT = "2026-03-02T08:00:00Z"
NOW = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
ORDERABLE = "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm"
GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
DOSE_RATE = "http://terminology.hl7.org/CodeSystem/dose-rate-type"
# How a unit of each form is written: (system, code, unit).
UNITS = {
    "tablet": [(UCUM, "{tablet}", "tablet"), (UCUM, "{tbl}", "tbl"), (None, None, "tablets"), (None, None, "tab"), (ORDERABLE, "TAB", "tablet"), (UCUM, "1", "1"), (None, None, None)],
    "capsule": [(UCUM, "{capsule}", "capsule"), (None, None, "cap"), (ORDERABLE, "CAP", "Capsule"), (None, None, "capsules")],
    "suppository": [(UCUM, "{suppository}", "suppository"), (None, None, "suppository")],
    "patch": [(UCUM, "{patch}", "patch"), (None, None, "patches"), (UCUM, "1", "patch"), (None, None, None)],
    "spray": [(UCUM, "{spray}", "spray"), (UCUM, "{actuat}", "actuation"), (None, None, "sprays")],
    "film": [(UCUM, "{film}", "film"), (None, None, "film")],
    "lozenge": [(UCUM, "{lozenge}", "lozenge"), (None, None, "lozenge")],
    "ml": [(UCUM, "mL", "mL"), (None, None, "ml"), (UCUM, "mL", None), (None, None, "mL")],
    "drop": [(UCUM, "[drp]", "drop (0.05 mL)"), (None, None, "drops of 0.04 mL"), (None, None, "gtt = 0.05 mL"), (UCUM, "[drp]", "drop"), (None, None, "drops")],
    "mg": [(UCUM, "mg", "mg"), (None, None, "mg"), (UCUM, "mg{opioid}", "mg"), (None, "mg", "MG")],
    "ug": [(UCUM, "ug", "ug"), (None, None, "mcg"), (None, None, "\u00b5g"), (None, None, "\u03bcg")],
    "g": [(UCUM, "g", "g"), (None, None, "g")],
}
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WHEN = ["MORN", "AFT", "EVE", "NIGHT", "HS", "WAKE", "ACM", "ACV", "CM", "CD", "PCM", "PCD", "C", "AC", "PC"]


def tidy(value):
    value = round(value, 6)
    return int(value) if value == int(value) else value


class Maker:
    def __init__(self, seed, known):
        self.r = random.Random(seed)
        self.shelf = {}
        for p in sorted(known.values(), key=lambda p: int(p.code)):
            self.shelf.setdefault(self.kind_of(p), []).append(p)

    def kind_of(self, p):
        if p.ingredient == "Buprenorphine":
            return "buprenorphine"
        if p.ingredient == "Methadone" and p.form in med.ORAL:
            return "methadone"
        if p.tty in ("SCDC", "SBDC") or not p.form:
            return "component"
        if p.form in ("oral_solid", "oral_liquid", "rectal", "transdermal"):
            return p.form
        if p.form in med.FENTANYL_2016 or p.form == "sublingual_film":
            return "mucosal"
        return "parenteral"

    def some(self, *weighted):
        names, weights = zip(*weighted)
        return self.r.choices(names, weights)[0]

    def chance(self, p):
        return self.r.random() < p

    # ------------------------------------------------------------------------------------------ time
    def date(self, low, high):
        when = NOW + timedelta(days=self.r.randint(low, high), minutes=self.r.randrange(1440))
        style = self.some(("day", 6), ("zulu", 2), ("offset", 1), ("month", 0.3))
        if style == "day":
            return when.strftime("%Y-%m-%d")
        if style == "month":
            return when.strftime("%Y-%m")
        if style == "zulu":
            return when.strftime("%Y-%m-%dT%H:%M:%SZ")
        return when.strftime("%Y-%m-%dT%H:%M:%S") + self.r.choice(["-05:00", "+02:00", "+05:30"])

    def days(self, value, unit=None):
        if unit is None and value % 7 == 0 and self.chance(0.3):
            return self.days(value // 7, "wk")
        if unit is None and value % 30 == 0 and self.chance(0.3):
            return self.days(value // 30, "mo")
        if unit is None and value <= 10 and self.chance(0.1):
            return self.days(value * 24, "h")
        return {"value": value, "system": UCUM, "code": unit or "d", "unit": {"d": "days"}.get(unit or "d", unit)}

    def bounds(self):
        style = self.some(("period", 4), ("duration", 3), ("range", 1), ("start", 1), ("end", 1))
        if style == "duration":
            return {"boundsDuration": self.days(self.r.randint(1, 60))}
        if style == "range":
            low = self.r.randint(1, 20)
            return {"boundsRange": {"low": self.days(low, "d"), "high": self.days(low + self.r.randint(0, 20), "d")}}
        start = self.r.randint(-50, 20)
        period = {}
        if style != "end":
            period["start"] = (NOW + timedelta(days=start)).strftime("%Y-%m-%d")
        if style != "start":
            period["end"] = (NOW + timedelta(days=start + self.r.randint(0, 60))).strftime("%Y-%m-%d")
        if style == "end":
            period["end"] = (NOW + timedelta(days=self.r.randint(-20, 40))).strftime("%Y-%m-%d")
        return {"boundsPeriod": period}

    # ------------------------------------------------------------------------------------------ how much
    def quantity(self, value, kind):
        system, code, unit = self.r.choice(UNITS[kind])
        q = {"value": tidy(value)}
        for key, text in (("system", system), ("code", code), ("unit", unit)):
            if text is not None:
                q[key] = text
        return q

    def unit_kind(self, p):
        if p.form == "oral_solid":
            return "capsule" if "Capsule" in p.name else "tablet"
        return {"oral_liquid": "ml", "rectal": "suppository", "transdermal": "patch", "oral_lozenge": "lozenge",
                "buccal_film": "film", "sublingual_film": "film", "mucosal_spray": "spray", "nasal": "spray",
                "pack": "spray"}.get(p.form, "ml" if p.per == "MG/ML" else "tablet")

    def count(self, kind):
        if kind == "ml":
            return self.r.choice([0.5, 1, 2, 2.5, 5, 7.5, 10, 15, 20])
        return self.r.choice([0.5, 1, 1, 1, 1, 1.5, 2, 2, 3, 4])

    def dose(self, p):
        """A maker of Quantities of one kind of unit, and a plausible value for it."""
        kind = self.unit_kind(p)
        if p.form != "transdermal" and self.chance(0.3):
            mg = float(p.strength) * self.count(kind)
            unit = self.some(("mg", 6), ("ug", 2), ("g", 1))
            return mg * {"mg": 1, "ug": 1000, "g": 0.001}[unit], unit
        return (self.r.choice([1, 1, 1, 1, 2, 2, 3]) if kind == "patch" else self.count(kind)), kind

    def dose_and_rate(self, p):
        if p.form == "transdermal" and self.chance(0.2):
            ug = tidy(self.r.choice([12, 12.5, 25, 37.5, 50, 75, 100, 125]))
            style = self.some(("quantity", 3), ("ratio", 3), ("range", 1))
            if style == "quantity":
                return {"rateQuantity": {"value": ug, "system": UCUM, "code": "ug/h", "unit": "mcg/h"}}
            if style == "ratio":
                hours = self.r.choice([1, 1, 24])
                return {"rateRatio": {"numerator": self.quantity(ug * hours, "ug"), "denominator": {"value": hours, "system": UCUM, "code": "h"}}}
            return {"rateRange": {"low": {"value": ug, "system": UCUM, "code": "ug/h"}, "high": {"value": tidy(ug + 25), "system": UCUM, "code": "ug/h"}}}
        if p.form == "oral_liquid" and self.chance(0.03):
            return {"rateQuantity": {"value": self.r.choice([0.5, 1, 2]), "system": UCUM, "code": self.r.choice(["mL/h", "mg/h"])}}
        value, kind = self.dose(p)
        if self.chance(0.02):
            value = self.r.choice([0, -1])
        if p.per == "MG/ML" and self.chance(0.05):
            kind, value = "drop", self.r.choice([5, 10, 20])
        if self.chance(0.03):
            kind, value = self.r.choice(["patch", "film", "ml", "tablet"]), self.r.choice([0.5, 1, 2])
        if self.chance(0.2):
            ends = {"high": self.quantity(value * self.r.choice([1, 2, 1.5]), kind)}
            if self.chance(0.9):
                ends["low"] = self.quantity(value, kind)
            return {"doseRange": ends}
        return {"doseQuantity": self.quantity(value, kind)}

    def several(self, p):
        """doseAndRate with its repetitions."""
        if self.chance(0.92):
            return [self.dose_and_rate(p)]
        first, second = self.dose_and_rate(p), self.dose_and_rate(p)
        kinds = self.some((("ordered", "calculated"), 4), ((None, "calculated"), 2), ((None, None), 1))
        out = []
        for entry, kind in zip((first, second), kinds):
            if kind:
                entry["type"] = {"coding": [{"system": DOSE_RATE, "code": kind}]}
            out.append(entry)
        self.r.shuffle(out)
        return out

    # ------------------------------------------------------------------------------------------ how often
    def timing(self, p):
        if p.form == "transdermal":
            repeat = self.r.choice([{"frequency": 1, "period": 72, "periodUnit": "h"}, {"frequency": 1, "period": 3, "periodUnit": "d"},
                                    {"frequency": 1, "period": 48, "periodUnit": "h"}, {"frequency": 1, "period": 1, "periodUnit": "wk"},
                                    {"frequency": 1, "period": 7, "periodUnit": "d"}, None])
            return {"repeat": dict(repeat)} if repeat else {}
        style = self.some(("frequency", 40), ("hours", 15), ("time", 8), ("when", 8), ("code", 12), ("days", 8), ("text", 4),
                          ("both", 4), ("none", 2), ("event", 1), ("broken", 2), ("long", 4))
        r = {}
        if style == "frequency":
            r = {"frequency": self.r.randint(1, 6), "period": 1, "periodUnit": "d"}
            if self.chance(0.25):
                r["frequencyMax"] = r["frequency"] + self.r.randint(0, 3)
            if self.chance(0.05):
                r = {"period": 1, "periodUnit": "d"}
        elif style == "hours":
            r = {"frequency": 1, "period": self.r.choice([2, 3, 4, 6, 8, 12, 24, 36, 2.5]), "periodUnit": "h"}
            if self.chance(0.35):
                r["periodMax"] = r["period"] + self.r.choice([1, 2, 4])
            if self.chance(0.1):
                r["frequencyMax"] = 2
            if self.chance(0.05):
                r["period"], r["periodUnit"] = 240, "min"
                r.pop("periodMax", None)
        elif style == "time":
            r = {"timeOfDay": sorted(self.r.sample(["06:00:00", "08:00:00", "12:00:00", "14:00:00", "18:00:00", "20:00:00", "22:00:00"], self.r.randint(1, 5)))}
            if self.chance(0.2):
                r.update(frequency=len(r["timeOfDay"]), period=1, periodUnit="d")
        elif style == "when":
            r = {"when": self.r.sample(WHEN[:-3], self.r.randint(1, 4)) if self.chance(0.7) else [self.r.choice(WHEN[-3:])]}
        elif style == "days":
            r = {"dayOfWeek": self.r.sample(DAYS, self.r.randint(1, 7))}
            extra = self.some(("none", 2), ("frequency", 4), ("time", 2), ("hours", 1), ("when", 1))
            if extra == "frequency":
                r.update(frequency=self.r.randint(1, 4), period=1, periodUnit="d")
            elif extra == "time":
                r["timeOfDay"] = self.r.sample(["08:00:00", "14:00:00", "20:00:00"], self.r.randint(1, 3))
            elif extra == "hours":
                r.update(frequency=1, period=self.r.choice([4, 6, 8, 12]), periodUnit="h")
            elif extra == "when":
                r["when"] = self.r.sample(["MORN", "NOON", "EVE", "HS"], self.r.randint(1, 3))
        elif style == "long":
            r = self.r.choice([{"frequency": 2, "period": 1, "periodUnit": "wk"}, {"frequency": 1, "period": 2, "periodUnit": "d"}, {"frequency": 3, "period": 2, "periodUnit": "wk"},
                               {"frequency": 10, "period": 1, "periodUnit": "mo"}, {"frequency": 1, "period": 3, "periodUnit": "d", "periodMax": 4},
                               {"frequency": 3, "period": 86400, "periodUnit": "s"}, {"frequency": 730, "period": 1, "periodUnit": "a"}])
            r = dict(r)
        elif style == "broken":
            r = dict(self.r.choice([{"frequency": 2}, {"frequency": 2, "period": 1}, {"frequency": 1, "period": 0, "periodUnit": "d"}]))
        if style == "event":
            return {"event": [self.date(-3, 3)]}
        timing = {"repeat": r} if r else {}
        if style in ("code", "both"):
            code = self.r.choice(sorted(med.CODES))
            timing["code"] = {"coding": [{"system": GTS, "code": code}]}
            if style == "both":
                timing["repeat"] = {"frequency": self.r.randint(1, 4), "period": 1, "periodUnit": "d"}
        elif style == "text":
            timing["code"] = {"text": self.r.choice(["BID", "TID", "QID", "QD", "as directed", "2 tablets BID"] + sorted(med.PHRASES))}
            if self.chance(0.2):
                timing["repeat"] = {"count": self.r.randint(5, 60)}
        return timing

    def line(self, p):
        line = {}
        timing, doses = self.timing(p), self.several(p)
        if any("rateQuantity" in d and p.form == "oral_liquid" for d in doses):
            timing = {} if self.chance(0.4) else {"repeat": {"frequency": self.r.randint(1, 3), "period": 1, "periodUnit": "d", "duration": self.r.choice([1, 2, 0.5]), "durationUnit": "h"}}
        if timing:
            line["timing"] = timing
        if self.chance(0.97):
            line["doseAndRate"] = doses
        if self.chance(0.25):
            line.update(self.r.choice([{"asNeededBoolean": True}, {"asNeededBoolean": False}, {"asNeededCodeableConcept": {"text": "pain"}}]))
        if p.form != "transdermal":
            if self.chance(0.08):
                value, kind = self.dose(p)
                bottom = self.r.choice([{"value": 1, "system": UCUM, "code": "d"}, {"value": 24, "system": UCUM, "code": "h"}, {"value": 12, "system": UCUM, "code": "h"}, {"value": 1, "system": UCUM, "code": "wk"}])
                line["maxDosePerPeriod"] = {"numerator": self.quantity(value * self.r.randint(2, 6), kind), "denominator": bottom}
            if self.chance(0.04):
                value, kind = self.dose(p)
                line["maxDosePerAdministration"] = self.quantity(value, kind)
            if self.chance(0.03):
                value, kind = self.dose(p)
                line["maxDosePerLifetime"] = self.quantity(value * self.r.choice([3, 20, 200]), kind)
        if self.chance(0.005):
            line["modifierExtension"] = [{"url": "http://example.org/changes", "valueBoolean": True}]
        return line

    def repeat_of(self, line):
        return line.setdefault("timing", {}).setdefault("repeat", {})

    def lines(self, p):
        style = self.some(("one", 60), ("concurrent", 14), ("sequence", 14), ("none", 5), ("bounded", 7))
        if style == "none":
            return []
        if style == "one":
            lines = [self.line(p)]
            if self.chance(0.15):
                self.repeat_of(lines[0]).update(self.bounds())
            elif self.chance(0.06):
                self.repeat_of(lines[0])["count"] = self.r.randint(1, 90)
                if self.chance(0.3):
                    self.repeat_of(lines[0])["countMax"] = self.repeat_of(lines[0])["count"] + self.r.randint(0, 30)
            return lines
        lines = [self.line(p) for _ in range(self.r.randint(2, 4))]
        if style == "concurrent":
            if self.chance(0.3):
                for line in lines:
                    line["sequence"] = 1
        elif style == "bounded":
            for line in lines:
                if self.chance(0.7):
                    self.repeat_of(line).update(self.bounds())
        else:
            for i, line in enumerate(lines):
                line["sequence"] = i + 1
                if i < len(lines) - 1 and self.chance(0.92) or self.chance(0.4):
                    self.repeat_of(line)["boundsDuration"] = self.days(self.r.randint(1, 30))
            if len(lines) > 2 and self.chance(0.2):
                lines[1]["sequence"] = 1
        return lines

    # ------------------------------------------------------------------------------------------ orders
    def product(self):
        return self.r.choice(self.shelf[self.some(("oral_solid", 50), ("oral_liquid", 10), ("rectal", 2), ("transdermal", 10), ("methadone", 10),
                                                  ("mucosal", 9), ("buprenorphine", 3), ("parenteral", 3), ("component", 2))])

    def supply(self, p, must):
        """dispenseRequest, or None."""
        if not must and self.chance(0.6):
            return None
        kind = self.unit_kind(p)
        out = {}
        if self.chance(0.8):
            count = self.r.choice([5, 10, 15]) if kind == "patch" else self.r.choice([20, 30, 60, 84, 90, 120]) * (5 if kind == "ml" else 1)
            out["quantity"] = {"value": count} if self.chance(0.08) else self.quantity(count, kind)
        if self.chance(0.8):
            out["expectedSupplyDuration"] = self.days(self.r.choice([5, 7, 14, 28, 30, 30, 60]))
        if self.chance(0.3):
            out["numberOfRepeatsAllowed"] = self.r.randint(0, 3)
        if self.chance(0.2):
            start = self.r.randint(-40, 15)
            out["validityPeriod"] = {"start": (NOW + timedelta(days=start)).strftime("%Y-%m-%d"), "end": (NOW + timedelta(days=start + 90)).strftime("%Y-%m-%d")}
        return out

    def order(self, patient, n, p):
        order = {"resourceType": "MedicationRequest", "id": f"{patient}-{n}", "intent": self.some(("order", 95), ("filler-order", 2), ("proposal", 1), ("plan", 1)),
                 "status": self.some(("active", 86), ("draft", 5), ("stopped", 2), ("completed", 2), ("on-hold", 2), ("cancelled", 1), ("entered-in-error", 1), ("unknown", 1)),
                 "subject": {"reference": "Patient/" + patient}}
        extra = []
        coding = {"system": RXNORM, "code": p.code, "display": p.name}
        style = self.some(("concept", 90), ("contained", 4), ("reference", 3), ("unknown", 2), ("lookalike", 1))
        if style == "unknown":
            coding = {"system": RXNORM, "code": "99999999", "display": "amoxicillin 500 MG Oral Capsule"}
        elif style == "lookalike":
            coding = {"system": RXNORM, "code": "99999998", "display": "oxycodone hydrochloride 7 MG Oral Tablet"}
        concept = {"coding": ([{"system": "http://hl7.org/fhir/sid/ndc", "code": "00000000000"}] if self.chance(0.05) else []) + [coding]}
        if style == "contained":
            order["contained"] = [{"resourceType": "Medication", "id": "m", "code": concept}]
            order["medicationReference"] = {"reference": "#m"}
        elif style == "reference":
            extra.append({"resourceType": "Medication", "id": f"m-{patient}-{n}", "code": concept})
            order["medicationReference"] = {"reference": f"Medication/m-{patient}-{n}"}
        else:
            order["medicationCodeableConcept"] = concept
        lines = self.lines(p)
        if lines:
            order["dosageInstruction"] = lines
        if self.chance(0.97) or (len(lines) > 1 and "boundsPeriod" in json.dumps(lines)):
            order["authoredOn"] = self.date(*((-60, -1) if self.chance(0.85) else (0, 20)))
        supply = self.supply(p, not lines and self.chance(0.85))
        if supply:
            order["dispenseRequest"] = supply
        if self.chance(0.01):
            order["doNotPerform"] = True
        if self.chance(0.005):
            order["modifierExtension"] = [{"url": "http://example.org/changes", "valueBoolean": True}]
        if p.ingredient == "Methadone" and self.chance(0.1):
            order["reasonCode"] = [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F11.20"}]}]
        return order, extra

    def chart(self, patient):
        """[Patient, resources...]"""
        out = [{"resourceType": "Patient", "id": patient, "birthDate": "1970-01-01"}]
        orders, p = [], None
        for n in range(self.some((1, 40), (2, 35), (3, 17), (4, 8))):
            again = bool(orders) and self.chance(0.15)  # the same drug: a renewal, or a second prescriber
            p = p if again else self.product()
            order, extra = self.order(patient, n, p)
            if again:
                last = orders[-1]
                for key in ("medicationCodeableConcept", "medicationReference", "contained"):
                    order.pop(key, None)
                    if key in last:
                        order[key] = last[key]
                extra = []
                if "dosageInstruction" in last and "authoredOn" in order and self.chance(0.7):
                    order["dosageInstruction"] = json.loads(json.dumps(last["dosageInstruction"]))
                    order.pop("dispenseRequest", None)
                    if "dispenseRequest" in last:
                        order["dispenseRequest"] = json.loads(json.dumps(last["dispenseRequest"]))
                if self.chance(0.4) and med.order_start(last) <= med.order_start(order) and "boundsPeriod" not in json.dumps([last, order]):
                    order["priorPrescription"] = {"reference": "MedicationRequest/" + last["id"]}
            if len(order.get("authoredOn", "")) == 7 and "boundsPeriod" in json.dumps(order):
                order["authoredOn"] += "-15"  # dates in the directions of an order that has only a month
            orders.append(order)
            out += extra
            out.append(order)
        return out


def bundle(chart):
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in chart]}


if __name__ == "__main__":
    maker = Maker(int(sys.argv[1]), med.products())
    for i in range(int(sys.argv[2])):
        print(json.dumps(bundle(maker.chart(f"p{i}")), ensure_ascii=False))
