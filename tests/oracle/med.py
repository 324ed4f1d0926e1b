"""The MED arithmetic a second time.

A chart is a Patient and its MedicationRequests as Python dictionaries (FHIR R4). evaluate() says what each
order amounts to in morphine milligram equivalents a day (MME/d), and the totals. Written from the FHIR R4
pages of Dosage and Timing, the two CDC conversion tables and the policy in README.md; it shares no code with
the C engine and reads only the list of products from conf/knowledge. The factors are typed here, from the
CDC text. Standard library only; every number is a Fraction, nothing is rounded; instants are whole seconds
UTC. A dose that cannot be read raises Unreadable inside this file and becomes the class "unreadable".
"""
import csv
import os
import re
from datetime import datetime, timedelta, timezone
from fractions import Fraction as F

# ---------------------------------------------------------------------------------------------- factors
# CDC Clinical Practice Guideline 2022 (MMWR Recomm Rep 71(3)), table "Morphine milligram equivalent doses for
# commonly prescribed opioids for pain management": per mg by mouth; the patch per mcg/h.
CDC_2022 = {"Codeine": "0.15", "Hydrocodone": "1", "Hydromorphone": "5", "Methadone": "4.7", "Morphine": "1",
            "Oxycodone": "1.5", "Oxymorphone": "3", "Tapentadol": "0.4", "Tramadol": "0.2"}
# CDC, "Calculating total daily dose of opioids" (2016), and for what that sheet leaves out the conversion
# table of CDC's oral MME compilation of 2016.
CDC_2016 = {"Codeine": "0.15", "Hydrocodone": "1", "Hydromorphone": "4", "Morphine": "1", "Oxycodone": "1.5",
            "Oxymorphone": "3", "Tapentadol": "0.4", "Tramadol": "0.1", "Dihydrocodeine": "0.25",
            "Levomethadyl": "8", "Levorphanol": "11", "Meperidine": "0.1", "Opium": "1", "Pentazocine": "0.37",
            "Propoxyphene": "0.23"}
# Methadone in 2016: up to and including 20, 40, 60 mg a day in total, and above.
METHADONE_2016 = ((20, 4), (40, 8), (60, 10), (None, 12))
# Fentanyl through a mucous membrane, 2016, per mcg.
FENTANYL_2016 = {"buccal_tablet": "0.13", "sublingual_tablet": "0.13", "oral_lozenge": "0.13", "buccal_film": "0.18",
                 "mucosal_spray": "0.18", "pack": "0.18", "nasal": "0.16"}
PATCH = F("2.4")
ORAL = {"oral_solid", "oral_liquid", "rectal"}  # CDC's compilation gives rectal forms the oral factor


def band(mg_per_day):
    for upper, factor in METHADONE_2016:
        if upper is None or mg_per_day <= upper:
            return F(factor)


def factor_of(product, table, methadone_total):
    """MME per mg (per mcg/h for a patch), or None where the table has none."""
    name, form = product.ingredient, product.form
    if form == "transdermal":
        return PATCH if name == "Fentanyl" else None
    if form in ORAL:
        if name == "Methadone" and table == "cdc-2016":
            return band(methadone_total)
        value = (CDC_2022 if table == "cdc-2022" else CDC_2016).get(name)
        return F(value) if value else None
    if table == "cdc-2016" and name == "Fentanyl" and form in FENTANYL_2016:
        return F(FENTANYL_2016[form]) * 1000
    if table == "cdc-2016" and name == "Butorphanol" and form == "nasal":
        return F(7)
    return None


# ---------------------------------------------------------------------------------------------- products
class Product:
    def __init__(self, row):
        self.code, self.name, self.tty = row["rxcui"], row["drug_name"], row["tty"]
        self.ingredient, self.form = row["ingredient_name"], row["form_class"]
        self.strength, self.per = F(row["strength_value"]), row["strength_unit"]
        self.patch = row["is_patch"] == "1" or self.per == "MG/HR"
        self.hours = int(row["patch_hours"]) if row["patch_hours"] else None
        self.release = bool(row["er_la"])
        self.kind = (self.ingredient, row["form_class"], self.release, self.strength, self.per)
        self.component = not self.form  # RxNorm's drug component: ingredient and strength, no dose form
        if self.component and self.per == "MG/HR":
            self.form = "transdermal"
        elif self.component and self.per == "MG/ACTUAT" and self.ingredient == "Butorphanol":
            self.form = "nasal"  # the one form that it comes in by the spray
        elif self.component and self.per == "MG" and self.ingredient != "Fentanyl":
            self.form = "oral_solid"  # one unit has so many mg, and the tables have one factor for what is swallowed


