import type { Payload } from './payload.ts'

/** Of the limit, so much is made free when it is reached: it is not to be counted again at once. */
const FREED_SHARE = 1 / 16

/** Whoever has bytes that wait. */
export interface PendingMember {
  /** What waits in its transport, oldest first; empty when nothing does. */
  unsentPayloads(): readonly Payload[]
  /** How long the oldest of it has been waiting, at least. Milliseconds. */
  unsentMs(nowMs: number): number
  /** Gives up what waits, and the connection with it. */
  cutOff(): void
}

/**
 * Bounds the bytes that wait in all transports together. Payloads are shared, and each is counted once, with its whole
 * allocation, as long as some byte of it waits anywhere. That is not kept up to date with each write: what is known is
 * that it cannot be more than at the last count and all payloads since. Only when that is too much are they counted.
 */
export class PendingBytes {
  readonly #maxBytes: number
  /** No less than what waits. */
  #mostBytes = 0
  /** Members of an audience are written to one after the other: nearly always it is the same payload again. */
  #last: Payload | undefined

  constructor(maxBytes: number | false) {
    this.#maxBytes = maxBytes === false ? Infinity : maxBytes
  }

  /** Notes a payload that a transport has accepted and not handed on at once. */
  note(payload: Payload): void {
    if (payload === this.#last) return
    this.#last = payload
    this.#mostBytes += payload.chunk.byteLength
  }

  /** Whether more may wait than is allowed: then {@link relieve}. */
  get isDue(): boolean {
    return this.#mostBytes > this.#maxBytes
  }

  /** Counts. While more waits than is allowed those are cut off whose bytes have been waiting for longest. */
  relieve(members: Iterable<PendingMember>, nowMs: number): void {
    const holders = new Map<Payload, number>()
    const waiting: { readonly member: PendingMember; readonly unsentMs: number }[] = []
    let bytes = 0
    for (const member of members) {
      const payloads = member.unsentPayloads()
      if (payloads.length > 0) waiting.push({ member, unsentMs: member.unsentMs(nowMs) })
      for (const payload of payloads) {
        const count = holders.get(payload) ?? 0
        if (count === 0) bytes += payload.chunk.byteLength
        holders.set(payload, count + 1)
      }
    }
    if (bytes > this.#maxBytes) {
      waiting.sort((one, other) => other.unsentMs - one.unsentMs)
      const goalBytes = this.#maxBytes * (1 - FREED_SHARE)
      for (const { member } of waiting) {
        if (bytes <= goalBytes) break
        bytes -= letGo(member.unsentPayloads(), holders)
        member.cutOff()
      }
    }
    this.#mostBytes = bytes
    this.#last = undefined
  }
}

/** How many bytes are free when one of their holders goes. */
function letGo(payloads: readonly Payload[], holders: Map<Payload, number>): number {
  let bytes = 0
  for (const payload of payloads) {
    const count = (holders.get(payload) ?? 0) - 1
    holders.set(payload, count)
    if (count === 0) bytes += payload.chunk.byteLength
  }
  return bytes
}
