import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dateTimeOf, dtmOf, earliest, isDtm } from '../../server/domain/time.ts';

describe('DTM', () => {
  test.each([
    '2026',
    '202612',
    '20261231',
    '2026123123',
    '202612312359',
    '20261231235959',
    '20240229',
    '20000229',
    '00010101',
  ])('%s is legal', (text) => {
    expect(isDtm(text)).toBe(true);
  });
  test.each([
    ['empty', ''],
    ['three digits of year', '202'],
    ['half a month', '20261'],
    ['month 0', '202600'],
    ['month 13', '202613'],
    ['day 0', '20260100'],
    ['30 February', '20260230'],
    ['29 February of a common year', '20250229'],
    ['29 February 1900', '19000229'],
    ['hour 24', '2026010124'],
    ['minute 60', '202601010060'],
    ['second 60', '20260101000060'],
    ['a fraction', '20260101000000.5'],
    ['a zone', '20260101000000+0100'],
    ['FHIR', '2026-01-01'],
    ['a newline', '2026\n'],
    ['sixteen digits', '2026010100000000'],
  ])('%s is not', (_, text) => {
    expect(isDtm(text)).toBe(false);
  });

  test.each([
    ['2026', '20260101000000', '2026'],
    ['202612', '20261201000000', '2026-12'],
    ['20261231', '20261231000000', '2026-12-31'],
    ['2026123123', '20261231230000', '2026-12-31T23:00:00Z'],
    ['202612312359', '20261231235900', '2026-12-31T23:59:00Z'],
    ['20261231235958', '20261231235958', '2026-12-31T23:59:58Z'],
  ])('%s begins at %s and is %s in FHIR', (dtm, first, dateTime) => {
    expect(earliest(dtm)).toBe(first);
    expect(dateTimeOf(dtm)).toBe(dateTime);
  });

  test('of an instant is legal and means that second', () => {
    const instants = fc.date({ min: new Date('1000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(instants, (date) => {
        const dtm = dtmOf(date.getTime());
        expect(isDtm(dtm)).toBe(true);
        expect(Date.parse(dateTimeOf(dtm))).toBe(Math.floor(date.getTime() / 1000) * 1000);
      }),
    );
  });
});