def products(folder=None):
    folder = folder or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../conf/knowledge")
    with open(os.path.join(folder, "opioid_products.tsv"), encoding="utf-8", newline="") as f:
        return {row["rxcui"]: Product(row) for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)}


# ---------------------------------------------------------------------------------------------- time
DAY = 86400
HORIZON = 90  # days from the asked instant in which the peak is looked for: policy
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
ALWAYS, NEVER = -(1 << 60), 1 << 60  # a span without start, without end
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": DAY, "wk": 7 * DAY, "mo": 30 * DAY, "a": 365 * DAY}


def instant(text, end=False):
    """First second of a date, dateTime or partial date; with end, the first second after it."""
    if len(text) > 10:
        when = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return int((when - EPOCH) / timedelta(seconds=1)) + (1 if end else 0)
    part = [int(x) for x in text.split("-")]
    year, month, day = (part + [1, 1])[:3]
    if end and len(part) == 1:
        year += 1
    elif end and len(part) == 2:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    at = datetime(year, month, day, tzinfo=timezone.utc) + timedelta(days=1 if end and len(part) == 3 else 0)
    return int((at - EPOCH) / timedelta(seconds=1))


# ---------------------------------------------------------------------------------------------- quantities
class Unreadable(Exception):
    pass


class Foreign(Exception):
    """Something may change the meaning of the whole order: not even its supply may be used."""


MICRO = {"ug", "mcg", "\u00b5g", "\u03bcg", "microgram", "micrograms"}
MASS = {"mg": F(1), "g": F(1000), "milligram": F(1), "milligrams": F(1), "gram": F(1000), "grams": F(1000),
        **{u: F(1, 1000) for u in MICRO}}
VOLUME = {"ml": F(1), "milliliter": F(1), "milliliters": F(1), "cc": F(1), "l": F(1000), "dl": F(100)}
WORDS = {"tablet": {"tablet", "tablets", "tab", "tabs", "tbl"}, "capsule": {"capsule", "capsules", "cap", "caps"},
         "patch": {"patch", "patches"}, "spray": {"spray", "sprays", "actuat", "actuation", "actuations"},
         "film": {"film", "films"}, "lozenge": {"lozenge", "lozenges"}, "suppository": {"suppository", "suppositories"}}
WORD = {w: kind for kind, all_words in WORDS.items() for w in all_words}
FITS = {"oral_solid": {"tablet", "capsule"}, "rectal": {"suppository"}, "transdermal": {"patch"},
        "mucosal_spray": {"spray"}, "nasal": {"spray"}, "pack": {"spray"}, "buccal_film": {"film"},
        "sublingual_film": {"film"}, "oral_lozenge": {"lozenge"}, "buccal_tablet": {"tablet", "capsule"},
        "sublingual_tablet": {"tablet", "capsule"}, "oral_liquid": set()}


def counts(unit, product):
    """Whether a number with this unit counts units of the product; any word will do where its form is not known,
    but a patch or a spray."""
    kind = WORD.get(unit)
    if product.component:
        return unit in ("", "1") or kind not in (None, "patch", "spray") or (product.form, kind) in (("transdermal", "patch"), ("nasal", "spray"))
    return (unit in ("", "1") and product.form != "pack") or kind in FITS.get(product.form, ())  # packs or sprays?


def number(quantity):
    if not isinstance(quantity, dict) or quantity.get("value") is None or quantity.get("comparator"):
        raise Unreadable("no value")
    value = F(str(quantity["value"]))
    if value <= 0:
        raise Unreadable("not above zero")
    return value


def unit_of(quantity):
    """The unit as lower-case words: the code where there is one, else the printed unit; annotations are
    the unit itself when nothing else is there ({tablet}), else they are only remarks (mg{oxycodone})."""
    code, unit = quantity.get("code"), quantity.get("unit")
    text = ((unit if code == "1" else code) or unit or "").strip()  # the code 1 says only that it is a number
    if text.startswith("{") and text.endswith("}"):
        return text[1:-1].strip().lower()
    if "{" in text:
        text = text[:text.index("{")] + text[text.index("}") + 1:]
    return text.strip().lower()


def drop(quantity):
    """mL in a drop where its unit states them, else None: the code of a drop alone does not."""
    stated = re.fullmatch(r"(?:drops?|gtts?)(?: of | = | ?\()([0-9.]+) ?ml\)?", (quantity.get("unit") or "").strip().lower())
    return F(stated.group(1)) if stated and quantity.get("code") in (None, "[drp]") else None


