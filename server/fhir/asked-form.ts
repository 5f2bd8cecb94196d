import { namesTag } from './byte-range.ts';
import type { Answer, Exchange, Interaction } from './exchange.ts';
import { preference } from './preference.ts';
import { type Results, shownRows } from './result-parameters.ts';
import { readSearch } from './search.ts';
import { isSubsettable, subsetOf } from './subset.ts';

type Done = Exclude<Answer, { refused: unknown }>;

/**
 * The same interaction, its answer in the form that the client asks for: nothing where it holds the state already, a part of a resource that is
 * read, and what it prefers to get back of a change. FHIR R4 http.html#cread, http.html#ops, http.html#parameters.
 */
export function inAskedForm(interaction: Interaction): Interaction {
  const form = formOf[interaction.interaction];
  if (form === undefined) return interaction;
  return {
    ...interaction,
    handle: async (exchange) => {
      const answer = await interaction.handle(exchange);
      return 'refused' in answer ? answer : form(answer, exchange, interaction);
    },
  };
}

type Form = (answer: Done, exchange: Exchange, interaction: Interaction) => Answer;

const ofRead: Form = (answer, exchange, { resource }) =>
  isHeld(answer, exchange)
    ? { body: '', status: 304, headers: answer.headers ?? {} }
    : shown(answer, exchange, resource);

const formOf: { readonly [I in Interaction['interaction']]?: Form } = {
  read: ofRead,
  vread: ofRead,
  create: preferred,
  update: preferred,
  patch: preferred,
};

/** Whether the client has this state. A date says nothing where a tag is named. RFC 9110 §13.1.2, §13.1.3. */
function isHeld({ status = 200, headers = {} }: Done, { header }: Exchange): boolean {
  const { ETag: etag, 'Last-Modified': modified } = headers;
  const [tags, since] = [header('If-None-Match'), header('If-Modified-Since')];
  if (status !== 200) return false;
  if (tags !== '') return etag !== undefined && namesTag(tags.trim(), etag);
  return since !== '' && modified !== undefined && Date.parse(modified) <= Date.parse(since);
}

/** `_summary` and `_elements` of a read. @throws Refused parameterMalformed */
function shown(answer: Done, exchange: Exchange, type: string): Answer {
  if (typeof answer.body === 'function' || !isSubsettable(type)) return answer;
  const given = exchange.parameters.filter(([name]) => Object.hasOwn(shownRows, name));
  if (given.length === 0) return answer;
  const asked: Results = {};
  readSearch(given, shownRows, asked, exchange.strict);
  const part = asked.shown === 'count' ? undefined : asked.shown;
  return part === undefined ? answer : { ...answer, body: subsetOf(type, answer.body.toString(), part) };
}

/** `Prefer: return=…`; the resource unless said. */
function preferred(answer: Done, { header, request }: Exchange): Answer {
  const form = preference(header('Prefer'), 'return');
  if (form === 'minimal') return { ...answer, body: '' };
  if (form !== 'OperationOutcome') return answer;
  const text = answer.status === 201 ? 'created' : 'updated';
  const issue = [{ severity: 'information', code: 'informational', details: { text } }];
  const { mediaType: _mediaType, size: _size, ...rest } = answer;
  return { ...rest, body: JSON.stringify({ resourceType: 'OperationOutcome', id: request.origin.requestId, issue }) };
}
