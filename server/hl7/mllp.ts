const begin = 0x0b;
const end = 0x1c;
const carriageReturn = 0x0d;

/** What a piece of a stream brought: a whole message, or the beginning of one that is too large. */
export type Frame = { readonly message: Buffer } | { readonly tooLarge: Buffer };

/** Reads blocks from a stream of bytes. */
export type Deframer = {
  /** Takes a piece in and gives what it completed. After a message that is too large nothing more is read. */
  readonly take: (piece: Buffer) => readonly Frame[];
  /** Bytes of the message that is under way; undefined between two. */
  readonly underWay: () => number | undefined;
};

/**
 * Blocks `<VT> message <FS><CR>`, in pieces of any size. Bytes between two blocks are skipped, and so is a block in which another begins: its
 * sender broke off, and half a message is never read as the beginning of the next. Minimal Lower Layer Protocol, HL7 v2.5 implementation guide
 * appendix C; HL7 MLLP release 1.
 * @param limit of one message, in bytes
 */
export function makeDeframer(limit: number): Deframer {
  let pieces: Buffer[] = [];
  let size = 0;
  let inside = false;
  let overflown = false;
  /** The last byte was `<FS>`: the block ends when `<CR>` follows. */
  let ending = false;

  const keep = (piece: Buffer) => {
    if (piece.length === 0) return;
    pieces.push(piece);
    size += piece.length;
  };
  const start = () => {
    pieces = [];
    size = 0;
    inside = true;
    ending = false;
  };

  function takeInside(piece: Buffer, frames: Frame[]): Buffer {
    if (ending) {
      ending = false;
      if (piece[0] === carriageReturn) {
        frames.push({ message: Buffer.concat(pieces) });
        pieces = [];
        inside = false;
        return piece.subarray(1);
      }
      keep(Buffer.from([end]));
    }
    const again = piece.indexOf(begin);
    const at = piece.subarray(0, again < 0 ? piece.length : again).indexOf(end);
    if (again >= 0 && at < 0) {
      start();
      return piece.subarray(again + 1);
    }
    keep(Buffer.from(at < 0 ? piece : piece.subarray(0, at)));
    if (at >= 0) ending = true;
    if (size > limit) {
      overflown = true;
      inside = false;
      frames.push({ tooLarge: Buffer.concat(pieces).subarray(0, 4096) });
      pieces = [];
      return Buffer.alloc(0);
    }
    return at < 0 ? Buffer.alloc(0) : piece.subarray(at + 1);
  }

  return {
    take(piece) {
      const frames: Frame[] = [];
      let rest = piece;
      while (rest.length > 0 && !overflown) {
        if (inside) rest = takeInside(rest, frames);
        else {
          const at = rest.indexOf(begin);
          if (at < 0) break;
          start();
          rest = rest.subarray(at + 1);
        }
      }
      return frames;
    },
    underWay: () => (inside ? size : undefined),
  };
}

/** A block around a message. */
export function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from([begin]), message, Buffer.from([end, carriageReturn])]);
}