def amount(quantity, product):
    """One dose: mg, or for a patch the mcg/h that it releases."""
    value, unit = number(quantity), unit_of(quantity)
    if product.patch:
        each = product.strength * 1000
        if unit in ("", "1") or WORD.get(unit) == "patch":
            return value * each
        if "/" in unit:
            return rate(quantity, product)
        raise Unreadable("a patch is counted or has a rate")
    if unit in MASS:
        return value * MASS[unit]
    if unit in VOLUME or drop(quantity):
        if product.per != "MG/ML":
            raise Unreadable("a volume of what has no concentration")
        return value * (VOLUME.get(unit) or drop(quantity)) * product.strength
    if counts(unit, product):
        if product.per not in ("MG", "MG/ACTUAT"):
            raise Unreadable("a count of what comes by volume")
        return value * product.strength
    raise Unreadable("unit " + unit)


def rate(quantity, product):
    """mg per hour, for a patch mcg per hour, from one quantity such as 25 ug/h."""
    value, unit = number(quantity), unit_of(quantity)
    top, slash, bottom = unit.partition("/")
    if not slash or bottom not in ("h", "hr", "d", "min"):
        raise Unreadable("not a rate")
    per_hour = value / {"h": 1, "hr": 1, "d": 24, "min": F(1, 60)}[bottom]
    if top in MASS:
        per_hour *= MASS[top]
    elif top in VOLUME and product.per == "MG/ML":
        per_hour *= VOLUME[top] * product.strength
    else:
        raise Unreadable("not a rate of mass or volume")
    return per_hour * (1000 if product.patch else 1)


def rate_of_ratio(ratio, product):
    top, bottom = ratio.get("numerator"), ratio.get("denominator")
    unit = unit_of(bottom or {})
    if unit not in SECONDS:
        raise Unreadable("a rate per what")
    hours = number(bottom) * F(SECONDS[unit], 3600)
    top_unit, value = unit_of(top or {}), number(top)
    if top_unit in MASS:
        mg = value * MASS[top_unit]
    elif top_unit in VOLUME and product.per == "MG/ML":
        mg = value * VOLUME[top_unit] * product.strength
    else:
        raise Unreadable("not a rate of mass or volume")
    return mg * (1000 if product.patch else 1) / hours


def duration(quantity):
    unit = unit_of(quantity)
    if unit not in SECONDS:
        raise Unreadable("a duration in " + unit)
    return number(quantity) * SECONDS[unit]


# ---------------------------------------------------------------------------------------------- timing
# HL7 v3 GTS abbreviations, as FHIR R4 lists them: times a day.
CODES = {"BID": F(2), "TID": F(3), "QID": F(4), "AM": F(1), "PM": F(1), "QD": F(1), "QOD": F(1, 2), "Q1H": F(24),
         "Q2H": F(12), "Q3H": F(8), "Q4H": F(6), "Q6H": F(4), "Q8H": F(3), "BED": F(1), "WK": F(1, 7), "MO": F(1, 30)}
# Words in place of a code, where nothing else says how often: (fewest, most) a day. Other words are not read.
PHRASES = {"every 6 hours": (4, 4), "Every 4 to 6 hours as needed for pain": (4, 6), "q8h prn": (3, 3), "PO BID": (2, 2),
           "three times a day": (3, 3), "at bedtime": (1, 1), "every other day": (F(1, 2), F(1, 2)), "q4-6h": (4, 6)}
ALL_MEALS = {"C", "AC", "PC"}  # before, with or after meals: three of them a day


def times_a_day(timing):
    """(fewest, most) administrations a day, or None where the timing does not say.

    What is said twice must agree; where it does not, every reading stays possible. FHIR on Timing.code: either
    the code or the data may be used."""
    repeat, said = timing.get("repeat") or {}, []
    days = set(repeat.get("dayOfWeek") or ())
    share = F(len(days), 7) if days else F(1)
    if repeat.get("timeOfDay"):
        n = len(set(repeat["timeOfDay"]))
        said.append((n * share, n * share))
    if repeat.get("when"):
        n = sum(3 if w in ALL_MEALS else 1 for w in set(repeat["when"]))
        said.append((n * share, n * share))
    if repeat.get("period") is not None or repeat.get("frequency") is not None or repeat.get("frequencyMax") is not None:
        said.append(by_frequency(repeat, days))
    elif days and not said:
        said.append((share, share))
    code = timing.get("code") or {}
    for key in [c.get("code") for c in code.get("coding") or ()] + [code.get("text")]:
        if key in CODES:
            said.append((CODES[key], CODES[key]))
            break
    if not said and code.get("text") in PHRASES:
        said.append(tuple(F(n) for n in PHRASES[code["text"]]))
    if not said:
        return None
    low, high = min(low for low, _ in said), max(high for _, high in said)
    count = repeat.get("countMax", repeat.get("count"))
    if count is not None:  # no day holds more doses than there are
        low, high = min(low, F(count)), min(high, F(count))
    return low, high


