/**
 * HL7 v2 DTM in UTC: `YYYY[MM[DD[hh[mm[ss]]]]]`, no zone, no fraction; each precision is legal.
 * IHE ITI TF-3 table 4.2.3.1.7-2.
 */
export type Dtm = string;

/** True for a real date and time in one of the six precisions. */
export function isDtm(text: string): boolean {
  if (!/^\d{4}(\d\d){0,5}$/.test(text) || text.length > 14) return false;
  const [y, mo, d, h, mi, s] = parts(text);
  if (mo < 1 || mo > 12 || h > 23 || mi > 59 || s > 59) return false;
  return d >= 1 && d <= new Date(Date.UTC(y < 100 ? y + 2000 : y, mo, 0)).getUTCDate();
}

/** The 14 digits of the earliest instant that the DTM can mean; the form in which DTMs are compared. */
export function earliest(dtm: Dtm): string {
  return dtm + '00000101000000'.slice(dtm.length);
}

/** Seconds precision in UTC from milliseconds since 1970. */
export function dtmOf(ms: number): Dtm {
  return new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14);
}

/** FHIR dateTime of the same precision; with a time part it carries `Z`, and seconds are filled in as FHIR asks. */
export function dateTimeOf(dtm: Dtm): string {
  const full = earliest(dtm);
  const day = [full.slice(0, 4), full.slice(4, 6), full.slice(6, 8)].slice(
    0,
    dtm.length >= 8 ? 3 : dtm.length >= 6 ? 2 : 1,
  );
  if (dtm.length <= 8) return day.join('-');
  return `${day.join('-')}T${full.slice(8, 10)}:${full.slice(10, 12)}:${full.slice(12, 14)}Z`;
}

function parts(dtm: string): [number, number, number, number, number, number] {
  const f = earliest(dtm);
  const n = (from: number, to: number) => Number(f.slice(from, to));
  return [n(0, 4), n(4, 6), n(6, 8), n(8, 10), n(10, 12), n(12, 14)];
}
