import { shapeTable } from '../server/fhir/map/audit-shape.ts';
import { nameOf } from '../server/fhir/profile/table.ts';
import { audit } from '../server/fhir/vocabulary.ts';

/** docs/audit.md: what is traced, in which shape, who reads it, how a partner adds to it. */
export function auditPage(): string {
  const rows = shapeTable().flatMap(([transaction, shapes]) =>
    shapes.map(({ type, subtype, action, profile }) => {
      const interaction = subtype.find(({ system }) => system === audit.interaction);
      const kind = [type.display ?? type.code, interaction?.code].filter((part) => part !== undefined).join(', ');
      return `| ${transaction} | ${kind} | ${action} | ${profile === undefined ? '' : `[${nameOf(profile)}](${profile})`} |`;
    }),
  );
  return `# The audit trail

Everything that is asked of the server, and every refusal, leaves an event in one trail: numbered without gaps, each with a SHA-256 over the one before and its own
JSON. An event is written with the change that it tells of, in one commit, or before the first byte of what is read; where it cannot be written nothing is done.
Nothing changes or deletes one. (Written from the code by \`npm run docs\`.)

## What an event says

\`GET /fhir/AuditEvent\` (ITI-81; parameters: [searches.md](searches.md)) shows events as FHIR R4 AuditEvents.

| Element | What it holds |
| --- | --- |
| \`id\` | its number |
| \`type\`, \`subtype\`, \`action\` | the transaction, as the table below has it |
| \`outcome\`, \`outcomeDesc\` | 0 done; 8 refused, with the words that the caller was told, never the reason behind them; 4 the message was wrong, with the rule that it broke |
| \`agent\` | the client's software and address; this server; the user with national id, profession, token or assertion (\`policy\`) and purpose: TREAT, BTG (break-glass), ETREAT (centre 15), PATRQT (the patient), PWATRNY (a representative); the structure in whose name the user acts |
| \`entity\` | the patient, with the ground of the access and the stated reason of a break-glass (\`detail\`); the documents, submission set, consent or other resource; the query, in base64; X-Request-Id |
| \`meta.profile\` | the profile of the table below, where the event succeeded and has all that the profile asks for: one patient, one object, the client's address |

## The shapes

| Transaction | Type, interaction | Action | Profile |
| --- | --- | --- | --- |
${rows.join('\n')}

Without a profile are transactions of XDS and HL7 version 2, whose DICOM audit messages are written as FHIR (IHE ITI TF-2), and those for which their guide has none.

## Who reads what

| Who | What |
| --- | --- |
| the patient, representatives | the whole history of the record |
| the treating doctor | the same |
| another professional with a right on the record | the events in which he took part |
| structures, secretaries, systems; anybody in break-glass or as centre 15 | nothing |

A document that is hidden from the reader is named in none of the events that he sees. An event that was about hidden documents alone is not there for him: no search finds
it and its number is unknown; a query that could name one is left out. Break-glass shows to the patient as any other access, with its reason. Searching needs a bound
of \`date\`, and is an event itself.

## Events of partners (ITI-20)

A system with the right \`auditFeed\` ([systems.md](systems.md)) adds what it recorded itself:

\`\`\`
POST /fhir/AuditEvent            one AuditEvent, in JSON or XML: 201 with Location
POST /fhir                       a Bundle of type batch, each entry request POST AuditEvent: an answer for each
\`\`\`

- It is checked against FHIR R4 and the profiles that it claims ([fhir-profiles.md](fhir-profiles.md)); everything that is wrong is told at once, and nothing is kept of it.
- At most 256 KiB in JSON, 1000 identifiers and one patient; \`recorded\` not in the future; \`source\` is not this server.
- It is kept in the same trail, as it was sent, and shown so, with our \`id\`, \`meta.lastUpdated\` (when it came) and a \`meta.tag\` of
  system \`https://opendmp.example/fhir/CodeSystem/told-by\` that names the system which told it. A tag of that system that was sent is not kept.
- It is in the history of the record whose holder the patient entity names by an identifier that is known here, or by our own absolute address. Of anybody else it is kept
  in the trail alone; the answer is the same.
- What it says of documents hides it: whoever may not see a document, submission set or folder whose identifier stands anywhere in it does not see the event, even where the document came later.
- AuditEvent has no identifier of its own: what the same system sends again, the same in every element, is kept once and answered as before, so that nothing is
  doubled by a sender who tries again. If-None-Exist is refused.
`;
}