def by_frequency(repeat, days):
    period, unit = repeat.get("period"), repeat.get("periodUnit")
    if period is None or unit not in SECONDS:
        raise Unreadable("a frequency in what period")
    frequency = repeat.get("frequency", 1)
    most = max(frequency, repeat.get("frequencyMax", frequency))
    shortest = F(str(period)) * SECONDS[unit] / DAY
    longest = max(F(str(repeat.get("periodMax", period))) * SECONDS[unit] / DAY, shortest)
    if shortest <= 0 or frequency <= 0:
        raise Unreadable("not above zero")
    share = F(1)
    if days and unit in ("s", "min", "h", "d") and shortest <= 1:
        share = F(len(days), 7)  # so often, on these days only; per week it is already a count of the week
    return frequency / longest * share, most / shortest * share


# ---------------------------------------------------------------------------------------------- dosage
def codes_of(concept):
    return {c.get("code") for c in (concept or {}).get("coding") or ()} | {(concept or {}).get("text")}


def ordered(dose_and_rate):
    """The one doseAndRate that was ordered: marked so, else without a type; a calculated one restates it."""
    if len(dose_and_rate) == 1:
        return dose_and_rate[0]
    for wanted in ([d for d in dose_and_rate if "ordered" in codes_of(d.get("type"))],
                   [d for d in dose_and_rate if not d.get("type")]):
        if len(wanted) == 1:
            return wanted[0]
        if wanted:
            break
    raise Unreadable("more than one dose could be the ordered one")


def pair(low, high):
    if low is not None and low > high:
        raise Unreadable("a range that ends below its beginning")
    return (low if low is not None else high), high


def one_dose(entry, product):
    """(least, most) of one administration, or None."""
    if entry.get("doseQuantity"):
        value = amount(entry["doseQuantity"], product)
        return value, value
    if entry.get("doseRange"):
        ends = entry["doseRange"]
        low = amount(ends["low"], product) if ends.get("low") else None
        return pair(low, amount(ends.get("high"), product))
    return None


def one_rate(entry, product):
    if entry.get("rateQuantity"):
        value = rate(entry["rateQuantity"], product)
        return value, value
    if entry.get("rateRatio"):
        value = rate_of_ratio(entry["rateRatio"], product)
        return value, value
    if entry.get("rateRange"):
        ends = entry["rateRange"]
        return pair(rate(ends["low"], product) if ends.get("low") else None, rate(ends.get("high"), product))
    return None


def line_daily(line, product):
    """(least, most) a day of one dosage line: mg, for a patch mcg/h worn."""
    timing = line.get("timing") or {}
    entry = ordered(line["doseAndRate"]) if line.get("doseAndRate") else {}
    dose, speed = one_dose(entry, product), one_rate(entry, product)
    if product.patch:  # the rate of what is worn, however often it is changed
        if dose is None and speed is None:
            raise Unreadable("no dose")
        if dose is not None and line.get("maxDosePerAdministration"):
            cap = amount(line["maxDosePerAdministration"], product)
            dose = min(dose[0], cap), min(dose[1], cap)
        return dose or speed
    repeat = timing.get("repeat") or {}
    try:
        often = times_a_day(timing)
    except Unreadable:
        if not line.get("maxDosePerPeriod"):
            raise
        often = None  # how often cannot be read, but what is the most a day can
    if dose is None and speed is not None:
        hours, often = F(24), often if repeat.get("duration") is not None and often else (F(1), F(1))
        if repeat.get("duration") is not None:
            hours = F(str(repeat["duration"])) * SECONDS[repeat["durationUnit"]] / 3600
        dose = speed[0] * hours, speed[1] * hours  # all day long where no duration is said
    elif dose is not None and line.get("maxDosePerAdministration"):
        cap = amount(line["maxDosePerAdministration"], product)
        dose = min(dose[0], cap), min(dose[1], cap)
    limit = None
    if line.get("maxDosePerPeriod"):
        ratio = line["maxDosePerPeriod"]
        limit = amount(ratio.get("numerator"), product) * DAY / duration(ratio.get("denominator") or {})
    if dose is None or often is None:
        if limit is None:
            raise Unreadable("no dose" if dose is None else "no frequency")
        daily = limit, limit
    else:
        daily = dose[0] * often[0], dose[1] * often[1]
        if limit is not None:
            daily = min(daily[0], limit), min(daily[1], limit)
    if line.get("maxDosePerLifetime"):
        cap = amount(line["maxDosePerLifetime"], product)
        daily = min(daily[0], cap), min(daily[1], cap)
    return daily


