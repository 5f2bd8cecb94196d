import type { FolderDraft } from '../../domain/document.ts';
import { attributeOf } from '../../xml/element.ts';
import { folderScheme, limitedMetadata, packageNode, statusUrn } from '../vocabulary.ts';
import { checkClassifications, checkIdentifiers, codes, identifier } from './classifications.ts';
import { cx } from './data-types.ts';
import {
  extraSlots,
  home,
  inType,
  keyOf,
  localized,
  logicalId,
  present,
  type Source,
  value,
  version,
} from './registry-object.ts';

/** Reads a RegistryPackage that is a folder. IHE ITI TF-3 4.2.3.4. */
export function readFolder(source: Source): FolderDraft {
  checkClassifications(source, schemes, nodes, limitedMetadata.folder);
  checkIdentifiers(source, ['XDSFolder.patientId', 'XDSFolder.uniqueId']);
  const status = keyOf(statusUrn, attributeOf(source.element, 'status'));
  return {
    id: source.id,
    ...present({
      logicalID: logicalId(source),
      version: version(source),
      status: status === 'approved' || status === 'deprecated' ? status : undefined,
      uniqueId: identifier(source, 'XDSFolder.uniqueId'),
      patientId: inType(source, 'patientId', identifier(source, 'XDSFolder.patientId'), cx),
      title: localized(source, 'Name', 'title'),
      comments: localized(source, 'Description', 'comments'),
      codes: codes(source, folderScheme.codeList, 'codeList'),
      lastUpdateTime: value(source, 'lastUpdateTime'),
      homeCommunityId: home(source),
      extra: extraSlots(source, slots),
    }),
  };
}

const schemes: ReadonlySet<string> = new Set(Object.values(folderScheme));
const nodes: ReadonlySet<string> = new Set([packageNode.folder]);
const slots: ReadonlySet<string> = new Set(['lastUpdateTime']);
