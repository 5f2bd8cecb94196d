import type { Extension } from 'fhir/r4.js';
import type { DocumentEntry, LocalizedText } from '../../domain/document.ts';
import type { Dtm } from '../../domain/time.ts';
import { extensions } from '../vocabulary.ts';

/** What the registry knows of a document and DocumentReference has no element for. */
export function registryEntryOf(entry: DocumentEntry): Extension {
  const { logicalID, entryUUID, documentAvailability, uri, homeCommunityId } = entry;
  return {
    url: extensions.registryEntry,
    extension: [
      { url: 'objectType', valueCode: entry.objectType },
      ...(entry.repositoryUniqueId === ''
        ? []
        : [{ url: 'repositoryUniqueId', valueOid: `urn:oid:${entry.repositoryUniqueId}` }]),
      ...(logicalID === entryUUID ? [] : [{ url: 'logicalID', valueUri: logicalID }]),
      ...(entry.version === 1 ? [] : [{ url: 'version', valuePositiveInt: entry.version }]),
      ...(documentAvailability === undefined ? [] : [{ url: 'documentAvailability', valueCode: documentAvailability }]),
      ...(uri === undefined ? [] : [{ url: 'uri', valueString: uri }]),
      ...(homeCommunityId === undefined ? [] : [{ url: 'homeCommunityId', valueUri: homeCommunityId }]),
      ...precisionOf('creationTime', entry.creationTime),
      ...precisionOf('serviceStartTime', entry.serviceStartTime),
      ...precisionOf('serviceStopTime', entry.serviceStopTime),
      ...languageOf('titleLanguage', entry.title),
      ...languageOf('commentsLanguage', entry.comments),
    ],
  };
}

/** The DTM itself where a FHIR dateTime must be more precise: it knows no hours or minutes without seconds. */
export function precisionOf(url: string, dtm: Dtm | undefined): Extension[] {
  return dtm === undefined || (dtm.length !== 10 && dtm.length !== 12) ? [] : [{ url, valueString: dtm }];
}

/** The language of a text, which FHIR says of resources alone. */
export function languageOf(url: string, text: LocalizedText | undefined): Extension[] {
  return text?.language === undefined ? [] : [{ url, valueCode: text.language }];
}

/** A slot that the model does not know; FHIR has no empty text. */
export function slotOf({ name, values, type }: DocumentEntry['extra'][number]): Extension {
  return {
    url: extensions.slot,
    extension: [
      { url: 'name', valueString: name },
      ...(type === undefined ? [] : [{ url: 'type', valueString: type }]),
      ...values.map((value) =>
        value === '' ? { url: 'emptyValue', valueBoolean: true } : { url: 'value', valueString: value },
      ),
    ],
  };
}
