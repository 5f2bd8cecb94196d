import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Identify, NotIdentified, type ReadEnvelope } from '../../server/auth/credentials.ts';
import { openTrust } from '../../server/auth/trust.ts';
import { type AssertionSettings, makeAssertionIdentifier } from '../../server/auth/vihf.ts';
import { type Caller, systemRights } from '../../server/domain/actor.ts';
import type { System } from '../../server/domain/system.ts';
import { envelope, issuedAt, makeSigners, sample, signed } from '../support/assertions.ts';

const settings: AssertionSettings = {
  allowSha1: false,
  skewSeconds: 120,
  maxAgeSeconds: 300,
  audience: 'https://dmp.example',
  systems: [],
};

let signers: Awaited<ReturnType<typeof makeSigners>>;
let identify: (at?: number, change?: Partial<AssertionSettings>) => Identify['assertion'];

beforeAll(async () => {
  signers = await makeSigners();
  const trust = await openTrust({ authorities: signers.authorities, crls: '' });
  identify = (at = issuedAt, change = {}) => makeAssertionIdentifier(trust, { ...settings, ...change }, () => at);
});

async function whyNot(message: ReadEnvelope, identifier = identify()): Promise<string> {
  try {
    await identifier(message);
  } catch (error) {
    if (error instanceof NotIdentified) return error.why;
    throw error;
  }
  return 'identified';
}

const patient = { value: '277076322082910', oid: '1.2.250.1.213.1.4.10' };

