import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import habilitations from '../../profiles/habilitations.json' with { type: 'json' };
import type { OAuthClient } from '../auth/client.ts';
import type { AffinityDomain } from '../domain/affinity-domain.ts';
import type { Habilitations } from '../domain/decision.ts';
import { regimes } from '../domain/regime.ts';
import type { Sender } from '../domain/sender.ts';
import type { System } from '../domain/system.ts';
import type { Settings } from '../usecases/perform.ts';
import { type Activity, readActivities } from './activities.ts';
import { readClients } from './clients.ts';
import { readDomain } from './domain.ts';
import type { Env, ReadEnv } from './env.ts';
import { readIssuers, type StatedIssuer } from './issuers.ts';
import { fileMistakes, liesInSandbox, sandboxKeys } from './named-files.ts';
import { readSenders } from './senders.ts';
import { SettingsWrong } from './settings-wrong.ts';
import { readSystems } from './systems.ts';

export type Config = {
  readonly env: Env;
  readonly sandbox: boolean;
  readonly data: string;
  readonly settings: Settings;
  /** Issuers of tokens that are taken; `own` where the sandbox's authorisation server serves. */
  readonly tokens: { readonly issuers: readonly StatedIssuer[]; readonly audience: string; readonly own?: string };
  /** Clients of the sandbox's authorisation server that the operator listed. */
  readonly clients: readonly OAuthClient[];
  readonly trustStore: string;
  /** Senders of HL7 version 2 messages that the operator configured. */
  readonly senders: readonly Sender[];
  /** Partners' systems that the operator listed. */
  readonly systems: readonly System[];
  /** In which structures professionals work. */
  readonly activities: readonly Activity[];
};

const testOids = ['1.2.250.1.213.1.4.10', '1.2.250.1.213.1.4.11'];

/**
 * What the settings mean together.
 * @throws SettingsWrong listing all mistakes at once: of single settings, of the files that they name, and of production mode
 */
export function configOf({ env, mistakes }: ReadEnv, sandboxCentres: readonly string[]): Config {
  const sandbox = env.DMP_MODE === 'sandbox';
  const data = resolve(env.DMP_DATA);
  const insOids =
    env.DMP_INS_OIDS.length > 0
      ? env.DMP_INS_OIDS
      : sandbox
        ? testOids.slice(0, 1)
        : ['1.2.250.1.213.1.4.8', '1.2.250.1.213.1.4.9'];
  const { domain, wrong } = domainOf(env);
  const issuers = env.DMP_TOKEN_ISSUERS === undefined ? none : readIssuers(env.DMP_TOKEN_ISSUERS, audienceOf(env));
  const clients = env.DMP_OAUTH_CLIENTS === undefined ? none : readClients(env.DMP_OAUTH_CLIENTS);
  const senders = env.DMP_MLLP_SENDERS === undefined ? none : readSenders(env.DMP_MLLP_SENDERS);
  const systems = env.DMP_SYSTEMS === undefined ? none : readSystems(env.DMP_SYSTEMS);
  const activities = env.DMP_ACTIVITIES === undefined ? none : readActivities(env.DMP_ACTIVITIES);
  const further = [
    ...wrong,
    ...[issuers, clients, senders, systems, activities].flatMap(({ mistakes: told }) => told),
    ...fileMistakes(env),
    ...(sandbox ? [] : [...productionMistakes(env, insOids, domain), ...issuers.listed.flatMap(issuerMistakes)]),
  ];
  // Of a setting that could not be read its default is no second mistake.
  const told = [
    ...mistakes,
    ...further.filter((text) => !mistakes.some((one) => one.split(':')[0] === text.split(' ')[0])),
  ];
  if (told.length > 0) throw new SettingsWrong(`The settings are wrong:\n${told.map((m) => `✖ ${m}`).join('\n')}`);
  const regime = regimes[env.DMP_REGIME];
  return {
    env,
    sandbox,
    data,
    settings: {
      regime: {
        ...regime,
        depositNeedsAuthorisation:
          env.DMP_DEPOSIT_NEEDS_AUTHORISATION === undefined
            ? regime.depositNeedsAuthorisation
            : env.DMP_DEPOSIT_NEEDS_AUTHORISATION === 'on',
        maskedAndHiddenTogether: env.DMP_MASKED_AND_HIDDEN,
        lotSignatureRequired: env.DMP_LOT_SIGNATURE,
        traitsCompared: env.DMP_TRAITS,
        breakGlassNeedsReason: env.DMP_BREAK_GLASS_REASON,
      },
      habilitations: habilitations as Habilitations,
      emergencyCentres: new Set([...env.DMP_EMERGENCY_CENTRES, ...(sandbox ? sandboxCentres : [])]),
      occupationalSpecialties: new Set(env.DMP_OCCUPATIONAL_SPECIALTIES),
      domain,
      insOids,
      repositoryUniqueId: env.DMP_REPOSITORY_ID,
      limits: { results: env.DMP_MAX_RESULTS, entriesPerSubmission: env.DMP_MAX_ENTRIES },
    },
    tokens: tokensOf(env, issuers.listed, join(data, 'sandbox', 'jwks.json')),
    clients: clients.listed,
    senders: senders.listed,
    systems: systems.listed,
    activities: activities.listed,
    trustStore: env.DMP_TRUST_STORE ?? join(data, 'sandbox', 'ca.pem'),
  };
}

