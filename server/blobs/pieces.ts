const disposable = new WeakSet<Uint8Array>();

/** Marks a piece of a document that nobody needs once it was stored or sent. */
export function markDisposable(piece: Uint8Array): void {
  disposable.add(piece);
}

/**
 * Gives the memory of a piece back at once, where it is marked and all of its array; others are left alone. By the time a collection came, a
 * large document would leave tens of megabytes behind it.
 */
export function dispose(piece: unknown): void {
  if (!(piece instanceof Uint8Array) || !disposable.delete(piece)) return;
  const { buffer, byteLength } = piece;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
