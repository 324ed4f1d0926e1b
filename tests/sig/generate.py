#!/usr/bin/env python3
"""The generated half of corpus.tsv: sigs put together from parts whose reading is known.

usage: generate.py [--check] CORPUS

Everything behind the line "# generated" is written anew, from a fixed seed; --check only
tells whether it would change (exit 1). The parts and their readings stand here, written by
hand; nothing asks the parser.
"""
import random, sys

SEED, ROWS, MARK = 20260302, 1400, "# generated: see generate.py\n"

# number words: text, value
WORD = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 8: "eight", 12: "twelve", 24: "twenty-four"}
ES = {1: "una", 2: "dos", 3: "tres", 4: "cuatro", 6: "seis", 8: "ocho", 12: "doce"}

# form: spellings of one, of many, the reading's unit, verbs, routes
FORMS = {
    "tablet": (["tablet", "tab", "Tab", "tablet(s)"], ["tablets", "tabs", "TABS", "tablet(s)"], "tablet",
               ["take", "Take", "TAKE", "give", "please take", "may take", ""],
               ["by mouth", "po", "orally", "PO", "p.o.", "by oral route", ""]),
    "capsule": (["capsule", "cap"], ["capsules", "caps"], "capsule",
                ["take", "Take", "swallow", "give", ""], ["by mouth", "po", "orally", ""]),
    "patch": (["patch"], ["patches"], "patch", ["apply", "Place", "apply", "use"],
              ["to skin", "onto the skin", "topically", "transdermally", ""]),
    "film": (["film", "strip"], ["films", "strips"], "film", ["place", "dissolve", "Use"],
             ["under the tongue", "sublingually", "SL", ""]),
    "lozenge": (["lozenge", "loz"], ["lozenges"], "lozenge", ["dissolve", "suck", "use"], ["in the mouth", ""]),
    "suppository": (["suppository", "supp"], ["suppositories", "supps"], "suppository", ["insert", "Use"],
                    ["rectally", "per rectum", "pr", ""]),
    "liquid": (["mL", "ml", "cc"], ["mL", "ml", "cc"], "mL", ["take", "give", "Take", ""],
               ["by mouth", "po", "per g-tube", ""]),
}

HOURS = [1, 2, 3, 4, 6, 8, 12, 24]


def number(r, n):
    """A whole number in one of its spellings."""
    return r.choice([str(n), str(n), WORD[n]] + [f"{n} ({WORD[n]})", f"{WORD[n]} ({n})"]) if n in WORD else str(n)


def dose(r, form):
    one, many, unit, _, _ = FORMS[form]
    kind = r.randrange(8)
    if form == "liquid":
        low = r.choice(["2.5", "5", "10", "15", "7.5", "0.25", "1"])
        if kind < 2:
            low, high = r.choice([("5", "10"), ("2.5", "5"), ("0.25", "0.5"), ("10", "15")])
            return f"{low}{r.choice(['-', ' to ', ' - '])}{high} {r.choice(one)}", f"{low}-{high} {unit}"
        return f"{low}{r.choice(['', ' '])}{r.choice(one)}", f"{low} {unit}"
    if kind < 4:
        n = r.choice([1, 1, 1, 2, 3])
        return f"{number(r, n)} {r.choice(one if n == 1 else many)}", f"{n} {unit}"
    if kind == 4 or form in ("patch", "film", "lozenge", "suppository", "capsule"):
        low, high = r.choice([(1, 2), (1, 2), (2, 3)])
        a, b = r.choice([(str(low), str(high)), (WORD[low], WORD[high])])
        return f"{a}{r.choice([' to ', ' or ', '-'])}{b} {r.choice(many)}", f"{low}-{high} {unit}"
    if kind == 5:
        text, value = r.choice([("1/2", "0.5"), ("half", "0.5"), ("one-half", "0.5"), ("½", "0.5"), ("0.5", "0.5"),
                                ("1 1/2", "1.5"), ("1½", "1.5"), ("1.5", "1.5"), ("one and a half", "1.5"),
                                ("2.5", "2.5"), ("1/4", "0.25")])
        return f"{text} {r.choice(one)}", f"{value} {unit}"
    if kind == 6:
        text, value = r.choice([("1/2-1", "0.5-1"), ("½ to 1", "0.5-1"), ("one-half to one", "0.5-1"),
                                ("1-1.5", "1-1.5")])
        return f"{text} {r.choice(one)}", f"{value} {unit}"
    mg = r.choice([5, 10, 15, 20, 30, 2.5])
    return f"1 {r.choice(one)} ({mg} mg{r.choice(['', ' total'])})", f"1 {unit} = {mg} mg"