const none = { listed: [], mistakes: [] };

function audienceOf({ DMP_PUBLIC_URL }: Env): string {
  return `${DMP_PUBLIC_URL}/fhir`;
}

/** The issuer of the single settings, or the sandbox's own, before those of the file. */
function tokensOf(env: Env, listed: readonly StatedIssuer[], sandboxKeys: string): Config['tokens'] {
  const audience = audienceOf(env);
  const { DMP_MODE: mode, DMP_TOKEN_ISSUER: named, DMP_TOKEN_JWKS: keys } = env;
  const isOwn = mode === 'sandbox' && named === undefined && keys === undefined;
  const own = `${env.DMP_PUBLIC_URL}/auth`;
  if (mode === 'production' && named === undefined) return { issuers: listed, audience };
  const first: StatedIssuer = { kind: 'own', issuer: named ?? own, audience, jwks: keys ?? sandboxKeys };
  return { issuers: [first, ...listed], audience, ...(isOwn && { own }) };
}

/** Keys that a sandbox made, and addresses without TLS, prove nobody in production. */
function issuerMistakes({ issuer, jwks, userinfo }: StatedIssuer): string[] {
  const plain = [issuer, jwks, userinfo].some((address) => address?.startsWith('http://') === true);
  return [
    ...(plain ? [`DMP_TOKEN_ISSUERS holds plain http for ${issuer}`] : []),
    ...(/^https?:/.test(jwks) || !liesInSandbox(jwks) ? [] : ['DMP_TOKEN_ISSUERS names a sandbox key']),
  ];
}

function domainOf({ DMP_DOMAIN }: Env): { readonly domain: AffinityDomain; readonly wrong: readonly string[] } {
  try {
    return { domain: readDomain(DMP_DOMAIN), wrong: [] };
  } catch (error) {
    if (!(error instanceof SettingsWrong)) throw error;
    return { domain: readDomain('dmp'), wrong: [`DMP_DOMAIN: ${error.message}`] };
  }
}

function productionMistakes(env: Env, insOids: readonly string[], domain: AffinityDomain): string[] {
  const mistakes: string[] = [];
  const must = (name: keyof Env) => {
    if (env[name] === undefined) mistakes.push(`${name} is required`);
  };
  must('DMP_MASTER_KEY_FILE');
  must('DMP_LINK_KEY_FILE');
  must('DMP_TRUST_STORE');
  if (env.DMP_TOKEN_ISSUERS === undefined || env.DMP_TOKEN_ISSUER !== undefined) {
    must('DMP_TOKEN_ISSUER');
    must('DMP_TOKEN_JWKS');
  }
  if (env.DMP_OAUTH_CLIENTS !== undefined)
    mistakes.push('DMP_OAUTH_CLIENTS is for the authorisation server of the sandbox');
  must('DMP_TLS_FRONT');
  if (!env.DMP_PUBLIC_URL.startsWith('https://')) mistakes.push('DMP_PUBLIC_URL is plain http');
  if (env.DMP_TLS_FRONT !== undefined && env.DMP_TLS_FRONT.replace(/\/+$/, '') !== env.DMP_PUBLIC_URL)
    mistakes.push('DMP_TLS_FRONT and DMP_PUBLIC_URL name different addresses');
  for (const address of env.DMP_REPLY_TO)
    if (!address.startsWith('https://')) mistakes.push(`DMP_REPLY_TO holds plain http: ${address}`);
  for (const address of env.DMP_NOTIFY_TO)
    if (!address.startsWith('https://')) mistakes.push(`DMP_NOTIFY_TO holds plain http: ${address}`);
  for (const oid of insOids)
    if (testOids.includes(oid)) mistakes.push(`DMP_INS_OIDS holds the test or demo OID ${oid}`);
  mistakes.push(...sandboxKeys(env));
  if (domain.credentials === 'none')
    mistakes.push(`DMP_DOMAIN (${env.DMP_DOMAIN}) asks for no credentials: it is for the sandbox alone`);
  if (existsSync(join(resolve(env.DMP_DATA), 'sandbox'))) mistakes.push(`DMP_DATA (${env.DMP_DATA}) holds a sandbox`);
  return mistakes;
}
