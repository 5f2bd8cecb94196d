const professionDisplay: Readonly<Record<string, string>> = {
  '10': 'Médecin',
  '21': 'Pharmacien',
  '60': 'Infirmier',
  SECRETARIAT_MEDICAL: 'Secrétariat médical',
};
const specialtyDisplay: Readonly<Record<string, string>> = {
  SM03: 'Biologie médicale (SM)',
  SM04: 'Cardiologie et Maladies vasculaires (SM)',
  SM25: 'Médecine du travail (SM)',
  SM26: 'Qualifié en Médecine générale (SM)',
  SM27: 'Médecine interne (SM)',
  SM44: 'Radio-diagnostic (SM)',
  SM59: "Médecine d'urgence (SM)",
  A: "Pharmacien titulaire d'officine",
};

/** Codes of a person's profession and specialty, with the systems in which the VIHF states them: TRE_G15 or TRE_A00; TRE_R01 or TRE_G05. */
export function rolesOf(person: { readonly profession: string; readonly specialty?: string }) {
  const { profession, specialty } = person;
  const health = /^\d+$/.test(profession);
  return [
    {
      code: profession,
      system: health ? '1.2.250.1.71.1.2.7' : '1.2.250.1.213.1.1.4.6',
      display: professionDisplay[profession] ?? profession,
    },
    ...(specialty === undefined
      ? []
      : [
          {
            code: specialty,
            system: profession === '21' ? '1.2.250.1.71.4.2.6' : '1.2.250.1.71.4.2.5',
            display: specialtyDisplay[specialty] ?? specialty,
          },
        ]),
  ];
}

/** authorSpecialty as CI-SIS writes it: `code^display^oid` of JDV_J01. */
export function authorSpecialtyOf(person: { readonly profession: string; readonly specialty?: string }): string {
  const [profession, specialty] = rolesOf(person);
  if (!/^\d+$/.test(person.profession)) return `${person.profession}^${profession?.display}^1.2.250.1.213.1.1.4.6`;
  const code = `G15_${person.profession}${specialty === undefined ? '' : `/${specialty.code}`}`;
  const display =
    person.profession === '10' && specialty !== undefined
      ? `${profession?.display} - ${specialty.display}`
      : (specialty ?? profession)?.display;
  return `${code}^${display}^1.2.250.1.213.1.1.4.5`;
}