def every(r):
    kind = r.randrange(4)
    if kind == 0:
        low, high = r.choice([(4, 6), (3, 4), (6, 8), (8, 12)])
        text = r.choice([f"q{low}-{high}h", f"every {low}-{high} hours", f"every {low} to {high} hours",
                         f"every {WORD.get(low)} to {WORD.get(high)} hours", f"q {low}-{high} hrs",
                         f"every {low} ({WORD.get(low)}) to {high} ({WORD.get(high)}) hours"])
        return text, f"every {low}-{high} hour"
    n = r.choice(HOURS[1:])
    text = r.choice([f"q{n}h", f"q {n} h", f"q{n}hr", f"q{n} hrs", f"every {n} hours", f"every {WORD.get(n)} hours",
                     f"every {n} ({WORD.get(n)}) hours", f"Q{n}H", f"each {n} hours", f"evry {n} hours"])
    return text, f"every {n} hour"


TIMES = [
    (1, ["once daily", "daily", "once a day", "qd", "every day", "one time daily", "each day", "dialy"]),
    (2, ["bid", "BID", "b.i.d.", "twice daily", "twice a day", "two times a day", "2 times daily", "2x/day", "2 (two) times a day",
         "twise daily", "2 x daily"]),
    (3, ["tid", "TID", "t.i.d.", "three times daily", "3 times a day", "3x daily", "thrice daily", "3 times per day", "tds"]),
    (4, ["qid", "QID", "q.i.d.", "four times a day", "4 times daily", "4x/day", "four (4) times a day", "qds"]),
]
PLACES = [
    (["in the morning", "every morning", "qam", "each morning", "q am", "in the mornig"], "in the morning"),
    (["at noon", "at lunch"], "at noon"),
    (["in the evening", "qpm", "every evening", "with dinner"], "in the evening"),
    (["at bedtime", "qhs", "nightly", "hs", "every night at bedtime", "before bed"], "at bedtime"),
]


def times(r):
    if r.randrange(8) == 0:
        low, high = r.choice([(1, 2), (2, 3), (3, 4)])
        return r.choice([f"{low}-{high} times a day", f"{low} to {high} times daily", f"{WORD[low]} to {WORD[high]} times daily"]), \
            f"{low}-{high} times per day"
    n, texts = r.choice(TIMES)
    return r.choice(texts), "every day" if n == 1 else f"{n} times per day"


def frequency(r, form):
    if form == "patch":
        text, reading = r.choice([("q72h", "every 72 hour"), ("every 72 hours", "every 72 hour"), ("every 3 days", "every 3 day"),
                                  ("every third day", "every 3 day"), ("every 48-72 hours", "every 48-72 hour"),
                                  ("every 7 days", "every 7 day"), ("weekly", "every week"), ("once a week", "every week"),
                                  ("every 72 (seventy-two) hours", "every 72 hour"), ("q 3 days", "every 3 day")])
        return text, reading
    kind = r.randrange(10)
    if kind < 5:
        return every(r)
    if kind < 8:
        return times(r)
    if kind == 8:
        text, reading = r.choice(PLACES)
        return r.choice(text), reading
    return r.choice([("every other day", "every 2 day"), ("qod", "every 2 day"), ("twice a week", "2 times per week"),
                     ("up to 4 times a day", "up to 4 times per day"), ("up to three times daily", "up to 3 times per day")])


REASONS = ["", " for pain", " pain", " for severe pain", " for moderate to severe pain", " for breakthrough pain", " for back pain",
           " for pain or cough", " for chronic low back pain", " for post-operative pain", " for pain (scale 4-6)",
           " (pain)", " for moderate pain (4-6)", " for headache"]
PRN = ["as needed", "prn", "PRN", "p.r.n.", "if needed", "when needed", "as need", "as necessary"]


def limit(r, unit, n):
    many = {"tablet": ["tablets", "tabs", ""], "capsule": ["capsules", "caps", ""], "mL": ["mL", "ml"],
            "patch": ["patches"], "film": ["films"], "lozenge": ["lozenges", ""], "suppository": ["suppositories"]}[unit]
    u = r.choice(many)
    u = " " + u if u else ""
    text = r.choice([f"max {n}{u}/day", f"max {n}{u} per day", f"maximum of {n}{u} in 24 hours", f"not to exceed {n}{u} in 24 hours",
                     f"do not exceed {n}{u} per day", f"no more than {n}{u} daily", f"do not take more than {n}{u} a day",
                     f"max daily dose: {n}{u}", f"MAX {n}{u}/24h", f"Max Daily Amount: {n}{u}", f"NTE {n}{u} per 24 hrs"])
    return text, f"max {n} {unit} per day"


