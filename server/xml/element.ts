/** An attribute with its resolved namespace ('' when it has none). */
export type XmlAttribute = { readonly namespace: string; readonly local: string; readonly value: string };

/**
 * An element of a message that was read. `text` is the concatenation of its own text and CDATA pieces. `start` and `end` are offsets into
 * the source text: of `<` of the start tag and just behind `>` of the end tag.
 */
export type XmlElement = {
  readonly namespace: string;
  readonly local: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Namespace declarations written on this element, prefix ('' = default) → URI. */
  readonly declares: Readonly<Record<string, string>> | undefined;
  readonly parent: XmlElement | undefined;
};

/** The first child of that name. */
export function child(element: XmlElement | undefined, namespace: string, local: string): XmlElement | undefined {
  return element?.children.find((c) => c.local === local && c.namespace === namespace);
}

/** What lies at the end of a path of first children, all of one namespace. */
export function descendant(
  element: XmlElement | undefined,
  namespace: string,
  path: readonly string[],
): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((parent, local) => child(parent, namespace, local), element);
}

/** All children of that name. */
export function childrenOf(element: XmlElement | undefined, namespace: string, local: string): XmlElement[] {
  return element?.children.filter((c) => c.local === local && c.namespace === namespace) ?? [];
}

/** The value of an attribute without namespace, or of the given one. */
export function attributeOf(element: XmlElement, local: string, namespace = ''): string | undefined {
  return element.attributes.find((a) => a.local === local && a.namespace === namespace)?.value;
}
