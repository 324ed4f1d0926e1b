/*
 * Orders: MedicationRequests as prescribing systems write them
 *
 * Builders for tests and the demonstration. RxNorm codes are those of the
 * project's knowledge tables; patients and prescribers are invented.
 */
export const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const UCUM = 'http://unitsofmeasure.org';

/* name -> [RxCUI, RxNorm name] */
export const DRUGS = {
  oxycodone5: ['1049621', 'oxycodone hydrochloride 5 MG Oral Tablet'],
  oxycodone10: ['1049683', 'oxycodone hydrochloride 10 MG Oral Tablet'],
  oxycodone20: ['1049686', 'oxycodone hydrochloride 20 MG Oral Tablet'],
  hydrocodone5: ['857002', 'acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet'],
  hydromorphone2: ['897696', 'hydromorphone hydrochloride 2 MG Oral Tablet'],
  morphineEr30: ['891888', 'morphine sulfate 30 MG Extended Release Oral Tablet'],
  methadone10: ['864706', 'methadone hydrochloride 10 MG Oral Tablet'],
  tramadol50: ['835603', 'tramadol hydrochloride 50 MG Oral Tablet'],
  fentanyl25: ['245134', '72 HR fentanyl 0.025 MG/HR Transdermal System'],
  buprenorphine8: ['351265', 'buprenorphine 8 MG Sublingual Tablet'],
  lorazepam1: ['197901', 'lorazepam 1 MG Oral Tablet'],
  alprazolam05: ['308048', 'alprazolam 0.5 MG Oral Tablet'],
  diazepam5: ['197591', 'diazepam 5 MG Oral Tablet'],
  zolpidem5: ['854876', 'zolpidem tartrate 5 MG Oral Tablet'],
  gabapentin300: ['310431', 'gabapentin 300 MG Oral Capsule'],
};

export function concept(drug) {
  const [code, display] = DRUGS[drug] ?? drug;
  return { coding: [{ system: RXNORM, code, display }], text: display };
}

/* `quantity` units every `period` `periodUnit`, `frequency` times. */
export function directions({ quantity = 1, unit = '{tbl}', unitText = 'tablet', frequency = 1, period = 1, periodUnit = 'd', prn = false, text }) {
  return {
    text: text ?? `Take ${quantity} ${unitText} ${frequency} time(s) every ${period} ${periodUnit}${prn ? ' as needed' : ''}`,
    timing: { repeat: { frequency, period, periodUnit } },
    ...(prn ? { asNeededBoolean: true } : undefined),
    doseAndRate: [{ doseQuantity: { value: quantity, unit: unitText, system: UCUM, code: unit } }],
  };
}

/*
 * One order. `drug` is a name of DRUGS, or [code, name]; `sig` goes to
 * directions(), or is a text when nothing structured is known; any other member
 * is laid over the resource as it is.
 */
export function order({ patient = 'p1', drug = 'oxycodone5', requester = 'Practitioner/prac1',
  authoredOn = new Date().toISOString(), days = 30, sig = {}, ...rest }) {
  const start = authoredOn.slice(0, 10);
  const end = new Date(Date.parse(start) + days * 86_400_000).toISOString().slice(0, 10);
  return {
    resourceType: 'MedicationRequest',
    status: 'active',
    intent: 'order',
    ...(rest.medicationReference ? undefined : { medicationCodeableConcept: concept(drug) }),
    subject: { reference: `Patient/${patient}` },
    authoredOn,
    requester: { reference: requester },
    dosageInstruction: [typeof sig === 'string' ? { text: sig } : directions(sig)],
    dispenseRequest: { validityPeriod: { start, end }, expectedSupplyDuration: { value: days, unit: 'days', system: UCUM, code: 'd' } },
    ...rest,
  };
}