def length(r):
    n = r.choice([2, 3, 5, 7, 10, 14, 30])
    return r.choice([(f"for {n} days", f"for {n} day"), (f"x {n} days", f"for {n} day"), (f"x{n}d", f"for {n} day"),
                     (f"for up to {n} days", f"for {n} day"), ("for 2 weeks", "for 2 week"), ("for 3-5 days", "for 3-5 day")])


HARMLESS = ["with food", "do not drive", "may cause drowsiness", "avoid alcohol", "no refills", "#30", "as directed", "with or without food",
            "dispense 20", "Do not crush or chew", "from all sources"]


def plain(r):
    form = r.choice(["tablet"] * 6 + list(FORMS))
    unit, verbs, routes = FORMS[form][2:]
    d, d_read = dose(r, form)
    f, f_read = frequency(r, form)
    parts, read = [], [d_read, f_read]
    prn = r.randrange(2) == 0 and form != "patch"
    tail = []
    if prn:
        tail.append(r.choice(PRN) + r.choice(REASONS))
        read.append("prn")
    if r.randrange(3) == 0 and form != "patch" and "up to" not in f_read:
        n = r.choice([6, 8, 10]) if form != "liquid" else r.choice([60, 90])
        text, reading = limit(r, unit, n)
        tail.append(text)
        read.append(reading)
    if r.randrange(3) == 0:
        text, reading = length(r)
        if any(x in f_read for x in ("week", "72", "2 day", "3 day", "7 day")):  # a length holds two doses or more
            text, reading = "for 30 days", "for 30 day"
        tail.append(text)
        read.append(reading)
    r.shuffle(tail)
    for _ in range(r.choice([0, 0, 0, 1, 2])):
        tail.append(r.choice(HARMLESS))
    route = r.choice(routes)
    head = " ".join(x for x in ([r.choice(verbs), d, route, f] if r.randrange(6) or not r.choice(verbs) else
                                [f, "take" if form == "tablet" else verbs[0], d, route]) if x)
    text = head
    for t in tail:
        text += r.choice([" ", ", ", ". ", "; ", " "]) + t if t not in HARMLESS else r.choice([", ", ". ", "; "]) + t
    return form, text + r.choice(["", "", "."]), "; ".join(read)


def placed(r):
    form = r.choice(["tablet", "tablet", "capsule"])
    one, many, unit, verbs, routes = FORMS[form]
    spots = sorted(r.sample(range(4), r.choice([2, 2, 3])))
    texts, reads = [], []
    for k, s in enumerate(spots):
        n = r.choice([1, 2, 3])
        word = r.choice([str(n), WORD[n]])
        name = r.choice(one if n == 1 else many) if k == 0 or r.randrange(3) else ""
        texts.append(" ".join(x for x in [word, name, r.choice(PLACES[s][0])] if x))
        reads.append(f"{n} {unit}; {PLACES[s][1]}")
    tail = tail_read = ""
    if r.randrange(4) == 0:
        t, tail_read = length(r)
        tail = " " + t
        reads = [x + "; " + tail_read for x in reads]
    text = " and ".join([", ".join(texts[:-1]), texts[-1]])
    return form, (r.choice(verbs) + " " + text + tail).strip(), "; and ".join(reads)


def taper(r):
    one, many, unit, verbs, _ = FORMS["tablet"]
    n, steps, reads, link = r.choice([2, 3, 4]), [], [], r.choice([", then ", "; then ", " then ", " followed by ", ", and then "])
    daily = r.randrange(3) == 0
    f, f_read = ("", "every day") if daily else times(r)
    top = r.choice([n, n + 1, 6])
    days = r.choice([2, 3, 5, 7])
    for k in range(n):
        c = top - k
        if c < 1:
            break
        last = k == n - 1 and r.randrange(2) == 0 and not daily
        word = r.choice([str(c), WORD.get(c, str(c))])
        steps.append(" ".join(x for x in [word, r.choice(one if c == 1 else many), f, "" if last else r.choice(
            [f"x {days} days", f"x{days}d", f"for {days} days"])] if x))
        reads.append(f"{c} {unit}; {f_read}" + ("" if last else f"; for {days} day"))
        if last:
            break
    end = r.choice(["", ", then stop", " then stop", ""])
    return "tablet", (r.choice(verbs) + " " + link.join(steps) + end).strip(), "; then ".join(reads)


