import type { VisibilityCode } from '../domain/document.ts';
import type { CdaContent, LabResult } from './cda.ts';
import { writePdf } from './pdf.ts';

/** What a holder stated, by slugs of those whom it names. */
export type StoryConsent =
  | { readonly authorise: string; readonly treatingDoctor?: true }
  | { readonly withdraw: string }
  | { readonly block: string }
  | { readonly oppose: 'breakGlass' | 'emergencyCentre' };

/** A document of a story. `number` makes its uniqueId and never changes; `on` is the day of the act. */
export type StoryDocument = {
  readonly number: number;
  readonly by: string;
  readonly type: string;
  readonly title: string;
  readonly on: string;
  readonly content: () => CdaContent;
  readonly hide?: VisibilityCode;
};

/** The record of one person: who opened it, what the holder stated, what was filed. `speaks` states consents for the holder, himself by default. */
export type Story = {
  readonly patient: string;
  readonly creator: string;
  readonly speaks?: string;
  readonly consents: readonly StoryConsent[];
  readonly documents: readonly StoryDocument[];
  readonly closed?: { readonly motive: string; readonly text: string };
};

const treating: StoryConsent = { authorise: 'dr-martin', treatingDoctor: true };

/** The records of the sandbox; people without a story have none. */
export const stories: readonly Story[] = [
  {
    patient: 'laurent',
    creator: 'dr-martin',
    consents: [
      treating,
      ...['dr-nguyen', 'inf-petit', 'hopital-nord', 'labo-centre', 'radio-ouest'].map((authorise) => ({ authorise })),
    ],
    documents: [
      {
        number: 101,
        by: 'dr-martin',
        type: '11488-4',
        title: 'Consultation du 12 janvier 2026',
        on: '2026-01-12',
        content: pdf('Compte rendu de consultation', [
          'Motif : fatigue, essoufflement à l’effort depuis trois semaines.',
          'Tension artérielle : 152/94 mmHg. Poids : 84 kg.',
          'Conduite : bilan biologique, avis cardiologique.',
        ]),
      },
      {
        number: 102,
        by: 'dr-martin',
        type: 'PRESC-BIO',
        title: 'Prescription d’examens biologiques',
        on: '2026-01-12',
        content: text('Numération formule sanguine\nIonogramme, créatinine\nBilan lipidique, glycémie à jeun, HbA1c'),
      },
      {
        number: 103,
        by: 'labo-centre',
        type: '11502-2',
        title: 'Compte rendu d’examens de biologie médicale',
        on: '2026-01-15',
        content: laboratory([
          [
            '18719-5',
            'Biochimie',
            [
              ['2345-7', 'Glucose', 1.18, 'g/L', [0.7, 1.1]],
              ['4548-4', 'Hémoglobine A1c', 6.4, '%', [4, 6]],
              ['2160-0', 'Créatinine', 9.8, 'mg/L', [7.2, 12.5]],
              ['2093-3', 'Cholestérol total', 2.31, 'g/L', [1.5, 2]],
            ],
          ],
          [
            '18723-7',
            'Hématologie',
            [
              ['718-7', 'Hémoglobine', 14.2, 'g/dL', [13, 17]],
              ['777-3', 'Plaquettes', 248, '10*9/L', [150, 400]],
            ],
          ],
        ]),
      },
      {
        number: 104,
        by: 'dr-nguyen',
        type: '11488-4',
        title: 'Consultation de cardiologie',
        on: '2026-01-28',
        content: pdf('Consultation de cardiologie', [
          'Électrocardiogramme : rythme sinusal, pas de trouble de la repolarisation.',
          'Échographie : fraction d’éjection conservée à 62 %.',
          'Conclusion : hypertension artérielle à traiter, pas de signe d’ischémie.',
        ]),
      },
      {
        number: 105,
        by: 'dr-martin',
        type: '57833-6',
        title: 'Ordonnance',
        on: '2026-02-02',
        content: pdf('Ordonnance', ['Périndopril 4 mg : 1 comprimé le matin.', 'Durée : trois mois.']),
      },
      {
        number: 106,
        by: 'radio-ouest',
        type: '18748-4',
        title: 'Radiographie du thorax',
        on: '2026-02-10',
        content: pdf('Radiographie du thorax de face', [
          'Silhouette cardiaque normale.',
          'Pas de foyer parenchymateux.',
        ]),
      },
      {
        number: 107,
        by: 'hopital-nord',
        type: '34112-3',
        title: 'Compte rendu d’hospitalisation',
        on: '2026-03-18',
        content: pdf('Compte rendu d’hospitalisation', [
          'Hospitalisation du 16 au 18 mars 2026 pour cholécystectomie.',
          'Suites opératoires simples.',
        ]),
      },
      {
        number: 108,
        by: 'hopital-nord',
        type: '11490-0',
        title: 'Lettre de liaison à la sortie',
        on: '2026-03-18',
        content: pdf('Lettre de liaison', ['Retour à domicile. Soins de pansement par infirmière, dix jours.']),
      },
      {
        number: 109,
        by: 'inf-petit',
        type: '11506-3',
        title: 'Suivi de soins infirmiers',
        on: '2026-03-27',
        content: text('Pansement refait, plaie propre.\nTension : 134/82 mmHg.'),
      },
      {
        number: 110,
        by: 'labo-centre',
        type: '11502-2',
        title: 'Compte rendu d’examens de biologie médicale',
        on: '2026-05-06',
        content: laboratory([
          [
            '18719-5',
            'Biochimie',
            [
              ['2345-7', 'Glucose', 1.04, 'g/L', [0.7, 1.1]],
              ['4548-4', 'Hémoglobine A1c', 5.9, '%', [4, 6]],
            ],
          ],
        ]),
      },
      {
        number: 111,
        by: 'dr-martin',
        type: '60591-5',
        title: 'Synthèse médicale',
        on: '2026-05-20',
        content: pdf('Synthèse médicale', [
          'Antécédents : hypertension artérielle, cholécystectomie (2026).',
          'Allergies : pénicilline.',
          'Traitement : périndopril 4 mg par jour.',
        ]),
      },
      {
        number: 112,
        by: 'dr-martin',
        type: '89601-9',
        title: 'Certificat médical',
        on: '2026-05-20',
        content: text(
          'Je certifie que l’état de santé de M. LAURENT ne contre-indique pas la pratique de la randonnée.',
        ),
      },
      {
        number: 113,
        by: 'laurent',
        type: 'EXPPAT_1',
        title: 'Mes volontés',
        on: '2026-06-01',
        content: text('Personne de confiance : mon épouse.\nJe suis favorable au don d’organes.'),
      },
    ],
  },
  { patient: 'casanova', creator: 'dr-martin', consents: [{ authorise: 'dr-martin' }], documents: [] },
  {
    patient: 'faure',
    creator: 'dr-martin',
    consents: [treating],
    documents: [
      {
        number: 201,
        by: 'dr-martin',
        type: '11488-4',
        title: 'Consultation',
        on: '2025-11-04',
        content: text('Consultation de renouvellement.'),
      },
    ],
    closed: { motive: 'FERMETURE_DEMANDE_PATIENT', text: 'Je ne souhaite plus de dossier partagé.' },
  },
  {
    patient: 'blanc',
    creator: 'dr-martin',
    consents: [treating, { block: 'dr-nguyen' }],
    documents: [
      {
        number: 301,
        by: 'dr-martin',
        type: '11488-4',
        title: 'Consultation',
        on: '2026-02-17',
        content: text('Migraine sans aura. Traitement de crise.'),
      },
      {
        number: 302,
        by: 'dr-martin',
        type: '57833-6',
        title: 'Ordonnance',
        on: '2026-02-17',
        content: pdf('Ordonnance', ['Ibuprofène 400 mg : 1 comprimé au début de la crise.']),
      },
    ],
  },
  {
    patient: 'girard',
    creator: 'dr-leroy',
    consents: [{ oppose: 'breakGlass' }, { oppose: 'emergencyCentre' }, { authorise: 'dr-leroy' }],
    documents: [
      {
        number: 401,
        by: 'dr-leroy',
        type: '34112-3',
        title: 'Compte rendu d’hospitalisation',
        on: '2026-04-09',
        content: pdf('Compte rendu d’hospitalisation', ['Surveillance d’une insuffisance rénale chronique.']),
      },
    ],
  },
  {
    patient: 'henry',
    creator: 'dr-martin',
    consents: [treating, { authorise: 'dr-nguyen' }, { authorise: 'dr-leroy' }],
    documents: [
      {
        number: 501,
        by: 'dr-martin',
        type: '11488-4',
        title: 'Consultation',
        on: '2026-03-03',
        content: text('Suivi d’un syndrome dépressif.'),
        hide: 'MASQUE_PS',
      },
      {
        number: 502,
        by: 'dr-leroy',
        type: '11490-0',
        title: 'Lettre de liaison à la sortie',
        on: '2026-03-22',
        content: pdf('Lettre de liaison', ['Hospitalisation brève, sortie avec traitement inchangé.']),
        hide: 'MASQUE_PS',
      },
    ],
  },
  {
    patient: 'masson',
    creator: 'dr-martin',
    consents: [treating, { authorise: 'labo-centre' }, { authorise: 'pharm-durand' }, { withdraw: 'pharm-durand' }],
    documents: [
      {
        number: 601,
        by: 'dr-martin',
        type: '11488-4',
        title: 'Consultation',
        on: '2026-04-14',
        content: text('Nodule du sein droit, biopsie demandée.'),
      },
      {
        number: 602,
        by: 'labo-centre',
        type: '11526-1',
        title: 'Compte rendu d’anatomie pathologique',
        on: '2026-04-24',
        content: pdf('Anatomie et cytologie pathologiques', ['Résultat à annoncer en consultation.']),
        hide: 'INVISIBLE_PATIENT',
      },
    ],
  },
  {
    patient: 'lea-morel',
    creator: 'dr-martin',
    speaks: 'sophie-morel',
    consents: [treating, { authorise: 'inf-petit' }],
    documents: [
      {
        number: 701,
        by: 'dr-martin',
        type: '11488-4',
        title: 'Consultation',
        on: '2026-05-11',
        content: text('Certificat pour la pratique de la natation établi.'),
      },
      {
        number: 702,
        by: 'inf-petit',
        type: '87273-9',
        title: 'Note de vaccination',
        on: '2026-05-12',
        content: text('Rappel DTP-Coqueluche.'),
      },
      {
        number: 703,
        by: 'dr-martin',
        type: '11488-4',
        title: 'Consultation confidentielle',
        on: '2026-06-08',
        content: text('Entretien à la demande de la patiente, qui souhaite le garder pour elle.'),
        hide: 'INVISIBLE_REPRESENTANTS_LEGAUX',
      },
    ],
  },
];

function pdf(title: string, lines: readonly string[]): () => CdaContent {
  return () => ({ kind: 'nonXml', mediaType: 'application/pdf', bytes: writePdf(title, lines) });
}

function text(content: string): () => CdaContent {
  return () => ({ kind: 'nonXml', mediaType: 'text/plain', bytes: Buffer.from(`${content}\n`) });
}

type Row = readonly [code: string, name: string, value: number, unit: string, range: LabResult['range']];

function laboratory(
  chapters: readonly (readonly [code: string, title: string, rows: readonly Row[]])[],
): () => CdaContent {
  return () => ({
    kind: 'laboratory',
    chapters: chapters.map(([code, title, rows]) => ({
      code,
      title,
      results: rows.map(([of, name, value, unit, range]) => ({ code: of, name, value, unit, range })),
    })),
  });
}