# ---------------------------------------------------------------------------------------------- spans
def line_span(line, start):
    """(from, until) of a dosage line that would begin at start; until None: it does not say."""
    repeat = (line.get("timing") or {}).get("repeat") or {}
    begin, ends = start, []
    if repeat.get("boundsPeriod"):
        bounds = repeat["boundsPeriod"]
        if bounds.get("start"):
            begin = instant(bounds["start"])
        if bounds.get("end"):
            ends.append(instant(bounds["end"], end=True))
    elif repeat.get("boundsDuration"):
        if begin != ALWAYS:
            ends.append(begin + duration(repeat["boundsDuration"]))
    elif repeat.get("boundsRange"):
        if begin != ALWAYS:
            ends.append(begin + duration(repeat["boundsRange"]["high"]))
    count = repeat.get("countMax", repeat.get("count"))
    if count is not None and begin != ALWAYS:
        try:
            often = times_a_day(line["timing"])
        except Unreadable:
            often = None
        if often:
            ends.append(begin + max(F(count) / often[0], F(1)) * DAY)
    return begin, min(ends) if ends else None


def order_start(order):
    request = order.get("dispenseRequest") or {}
    start = (request.get("validityPeriod") or {}).get("start") or order.get("authoredOn")
    return instant(start) if start else ALWAYS


def start_slack(order):
    """Seconds from the earliest to the last day on which an order begins whose date is only a month or a year."""
    text = order.get("authoredOn") or ""
    if len(text) >= 10 or not text or ((order.get("dispenseRequest") or {}).get("validityPeriod") or {}).get("start"):
        return 0
    return instant(text, end=True) - DAY - instant(text)


def supply_quantity(request, product):
    """What one supply holds, in the product's own units (tablets, mL, patches)."""
    quantity = request.get("quantity")
    if not quantity:
        raise Unreadable("no quantity supplied")
    unit = unit_of(quantity)
    if product.per == "MG/ML":
        if unit not in VOLUME and unit != "":  # policy: a supply without a unit is in what the strength is per
            raise Unreadable("supply without a volume")
        return number(quantity) * VOLUME.get(unit, 1)
    if counts(unit, product):
        return number(quantity)
    raise Unreadable("supply in " + unit)


def from_supply(order, product):
    request = order.get("dispenseRequest") or {}
    units = supply_quantity(request, product)
    if product.component and product.per == "MG/ML":
        raise Unreadable("a component by volume: swallowed or injected?")
    if not request.get("expectedSupplyDuration"):
        raise Unreadable("no days supplied")
    days = duration(request["expectedSupplyDuration"]) / DAY
    if product.patch:
        return units * (product.hours or 72) / 24 / days * product.strength * 1000
    return units / days * product.strength


def supply_end(order, product, start, daily):
    """When the supply is used up, refills included; None: not said."""
    request = order.get("dispenseRequest") or {}
    fills = 1 + (request.get("numberOfRepeatsAllowed") or 0)
    if start == ALWAYS:
        return None
    try:
        if request.get("expectedSupplyDuration"):
            return start + duration(request["expectedSupplyDuration"]) * fills
        if daily is None or product.per == "MG/ACTUAT":
            return None
        if product.patch:
            worn = daily / (product.strength * 1000)
            return start + supply_quantity(request, product) / worn * (product.hours or 72) * 3600 * fills
        return start + supply_quantity(request, product) * product.strength * fills / daily * DAY
    except Unreadable:
        return None


class Step:
    """A dosage line in force: [begin, until), least and most a day."""
    def __init__(self, begin, until, low, high, told=1):
        self.begin, self.until, self.low, self.high, self.told = begin, until, low, high, told

    def covers(self, at):
        return self.begin <= at < self.until