def spanish(r):
    n = r.choice([1, 1, 2])
    form, one, many, unit = r.choice([("tablet", "tableta", "tabletas", "tablet"), ("capsule", "cápsula", "cápsulas", "capsule"),
                                      ("tablet", "pastilla", "pastillas", "tablet")])
    d = f"{r.choice([str(n), ES[n]])} {one if n == 1 else many}"
    d_read = f"{n} {unit}"
    if r.randrange(4) == 0:
        d, d_read = r.choice([(f"1 a 2 {many}", f"1-2 {unit}"), (f"1-2 {many}", f"1-2 {unit}"), (f"una o dos {many}", f"1-2 {unit}")])
    h = r.choice([4, 6, 8, 12])
    f, f_read = r.choice([(f"cada {h} horas", f"every {h} hour"), (f"cada {ES[h]} horas", f"every {h} hour"),
                          ("cada 4 a 6 horas", "every 4-6 hour"), ("dos veces al día", "2 times per day"),
                          ("tres veces al dia", "3 times per day"), ("una vez al día", "every day"), ("diariamente", "every day"),
                          ("por la mañana", "in the morning"), ("al acostarse", "at bedtime"), ("cada noche", "at bedtime")])
    read, tail = [d_read, f_read], []
    if r.randrange(2):
        tail.append(r.choice(["según sea necesario para el dolor", "si es necesario", "cuando sea necesario", "segun sea necesario",
                              "según sea necesario", "si es necesario para dolor"]))
        read.append("prn")
    if r.randrange(4) == 0:
        tail.append(r.choice(["no exceda 8", "máximo 8", "no tome más de 8"]) + " " + many + r.choice([" al día", " en 24 horas"]))
        read.append(f"max 8 {unit} per day")
    if r.randrange(3) == 0:
        k = r.choice([3, 5, 7])
        tail.append(r.choice([f"por {k} días", f"durante {k} dias"]))
        read.append(f"for {k} day")
    route = r.choice(["por vía oral", "por la boca", "", ""])
    text = " ".join(x for x in [r.choice(["tome", "Tome", "tomar", "dé".replace("dé", "administre")]), d, route, f] if x)
    return form, text + "".join(r.choice([" ", ", "]) + t for t in tail), "; ".join(read)


# Words that no reading may pass over, wherever they stand.
POISON = ["unless asleep", "may repeat", "an extra tablet if needed", "while awake", "taper as tolerated", "as discussed",
          "increase as tolerated", "per protocol", "hold for sedation", "and titrate", "except sundays", "alternating with ibuprofen",
          "or as told", "sliding scale", "qxh", "IV", "10 drops", "see instructions", "2", "plus 1", "1 tablet", "or 3", "/kg",
          "double the dose", "not daily", "less if dizzy", "another in 1 hour", "instead of morphine", "oxycontin", "?"]


def poisoned(r):
    form, text, _ = r.choice([plain, plain, placed, taper, spanish])(r)
    bad = r.choice(POISON)
    words = text.split(" ")
    if r.randrange(2):
        return form, f"{text.rstrip('.')}, {bad}", "refused"
    k = r.randrange(1, len(words)) if len(words) > 1 else 1
    # Between a number and what it counts there may be another number: that is another sig.
    if bad in ("2", "1 tablet", "or 3", "plus 1"):
        return form, f"{text.rstrip('.')} {bad}", "refused"
    return form, " ".join(words[:k] + [bad] + words[k:]), "refused"


def rows():
    r = random.Random(SEED)
    seen, out = set(), []
    makers = [plain] * 10 + [placed] * 3 + [taper] * 3 + [spanish] * 4 + [poisoned] * 4
    while len(out) < ROWS:
        form, text, reading = r.choice(makers)(r)
        if text not in seen:
            seen.add(text)
            out.append(f"{form}\t{text}\t{reading}\n")
    return out


def main():
    check, path = "--check" in sys.argv, sys.argv[-1]
    with open(path, encoding="utf-8") as f:
        old = f.readlines()
    hand = old[:old.index(MARK)] if MARK in old else old
    new = hand + [MARK] + rows()
    if check:
        sys.exit(0 if new == old else 1)
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(new)


main()
