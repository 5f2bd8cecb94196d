import { z } from 'zod';
import { NotIdentified } from './credentials.ts';
import { fetchJson } from './fetch-json.ts';
import type { TokenIssuer } from './issuer.ts';
import { roleValueSet } from './vocabulary.ts';

const said = z
  .string()
  .trim()
  .nullish()
  .transform((value) => (value === null || value === '' ? undefined : value));
const several = z
  .union([z.string(), z.array(z.string())])
  .nullish()
  .transform((value) => [value ?? []].flat().filter((one) => one.trim() !== ''));

const activity = z.object({
  ancienIdentifiantDeLaStructure: said,
  numeroFinessSite: said,
  numeroSiretSite: said,
  raisonSocialeSite: said,
});

/** What Pro Santé Connect says of a professional: userinfo, and its access token where that says as much. */
const pscClaims = z.object({
  iss: z.string(),
  sub: z.string(),
  jti: z.string(),
  azp: said,
  client_id: said,
  SubjectNameID: said,
  family_name: said,
  given_name: said,
  SubjectRole: several,
  SubjectOrganization: said,
  SubjectOrganizationID: several,
  SubjectRefPro: z
    .object({
      exercices: z
        .array(z.object({ codeProfession: said, codeSavoirFaire: said, activities: z.array(activity).nullish() }))
        .default([]),
    })
    .nullish(),
});

/**
 * The claims of a Pro Santé Connect access token whose signature and times were found good, in the form that our own tokens have. The
 * professional is SubjectNameID. A token of this issuer speaks for a professional in normal mode and for nobody else: what a software could
 * have declared in it (structure without activity, mode, reason) is not taken from it.
 * @throws NotIdentified when the token says not enough and userinfo does not answer, or answers for another subject
 */
export async function claimsOfPsc(
  payload: Readonly<Record<string, unknown>>,
  { userinfo }: Pick<TokenIssuer, 'userinfo'>,
  token: string,
): Promise<unknown> {
  const told = userinfo === undefined ? {} : await userinfoOf(new URL(userinfo), token, payload['sub']);
  const read = pscClaims.safeParse({
    ...told,
    ...pick(payload, ['iss', 'sub', 'jti', 'azp', 'client_id']),
    ...(userinfo === undefined && payload),
  });
  if (!read.success)
    throw new NotIdentified(`claims malformed: ${read.error.issues.map(({ path }) => path.join('.')).join(', ')}`);
  const { data } = read;
  const exercises = data.SubjectRefPro?.exercices ?? [];
  const professions = [...new Set(exercises.flatMap(({ codeProfession }) => codeProfession ?? []))];
  const structure = structureOf(data);
  const name = [data.given_name, data.family_name].filter(Boolean).join(' ');
  return {
    iss: data.iss,
    sub: data.sub,
    jti: data.jti,
    client_id: data.azp ?? data.client_id ?? 'unknown',
    scope: '',
    SubjectNameID: data.SubjectNameID,
    SubjectRole: data.SubjectRole.length > 0 ? data.SubjectRole : professions.map((code) => `${code}^${roleValueSet}`),
    SubjectRefPro: data.SubjectRefPro,
    extensions: {
      ihe_iua: {
        ...(name !== '' && { subject_name: name }),
        ...(structure && { subject_organization: structure.name, subject_organization_id: structure.id }),
      },
    },
  };
}

async function userinfoOf(address: URL, token: string, subject: unknown): Promise<object> {
  const told = await fetchJson(address, { Authorization: `Bearer ${token}`, Accept: 'application/json' });
  if (typeof told !== 'object' || told === null || !('sub' in told) || told.sub !== subject)
    throw new NotIdentified('userinfo of another subject');
  return told;
}

function pick(from: Readonly<Record<string, unknown>>, names: readonly string[]) {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])));
}

/**
 * The one structure of the professional: that of SubjectOrganizationID, or else of the activities. Who practises in several and says not which
 * acts for none. Numbers of FINESS and SIRET get the digit that makes a Struct_IdNat of them.
 */
function structureOf(
  data: z.infer<typeof pscClaims>,
): { readonly id: string; readonly name: string | undefined } | undefined {
  const [named, ...others] = data.SubjectOrganizationID;
  if (named !== undefined) return others.length === 0 ? { id: named, name: data.SubjectOrganization } : undefined;
  const sites = (data.SubjectRefPro?.exercices ?? [])
    .flatMap(({ activities }) => activities ?? [])
    .flatMap((site) => {
      const { ancienIdentifiantDeLaStructure: id, numeroFinessSite: finess, numeroSiretSite: siret } = site;
      const found =
        id ?? (finess === undefined ? undefined : `1${finess}`) ?? (siret === undefined ? undefined : `3${siret}`);
      return found === undefined ? [] : [{ id: found, name: site.raisonSocialeSite }];
    });
  const [first] = sites;
  return first !== undefined && sites.every(({ id }) => id === first.id) ? first : undefined;
}
