import type { Payload } from '@millrace/server'
import type { FakeSocket } from './fake-socket.ts'
import { must } from './violation.ts'

/** What the first block of a stream, and the like of it, may hold besides events. Bytes. */
const CONTROL_BYTES = 300

/** §7: what waits in the sockets of a node, counted once for each allocation. */
export class PendingMemory {
  readonly #maxBytes: number
  readonly #sockets = new Set<FakeSocket>()
  #largestBytes = 0

  constructor(maxBytes: number | false) {
    this.#maxBytes = maxBytes === false ? Infinity : maxBytes
  }

  add(socket: FakeSocket): void {
    this.#sockets.add(socket)
  }

  onWrite({ chunk }: Payload): void {
    this.#largestBytes = Math.max(this.#largestBytes, chunk.byteLength)
  }

  /** Whether the limit is reached, or was a moment ago: a sixteenth of it is made free then. */
  get isShort(): boolean {
    return this.#maxBytes !== Infinity && this.#count() > (this.#maxBytes * 15) / 16
  }

  /** After each step: no more than a write beyond the limit may wait. */
  check(): void {
    if (this.#maxBytes === Infinity) return
    const bytes = this.#count()
    const most = this.#maxBytes + this.#largestBytes + CONTROL_BYTES * this.#sockets.size
    must(bytes <= most, '§7', () => `${bytes} bytes wait in all sockets, and ${this.#maxBytes} may`)
  }

  #count(): number {
    const buffers = new Set<ArrayBufferLike>()
    for (const socket of this.#sockets) {
      if (!socket.isOpen && socket.finished) this.#sockets.delete(socket)
      for (const buffer of socket.waitingBuffers) buffers.add(buffer)
    }
    let bytes = 0
    for (const { byteLength } of buffers) bytes += byteLength
    return bytes
  }
}
