import { parseStringPromise, processors } from 'xml2js';
import { Refused } from '../../server/domain/error.ts';
import type { Transaction } from '../../server/domain/event.ts';
import type { Request } from '../../server/usecases/perform.ts';
import type { Answer, XdsTransaction } from '../../server/xds/exchange.ts';
import { namespace } from '../../server/xds/vocabulary.ts';
import { attributeOf, childrenOf } from '../../server/xml/element.ts';
import { defaultXmlLimits, parseXml } from '../../server/xml/read.ts';
import type { World } from '../support/world.ts';

/** An answer, its XML as one text. */
export type Told = Omit<Answer, 'body'> & { readonly body: string };

/** What a transaction answers to the child of a Body, be it done or refused; documents are inline in base64. */
export async function handled(transaction: XdsTransaction, world: World, request: Request, xml: string): Promise<Told> {
  const { body, ...rest } = await answered(transaction, world, request, xml);
  const pieces = typeof body === 'string' ? [body] : body;
  return { ...rest, body: Buffer.concat(pieces.map((piece) => Buffer.from(piece))).toString() };
}

async function answered(
  transaction: XdsTransaction,
  { tools }: World,
  { caller, origin }: Request,
  xml: string,
): Promise<Answer> {
  const body = parseXml(xml, {
    ...defaultXmlLimits,
    unlimitedText: { namespace: namespace.xds, local: 'Document' },
  });
  const named: Transaction = transaction.name;
  try {
    return await transaction.handle({
      tools,
      request: { caller, origin: { ...origin, transaction: named } },
      envelope: { source: xml, root: body },
      body,
      documents: () =>
        Promise.resolve(
          childrenOf(body, namespace.xds, 'Document').map((document) => ({
            id: attributeOf(document, 'id') ?? '',
            received: tools.blobs.receiveBytes(Buffer.from(document.text, 'base64')),
          })),
        ),
    });
  } catch (error) {
    if (error instanceof Refused) return transaction.refused(error.problems, { tools, body });
    throw error;
  }
}

type Node = { readonly $?: Readonly<Record<string, string>>; readonly _?: string } & {
  readonly [child: string]: unknown;
};

/** An answer as another reader sees it. */
export type Seen = {
  readonly status: string;
  /** errorCode, codeContext and location of each error. */
  readonly errors: readonly { readonly code: string; readonly context: string; readonly location: string }[];
  readonly root: Node;
};

/** Reads an answer with another reader than ours. */
export async function seen({ body }: Told): Promise<Seen> {
  const parsed = (await parseStringPromise(body, { tagNameProcessors: [processors.stripPrefix] })) as Node;
  const root = Object.values(parsed)[0] as Node;
  const registry = all(root, 'RegistryResponse')[0] ?? root;
  const errors = all(all(registry, 'RegistryErrorList')[0], 'RegistryError');
  return {
    status: registry.$?.['status']?.replace(/^.*:/, '') ?? '',
    errors: errors.map((e) => ({
      code: e.$?.['errorCode'] ?? '',
      context: e.$?.['codeContext'] ?? '',
      location: e.$?.['location'] ?? '',
    })),
    root,
  };
}

/** The children of that name. */
export function all(node: Node | undefined, name: string): Node[] {
  const children = node?.[name];
  if (!Array.isArray(children)) return [];
  return children.map((c: unknown) => (typeof c === 'string' ? { _: c } : (c as Node)));
}

/** The text of the one child of that name. */
export function textOf(node: Node | undefined, name: string): string | undefined {
  return all(node, name)[0]?._;
}
