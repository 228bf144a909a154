import type { Variant, WireFrame } from './frame.ts'
import { joinPayload, type Payload } from './payload.ts'

/** What is remembered at most; past it all of it is forgotten and begun anew. Bytes. */
const MAX_BYTES = 4 * 1024 * 1024

interface Page {
  readonly frames: readonly WireFrame[]
  readonly variant: Variant
  readonly note: string
  readonly payload: Payload
}

const encoder = new TextEncoder()

/**
 * The payloads of replays, shared by all who are owed the same: when ten thousand clients come back at once, few of
 * them missed something else than the others. Then they hold a quarter less memory each, and are caught up 10 to 20%
 * sooner (benchmark `replay`).
 */
export class SharedPages {
  readonly #pages = new Map<WireFrame, Page>()
  #heldBytes = 0

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** The bytes of the frames and, after them, a note. At least one frame or a note. */
  payload(frames: readonly WireFrame[], variant: Variant, note: string): Payload {
    const last = frames.at(-1)
    if (!last) return join(frames, variant, note)
    const known = this.#pages.get(last)
    if (known && known.variant === variant && known.note === note && isSame(known.frames, frames)) return known.payload
    const payload = join(frames, variant, note)
    this.#remember(last, { frames, variant, note, payload })
    return payload
  }

  /** Forgets the pages. What is still being sent stays with its transports. */
  clear(): void {
    this.#pages.clear()
    this.#heldBytes = 0
  }

  #remember(last: WireFrame, page: Page): void {
    this.#heldBytes += page.payload.bytes.byteLength - (this.#pages.get(last)?.payload.bytes.byteLength ?? 0)
    this.#pages.set(last, page)
    if (this.#heldBytes > MAX_BYTES) this.clear()
  }
}

function join(frames: readonly WireFrame[], variant: Variant, note: string): Payload {
  const parts = frames.map((frame) => frame.bytes(variant))
  if (note !== '') parts.push(encoder.encode(note))
  let byteLength = 0
  for (const part of parts) byteLength += part.byteLength
  return joinPayload(parts, byteLength)
}

function isSame(one: readonly WireFrame[], other: readonly WireFrame[]): boolean {
  return one.length === other.length && one.every((frame, i) => frame === other[i])
}