describe('who the caller is', () => {
  test('a doctor with a CPS', async () => {
    const caller = await identify()(envelope(signed(sample('direct-3.0'), signers.doctor)));
    expect(caller).toEqual({
      actor: {
        kind: 'professional',
        id: '899970000016',
        name: 'Hélène MARTIN',
        card: 'CPS',
        profession: '10',
        specialty: 'SM26',
        structure: { id: '499970000016001' },
      },
      mode: 'normal',
      patient,
      secret: false,
      software: { name: "Logiciel d'essai", version: '7.1', id: 'ESSAI-001' },
      credential: {
        kind: 'assertion',
        id: '_6f1d3a52-direct',
        issuer: 'GN=Hélène+SN=MARTIN+CN=899970000016,title=Médecin,C=FR',
        spendKey: expect.stringMatching(/^[\w-]{43}$/),
        until: issuedAt + 7 * 60_000,
      },
    } satisfies Record<keyof Omit<Caller, 'reason' | 'scopes'>, unknown>);
  });

  test('a secretary with a CPE; without Conditions the assertion ends with the greatest age', async () => {
    const caller = await identify()(envelope(signed(sample('secretary-3.0'), signers.secretary)));
    expect(caller.actor).toEqual({
      kind: 'professional',
      id: '699970000016/0101',
      name: 'Julie MOREAU',
      card: 'CPE',
      profession: 'SECRETARIAT_MEDICAL',
      structure: { id: '499970000016001' },
    });
    expect(caller.credential).toMatchObject({ until: issuedAt + (300 + 120) * 1000 });
  });

  test('a structure, naming its employee', async () => {
    const caller = await identify()(envelope(signed(sample('indirect-2.0'), signers.hospital)));
    expect(caller.actor).toEqual({
      kind: 'structure',
      structure: { id: '1990000010', name: 'Hôpital Nord' },
      employee: { id: '1990000010/00B1020001', name: 'Marc FONTAINE' },
    });
  });

  test('a structure and a professional identified twice, breaking the glass in a secret session', async () => {
    const caller = await identify()(envelope(signed(sample('air-4.0'), signers.hospital)));
    expect(caller).toMatchObject({
      actor: {
        kind: 'air',
        id: '899970000032',
        card: 'CPS',
        profession: '10',
        specialty: 'SM27',
        structure: { id: '1990000010' },
      },
      mode: 'breakGlass',
      reason: 'Patient inconscient',
      secret: true,
    });
    expect(caller.patient).toBeUndefined();
  });

  describe('a system that is listed', () => {
    const subject = 'CN=hopital-nord,OU=1990000010,O=Hôpital Nord,ST=Rhône (69),C=FR';
    const listed = (by: Pick<System, 'structure' | 'subject'>) =>
      identify(issuedAt, {
        systems: [
          { id: 'other', name: 'Other', structure: '1990000028', rights: [...systemRights] },
          { id: 'tokens', name: 'By tokens alone', rights: [...systemRights] },
          { id: 'sih', name: 'SIH', rights: ['register', 'remove'], ...by },
        ],
      });
    const sih = { kind: 'system', id: 'sih', name: 'SIH', rights: ['register', 'remove'] };
    const automate = (xml: string) =>
      xml
        .replace(
          /<Role .*<\/Role>/s,
          '<Role xmlns="urn:hl7-org:v3" code="AUTOMATE" codeSystem="1.2.250.1.213.1.1.4.6"></Role>',
        )
        .replace('ac:classes:TLSClient', 'ac:classes:unspecified');
    const indirect = (change = (xml: string) => xml) =>
      envelope(signed(sample('indirect-2.0'), signers.hospital, change));

    test.each([
      ['its structure', { structure: '1990000010' }],
      ['the subject of its certificate', { subject }],
      ['both', { structure: '1990000010', subject }],
    ])('is known by %s, has the rights listed and no others, and is no structure', async (_, by) => {
      expect((await listed(by)(indirect())).actor).toEqual(sih);
      expect((await listed(by)(indirect(automate))).actor).toEqual(sih);
    });

    test.each([
      ['another structure', { structure: '1990000044' }],
      ['another subject', { subject: subject.replace('hopital-nord', 'hopital-nord-2') }],
      ['its structure and another subject', { structure: '1990000010', subject: subject.replace('CN=', 'CN=x') }],
      ['the subject and another structure', { structure: '1990000044', subject }],
      ['neither', {}],
    ])('is not known by %s', async (_, by) => {
      expect((await listed(by)(indirect())).actor).toMatchObject({
        kind: 'structure',
        structure: { id: '1990000010' },
      });
      expect((await listed(by)(indirect(automate))).actor).toMatchObject({ kind: 'structure' });
    });

    test('speaks of the patient that it names, or of none', async () => {
      const resource = /<Attribute Name="urn:oasis:names:tc:xacml:2.0:resource:resource-id">.*?<\/Attribute>/s;
      expect((await listed({ structure: '1990000010' })(indirect())).patient).toEqual(patient);
      const caller = await listed({ structure: '1990000010' })(indirect((xml) => xml.replace(resource, '')));
      expect(caller.patient).toBeUndefined();
      expect(caller.actor).toEqual(sih);
    });

    test('makes nobody a professional', async () => {
      const air = envelope(signed(sample('air-4.0'), signers.hospital));
      expect(await whyNot(air, listed({ structure: '1990000010' }))).toBe(
        'a professional by the certificate of a system',
      );
      const direct = indirect((xml) => automate(xml).replace('>INDIRECTE<', '>DIRECTE<'));
      expect(await whyNot(direct, listed({ structure: '1990000010' }))).toBe('NameID is not of the card');
    });

    test('is no card, though the card names the structure', async () => {
      const secretary = envelope(signed(sample('secretary-3.0'), signers.secretary));
      expect((await listed({ structure: '499970000016001' })(secretary)).actor).toMatchObject({ kind: 'professional' });
      const machine = envelope(
        signed(sample('secretary-3.0'), signers.secretary, (xml) => automate(xml).replace('>DIRECTE<', '>INDIRECTE<')),
      );
      expect(await whyNot(machine, listed({ structure: '499970000016001' }))).toBe(
        'not the certificate of an organisation',
      );
    });

    test('claims no structure but its own', async () => {
      const other = indirect((xml) => xml.replace('>1990000010<', '>1990000028<'));
      expect(await whyNot(other, listed({ structure: '1990000010' }))).toBe('structure is not that of the certificate');
    });
  });

  test('two assertions are spent apart, one is spent once', async () => {
    const spendKey = async (change: (xml: string) => string) => {
      const { credential } = await identify()(envelope(signed(sample('direct-3.0'), signers.doctor, change)));
      return credential.kind === 'assertion' && credential.spendKey;
    };
    const first = await spendKey((xml) => xml);
    expect(await spendKey((xml) => xml.replace('7.1', '7.2'))).toBe(first);
    expect(await spendKey((xml) => xml.replace('ID="_6', 'ID="_7'))).not.toBe(first);
  });

  const accepted: readonly (readonly [string, (xml: string) => string])[] = [
    ['VIHF 2.0', (xml) => xml.replace('>3.0<', '>2.0<')],
    ['VIHF 4.0', (xml) => xml.replace('>3.0<', '>4.0<')],
    [
      'the mode of authentication in another case',
      (xml) => xml.replace('Authentification_mode', 'AUTHENTIFICATION_MODE'),
    ],
    [
      'the name printed the first part first',
      (xml) => xml.replace(/>GN=.*?</, '>C=FR, title=Médecin, CN=899970000016+SN=MARTIN+GN=Hélène<'),
    ],
    ['the name with hexadecimal values', (xml) => xml.replace('SN=MARTIN', '2.5.4.4=#0C064D415254494E')],
    [
      'our audience',
      (xml) =>
        xml.replace(
          '></saml:Conditions>',
          '><saml:AudienceRestriction><saml:Audience>https://dmp.example</saml:Audience></saml:AudienceRestriction></saml:Conditions>',
        ),
    ],
    [
      'an attribute said twice alike',
      (xml) =>
        xml.replace(
          '</saml:AttributeStatement>',
          '<saml:Attribute Name="LPS_Nom"><saml:AttributeValue>Logiciel d\'essai</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>',
        ),
    ],
  ];
  test.each(accepted)('%s is accepted', async (_, change) => {
    const { actor } = await identify()(envelope(signed(sample('direct-3.0'), signers.doctor, change)));
    expect(actor).toMatchObject({ kind: 'professional', id: '899970000016', profession: '10' });
  });

  test('a regulator enters as centre 15', async () => {
    const message = envelope(
      signed(sample('direct-3.0'), signers.doctor, (xml) => xml.replace('"normal"', '"centre_15"')),
    );
    expect(await identify()(message)).toMatchObject({ mode: 'emergencyCentre' });
  });
});