def layout(lines, start):
    """[(line, span)], and where the order of things is lost (begin, groups) or None.

    Lines of one sequence number are taken together, the next number begins where the one before ends; lines
    without a number are in force beside them. Where a group does not say when it ends, nobody knows when those
    after it begin, unless the lines are put at different times of one day: then they are taken together."""
    alone = [i for i, line in enumerate(lines) if "sequence" not in line]
    numbers = sorted({line["sequence"] for line in lines if "sequence" in line})
    groups = [[i for i, line in enumerate(lines) if line.get("sequence") == n] for n in numbers]
    placed = [(i, line_span(lines[i], start)) for i in alone]
    begin = start
    for k, group in enumerate(groups):
        spans = [(i, line_span(lines[i], begin)) for i in group]
        if k + 1 < len(groups) and any(until is None for _, (_, until) in spans):
            if apart(lines, groups):
                return [(i, line_span(lines[i], start)) for i in range(len(lines))], None
            return placed, (begin, groups[k:])
        placed += spans
        begin = max((until for _, (_, until) in spans if until is not None), default=begin)
    return placed, None


DAY_TIMES = {"MORN", "AFT", "EVE", "NIGHT", "HS", "WAKE", "NOON", "ACM", "ACD", "ACV", "CM", "CD", "CV", "PCM", "PCD", "PCV"}


def stated_times(line):
    """The times of day that a line is put at, or None where it is not."""
    timing = line.get("timing") or {}
    repeat = timing.get("repeat") or {}
    code = [c.get("code") for c in (timing.get("code") or {}).get("coding") or ()]
    if repeat.get("timeOfDay"):
        return set(repeat["timeOfDay"])
    if repeat.get("when"):
        return set(repeat["when"]) if set(repeat["when"]) <= DAY_TIMES else None
    named = {{"AM": "MORN", "PM": "AFT", "BED": "HS"}.get(c) for c in code} - {None}
    if not code and (timing.get("code") or {}).get("text") == "at bedtime":
        named = {"HS"}
    return named or None


def apart(lines, groups):
    times = [[stated_times(lines[i]) for i in group] for group in groups]
    for k, group in enumerate(times):
        for other in times[:k]:
            if any(a is None or b is None or a & b for a in group for b in other):
                return False
    return True


def read_steps(order, product):
    """The order as steps."""
    start = order_start(order)
    lines = order.get("dosageInstruction") or []
    if any(line.get("modifierExtension") for line in lines):
        raise Foreign()
    if product.component and product.per == "MG/ML":
        raise Unreadable("a component by volume: swallowed or injected?")
    daily = [line_daily(line, product) for line in lines]
    if not lines:
        raise Unreadable("no dosage")
    dated = any("boundsPeriod" in ((line.get("timing") or {}).get("repeat") or {}) for line in lines)
    slack = start_slack(order)
    if (start == ALWAYS or slack) and not dated:
        return undated(lines, daily, start, slack)
    return place(lines, daily, start)


def place(lines, daily, start):
    placed, rest = layout(lines, start)
    steps = [Step(begin, until, *daily[i]) for i, (begin, until) in placed]
    return steps + (this_or_later(*rest, lines, daily) if rest else [])


def pieces(steps):
    """Steps side by side as steps one after the other: (from, until, low, high)."""
    cuts = sorted({s.begin for s in steps} | {s.until for s in steps if s.until is not None})
    out = []
    for cut, following in zip(cuts, cuts[1:] + [None]):
        now = [s for s in steps if s.begin <= cut and (s.until is None or cut < s.until)]
        if now:
            out.append((cut, following, sum(s.low for s in now), sum(s.high for s in now)))
    return out


def undated(lines, daily, start, slack):
    """Nobody knows on which day the order began, so nobody knows how far it has come: anything from the least to
    the most that it ever is, from the first day to the last that it may last."""
    told = pieces(place(lines, daily, 0 if start == ALWAYS else start))
    if not told:
        raise Unreadable("the dosage covers no time")
    last = None if start == ALWAYS or told[-1][1] is None else told[-1][1] + slack
    return [Step(start, last, min(low for _, _, low, _ in told), max(high for _, _, _, high in told), len(told))]


def this_or_later(begin, groups, lines, daily):
    """Groups of which the first does not say when it ends. As long as its lines with an end last, it is in force;
    from then on it is the lines of it without an end, or a later group, and nobody knows which."""
    first = [(i, *line_span(lines[i], begin)) for i in groups[0]]
    cuts = sorted({b for _, b, _ in first} | {u for _, _, u in first if u is not None})
    settled = max([u for _, _, u in first if u is not None], default=begin)
    later = [(sum(daily[i][0] for i in g), sum(daily[i][1] for i in g)) for g in groups[1:]]
    steps = []
    for cut, following in zip(cuts, cuts[1:] + [None]):
        now = [daily[i] for i, b, u in first if b <= cut and (u is None or cut < u)]
        sums = ([(sum(low for low, _ in now), sum(high for _, high in now))] if now else []) + (later if cut >= settled else [])
        if sums:
            steps.append(Step(cut, following, min(low for low, _ in sums), max(high for _, high in sums)))
    return steps


