import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readCda } from '../../server/cda/header.ts';
import { readSubmission } from '../../server/xds/ebrim/read.ts';
import { namespace } from '../../server/xds/vocabulary.ts';
import { child } from '../../server/xml/element.ts';
import { defaultXmlLimits, parseXml } from '../../server/xml/read.ts';

const message = readFileSync(join(import.meta.dirname, '../../docs/samples/iti41-laboratory-report.mtom'), 'utf8');

test('the sample message of the documentation is an ITI-41 with one laboratory report', () => {
  expect(message.match(/(?<!\r)\n/g)).toBeNull();
  const [, root = '', document = ''] = message
    .split(/\r\n?--sample(?:--)?\r\n|^--sample\r\n/)
    .map((part) => part.split('\r\n\r\n')[1]);
  const envelope = parseXml(root, defaultXmlLimits);
  const body = child(envelope, namespace.soap12, 'Body')?.children[0];
  const list = child(child(body, namespace.lcm, 'SubmitObjectsRequest'), namespace.rim, 'RegistryObjectList');
  const { submission, problems } = readSubmission(list ?? envelope);
  expect(problems).toEqual([]);
  expect(submission.entries.map((e) => [e.uniqueId, e.typeCode?.code])).toEqual([
    ['1.2.250.1.999.1.5.1@UNIQUE@', '11502-2'],
  ]);
  expect(readCda(Buffer.from(document))?.uniqueId).toBe('1.2.250.1.999.1.5.1@UNIQUE@');
  expect(message).toContain('\r\n@ASSERTION@\r\n');
});