describe('what is signed and still proves nothing', () => {
  const attribute = (name: string, value: string) =>
    `<saml:Attribute Name="${name}"><saml:AttributeValue>${value}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`;
  const refused: readonly (readonly [string, (xml: string) => string])[] = [
    ['version of SAML not known', (xml) => xml.replace('Version="2.0"', 'Version="1.1"')],
    ['issuer is not the signer', (xml) => xml.replace('SN=MARTIN', 'SN=NGUYEN')],
    ['issuer is not the signer', (xml) => xml.replace(/>GN=.*?</, '>nobody<')],
    ['issuer of another format', (xml) => xml.replace('X509SubjectName', 'unspecified')],
    ['not yet valid', (xml) => xml.replace('NotBefore="2026-03-02T09:59', 'NotBefore="2026-03-02T10:03')],
    ['not yet valid', (xml) => xml.replace('IssueInstant="2026-03-02T10:00', 'IssueInstant="2026-03-02T10:03')],
    ['expired', (xml) => xml.replace('NotOnOrAfter="2026-03-02T10:05', 'NotOnOrAfter="2026-03-02T09:58')],
    ['NotBefore malformed', (xml) => xml.replace('NotBefore="2026-03-02T09:59:00.000Z"', 'NotBefore="02/03/2026"')],
    ['no IssueInstant', (xml) => xml.replace(/ IssueInstant="[^"]*"/, '')],
    [
      'made for another audience',
      (xml) =>
        xml.replace(
          '></saml:Conditions>',
          '><saml:AudienceRestriction><saml:Audience>https://dmp.example.evil</saml:Audience></saml:AudienceRestriction></saml:Conditions>',
        ),
    ],
    [
      'condition not understood',
      (xml) => xml.replace('></saml:Conditions>', '><saml:Condition></saml:Condition></saml:Conditions>'),
    ],
    [
      'subject not confirmed',
      (xml) =>
        xml.replace(
          '</saml:NameID>',
          '</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"></saml:SubjectConfirmation>',
        ),
    ],
    [
      'subject not confirmed',
      (xml) =>
        xml.replace(
          '</saml:NameID>',
          '</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="2026-03-02T09:00:00Z"></saml:SubjectConfirmationData></saml:SubjectConfirmation>',
        ),
    ],
    ['version of the VIHF not known', (xml) => xml.replace('>3.0<', '>1.0<')],
    ['attribute VIHF_Version missing', (xml) => xml.replace('VIHF_Version', 'Version')],
    ['made for another service', (xml) => xml.replace('urn:dmp', 'urn:drim')],
    ['purpose of use not known', (xml) => xml.replace('"normal"', '"recherche"')],
    ['purpose of use not known', (xml) => xml.replace('1.2.250.1.213.1.1.4.248', '1.2.250.1.213.1.1.4.249')],
    ['resource-id malformed', (xml) => xml.replace('277076322082910^^^&amp;', '277076322082910^^&amp;')],
    ['NameID is not of the card', (xml) => xml.replace('<saml:NameID>899970000016', '<saml:NameID>899970000024')],
    ['no NameID', (xml) => xml.replace('<saml:NameID>899970000016', '<saml:NameID>')],
    ['mode of authentication not known', (xml) => xml.replace('DIRECTE', 'PARFAITE')],
    ['not the certificate of an organisation', (xml) => xml.replace('DIRECTE', 'INDIRECTE')],
    ['not the certificate of an organisation', (xml) => xml.replace('DIRECTE', 'INDIRECTE_RENFORCEE')],
    ['attribute Identifiant_Structure missing', (xml) => xml.replace('>499970000016001<', '><')],
    ['doctor or pharmacist without savoir-faire', (xml) => xml.replace('1.2.250.1.71.4.2.5', '1.2.250.1.71.4.2.9')],
    ['another profession than on the card', (xml) => xml.replace('code="10"', 'code="60"')],
    ['no role, or roles that contradict', (xml) => xml.replace('1.2.250.1.71.1.2.7', '1.2.3')],
    [
      'no role, or roles that contradict',
      (xml) =>
        xml.replace(
          'code="SM26" codeSystem="1.2.250.1.71.4.2.5"',
          'code="AUTOMATE" codeSystem="1.2.250.1.213.1.1.4.6"',
        ),
    ],
    ...['INVISIBLE_REPRESENTANTS_LEGAUX', 'INVISIBLE_REPRESENTANTS_LEGAUX^1.2.250.1.213.1.1.4.12'].map(
      (code): (typeof refused)[number] => [
        'confidentiality code not known',
        (xml) =>
          xml.replace(
            '</saml:AttributeStatement>',
            attribute('urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code', code),
          ),
      ],
    ),
    [
      'attribute urn:oasis:names:tc:xacml:2.0:resource:resource-id with different values',
      (xml) =>
        xml.replace(
          '</saml:AttributeStatement>',
          attribute(
            'urn:oasis:names:tc:xacml:2.0:resource:resource-id',
            '180032A12345641^^^&amp;1.2.250.1.213.1.4.10&amp;ISO',
          ),
        ),
    ],
  ];
  test.each(refused)('%s', async (why, change) => {
    expect(await whyNot(envelope(signed(sample('direct-3.0'), signers.doctor, change)))).toBe(why);
  });

  test('a CPE does not claim a profession, nor another structure than its own', async () => {
    const doctor = (xml: string) =>
      xml.replace('"SECRETARIAT_MEDICAL" codeSystem="1.2.250.1.213.1.1.4.6"', '"60" codeSystem="1.2.250.1.71.1.2.7"');
    const elsewhere = (xml: string) => xml.replace('>499970000016001<', '>1990000010<');
    expect(await whyNot(envelope(signed(sample('secretary-3.0'), signers.secretary, doctor)))).toBe(
      'profession claimed with a CPE',
    );
    expect(await whyNot(envelope(signed(sample('secretary-3.0'), signers.secretary, elsewhere)))).toBe(
      'structure is not that of the card',
    );
  });

  test('a structure speaks for itself alone, and never in person', async () => {
    const other = (xml: string) => xml.replace('>1990000010<', '>1990000028<');
    const direct = (xml: string) =>
      xml.replace('INDIRECTE', 'DIRECTE').replace(/<NameID>[^<]*/, '<NameID>hopital-nord');
    expect(await whyNot(envelope(signed(sample('indirect-2.0'), signers.hospital, other)))).toBe(
      'structure is not that of the certificate',
    );
    expect(await whyNot(envelope(signed(sample('indirect-2.0'), signers.hospital, direct)))).toBe(
      'NameID is not of the card',
    );
  });
});

describe('time', () => {
  const minute = 60_000;
  test.each([
    ['direct-3.0', -3 * minute - 1, 'not yet valid'],
    ['direct-3.0', -2 * minute, 'identified'],
    ['direct-3.0', 7 * minute - 1, 'identified'],
    ['direct-3.0', 7 * minute, 'expired'],
    ['direct-3.0', 10 * minute, 'expired'],
    ['secretary-3.0', -2 * minute - 1, 'not yet valid'],
    ['secretary-3.0', 7 * minute - 1, 'identified'],
    ['secretary-3.0', 7 * minute, 'expired'],
  ] as const)('%s, %i ms after its making: %s', async (name, after, outcome) => {
    const by = name === 'direct-3.0' ? signers.doctor : signers.secretary;
    expect(await whyNot(envelope(signed(sample(name), by)), identify(issuedAt + after))).toBe(outcome);
  });

  test('skew and greatest age are settings', async () => {
    const message = envelope(signed(sample('secretary-3.0'), signers.secretary));
    expect(await whyNot(message, identify(issuedAt + 61_000, { skewSeconds: 0, maxAgeSeconds: 60 }))).toBe('expired');
    expect(await whyNot(message, identify(issuedAt - 1, { skewSeconds: 0 }))).toBe('not yet valid');
  });

  test.each([
    ['certificate not yet valid', -2 * 86_400_000],
    ['certificate expired', 11 * 365 * 86_400_000],
    ['authority out of date', 21 * 366 * 86_400_000],
  ])('%s', async (why, after) => {
    expect(await whyNot(envelope(signed(sample('direct-3.0'), signers.doctor)), identify(issuedAt + after))).toBe(why);
  });
});