# ---------------------------------------------------------------------------------------------- orders
OPIOID_USE_DISORDER = ("F11.1", "F11.2", "F11.9")


def last_end(spans):
    """The last end of spans that have one; one that ends before it begins tells none, unless they all do."""
    return max([u for b, u in spans if u > b] or [u for _, u in spans])


class Order:
    def __init__(self, resource, chart, known):
        self.resource = resource
        self.ref = "MedicationRequest/" + resource["id"]
        self.active = (resource.get("status") in ("active", "draft") and not resource.get("doNotPerform")
                       and resource.get("intent") not in ("proposal", "plan", "option"))
        self.product, self.looks = self.identify(chart, known)
        self.steps, self.role, self.replaced_at = [], None, NEVER
        self.begin, self.until = order_start(resource), NEVER

    def identify(self, chart, known):
        concept = self.resource.get("medicationCodeableConcept")
        reference = (self.resource.get("medicationReference") or {}).get("reference")
        if reference:
            if reference.startswith("#"):
                held = [c for c in self.resource.get("contained") or () if c["id"] == reference[1:]]
            else:
                held = [r for r in chart if r["resourceType"] + "/" + r["id"] == reference]
            concept = held[0].get("code") if held else None
        codings = (concept or {}).get("coding") or []
        for c in codings:
            if c.get("system") == "http://www.nlm.nih.gov/research/umls/rxnorm" and c.get("code") in known:
                return known[c["code"]], True
        names = " ".join([c.get("display") or "" for c in codings] + [(concept or {}).get("text") or ""]).lower()
        return None, any(name in names for name in ("codone", "morph", "fentanyl", "tramadol", "methadone", "codeine"))

    def judge(self):
        """Role before any look at the other orders, and the steps of what can be counted."""
        if not self.active:
            self.role = "not counted"
            return
        if self.product is None:
            self.role = "unknown"
            self.begin, until = self.stated_span()
            self.until = NEVER if until is None else until
            return
        if self.product.ingredient == "Buprenorphine" or self.for_use_disorder():
            self.role = "excluded"
        low = high = None
        try:
            if self.resource.get("modifierExtension"):
                raise Foreign()
            self.steps = read_steps(self.resource, self.product)
            told = pieces(self.steps)
            if len(told) == 1 and self.steps[0].told == 1:
                high = told[0][3]
        except Unreadable:
            try:
                value = from_supply(self.resource, self.product)
                self.steps = [Step(*self.stated_span(), value, value)]
            except Unreadable:
                self.steps = []
        except Foreign:
            self.steps = []
        if self.role is None:
            self.role = "counted" if self.steps else "unreadable"
        self.fix_span(high)

    def for_use_disorder(self):
        reasons = [c.get("code", "") for r in self.resource.get("reasonCode") or () for c in r.get("coding") or ()]
        return self.product.ingredient == "Methadone" and any(r.startswith(OPIOID_USE_DISORDER) for r in reasons)

    def stated_span(self):
        """(from, until) as the timing has it, whatever the dose; until None: it does not say."""
        start = order_start(self.resource)
        lines = self.resource.get("dosageInstruction") or []
        placed, rest = layout(lines, start)
        spans = [span for _, span in placed] + ([(rest[0], None)] if rest else [])
        if not spans:
            return start, None
        return min(b for b, _ in spans), None if any(u is None for _, u in spans) else last_end(spans) + self.slack(lines)

    def slack(self, lines):
        return 0 if "boundsPeriod" in str(lines) else start_slack(self.resource)

    def named_times(self):
        """Every instant at which the directions say that something begins or ends."""
        lines = self.resource.get("dosageInstruction") or []
        placed, rest = layout(lines, order_start(self.resource))
        spans = [span for _, span in placed] + ([line_span(lines[i], rest[0]) for i in rest[1][0]] if rest else [])
        return [t for span in spans for t in span if t is not None]

    def fix_span(self, daily):
        """Bounds, else the supply, else open; written into the steps that say nothing themselves."""
        spans = [(s.begin, s.until) for s in self.steps]
        spans = spans or [self.stated_span()]
        self.begin = min(b for b, _ in spans)
        # Supply runs from the start of the order.
        self.supply = supply_end(self.resource, self.product, self.begin, None if self.role == "excluded" else daily)
        slack = self.slack(self.resource.get("dosageInstruction"))
        self.open = any(u is None for _, u in spans)
        known = [last_end([(b, u) for b, u in spans if u is not None])] if any(u is not None for _, u in spans) else []
        if self.supply is not None and any(t >= self.supply for t in self.named_times()):
            self.supply = None  # the directions name that time or a later one: that is not how long the order lasts
        if self.supply is not None:
            self.supply += slack
        self.half_end = max(known) if not self.open else self.supply
        self.until = NEVER if self.open else max(known)

    def settle(self, at):
        """Once at is known: a supply that ends later ends the order; one that has ended does not, because the
        order is still active."""
        if self.open:
            end = self.supply if self.supply is not None and self.supply > at else NEVER
            for s in self.steps:
                if s.until is None:
                    s.until = end
            self.until = max([end] + [s.until for s in self.steps if s.until > s.begin])
        if self.backwards(at):
            self.role, self.until = "unreadable" if self.role == "counted" else self.role, NEVER
        if self.until <= at:
            self.role = "not counted"

    def backwards(self, at):
        """Directions that end before they, which are to come, begin: they do not say that the order is over."""
        placed, rest = layout(self.resource.get("dosageInstruction") or [], order_start(self.resource))
        if self.until <= at and not rest and any(u is not None and u <= b and b > at for _, (b, u) in placed):
            return True
        return self.until <= self.begin and self.begin > at

    def amount(self, at, high=True, own=False):
        """What is in force at an instant; with own whether or not another order has replaced it by then."""
        if at >= self.replaced_at and not own:
            return F(0)
        return sum((s.high if high else s.low for s in self.steps if s.covers(at)), F(0))


