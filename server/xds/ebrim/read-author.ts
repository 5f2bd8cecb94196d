import type { Author } from '../../domain/people.ts';
import { classifications } from './classifications.ts';
import { xcn, xon, xtn } from './data-types.ts';
import { openClassification, type Source, typed, typedAll, values } from './registry-object.ts';

/** Reads the author classifications of a scheme, in their order. IHE ITI TF-3 4.2.3.1.4. */
export function readAuthors(source: Source, scheme: string): Author[] {
  return classifications(source, scheme).map((element) => readAuthor(openClassification(source, element)));
}

function readAuthor(source: Source): Author {
  const person = typed(source, 'authorPerson', xcn);
  return {
    ...(person && { person }),
    institutions: typedAll(source, 'authorInstitution', xon),
    roles: values(source, 'authorRole'),
    specialties: values(source, 'authorSpecialty'),
    telecommunications: typedAll(source, 'authorTelecommunication', xtn),
  };
}