def replace(orders, at):
    """Each order is on the chart once: the one that another goes on from stops when the other begins."""
    live = [o for o in orders if o.role in ("counted", "unreadable", "excluded")]
    for old in live:
        for new in live:
            if new is not old and (is_linked(old, new) or goes_on(old, new)):
                old.replaced_at = min(old.replaced_at, max(new.begin, old.begin))
    for old in live:
        if old.replaced_at <= at or old.replaced_at <= old.begin:
            old.role = "not counted"


def is_linked(old, new):
    named = [new.resource.get("priorPrescription") or {}] + (new.resource.get("basedOn") or [])
    return any(n.get("reference") == old.ref for n in named)


def goes_on(old, new):
    """Another order of the same ingredient, form and strength that starts after half of the supply has run."""
    if old.product.kind != new.product.kind:
        return False
    if old.half_end is None or ALWAYS in (old.begin, new.begin):
        return False
    return new.begin > old.begin and new.begin - old.begin >= F(old.half_end - old.begin) / 2


# ---------------------------------------------------------------------------------------------- the chart
class Result:
    def __init__(self):
        self.orders, self.now, self.peak, self.at_least = {}, None, None, False


def evaluate(chart, at, table, known):
    """chart: resources of one patient; at: seconds UTC; table: cdc-2022 or cdc-2016."""
    orders = [Order(r, chart, known) for r in chart if r["resourceType"] == "MedicationRequest"]
    for o in orders:
        o.judge()
        if o.product is not None and o.active:
            o.settle(at)
        elif o.role == "unknown" and o.until <= at and not o.backwards(at):
            o.role = "not counted"
    replace(orders, at)
    for o in orders:
        if o.role == "counted" and factor_of(o.product, table, F(1)) is None:
            o.role = "unreadable"
    counted = [o for o in orders if o.role == "counted"]

    def methadone(when, high):
        return sum((o.amount(when, high) for o in counted if o.product.ingredient == "Methadone" and o.product.form in ORAL), F(0))

    def mme(o, when, high=True, own=False):
        return o.amount(when, high, own) * factor_of(o.product, table, methadone(when, high))

    result = Result()
    for o in orders:
        med = low = None
        if o.role == "counted":
            # The order's own figure: now, or when it first comes into force.
            shown = at
            if o.amount(at) == 0:
                shown = min((s.begin for s in o.steps if s.begin > at and o.amount(s.begin, own=True)), default=at)
            med, low = mme(o, shown, own=True), mme(o, shown, high=False, own=True)
        result.orders[o.ref] = ("not counted" if o.role == "unknown" else o.role, med, low)
    result.at_least = any(o.role == "unreadable" or (o.role == "unknown" and o.looks) for o in orders)
    told = {t for o in counted for s in o.steps for t in (s.begin, s.until)} | {o.replaced_at for o in counted}
    moments = {at} | {t for t in told if at < t < at + HORIZON * DAY}
    totals = {when: sum((mme(o, when) for o in counted), F(0)) for when in moments}
    result.now = totals[at] if any(o.amount(at) for o in counted) else None
    result.peak = max(totals.values()) if counted else None
    return result
