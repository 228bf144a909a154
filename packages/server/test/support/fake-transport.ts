import type { Payload, Transport, TransportOwner } from '@millrace/server'

/** A transport whose network takes bytes only when the test says so. */
export class FakeTransport implements Transport {
  text = ''
  bufferedBytes = 0
  isOpen = true
  /** When true, bytes stay buffered until {@link drain}. */
  isStalled = false
  readonly highWaterMarkBytes: number
  #owner: TransportOwner | undefined
  #needsDrain = false
  readonly #later: (() => void)[] = []

  constructor(highWaterMarkBytes = 1_024) {
    this.highWaterMarkBytes = highWaterMarkBytes
  }

  attach(owner: TransportOwner): void {
    this.#owner = owner
  }

  write(payload: Payload): boolean {
    if (!this.isOpen) return false
    this.text += new TextDecoder().decode(payload.bytes)
    if (this.isStalled) this.bufferedBytes += payload.bytes.byteLength
    this.#needsDrain ||= this.bufferedBytes > this.highWaterMarkBytes
    return !this.#needsDrain
  }

  /** The network takes everything. */
  drain(): void {
    this.isStalled = false
    this.bufferedBytes = 0
    if (!this.#needsDrain) return
    this.#needsDrain = false
    this.#owner?.onDrain()
  }

  end(): void {
    this.#close()
  }

  destroy(): void {
    this.#close()
  }

  /** Tells the owner what has happened since; as the contract says, never from within its calls. */
  settle(): void {
    for (const call of this.#later.splice(0)) call()
  }

  #close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.bufferedBytes = 0
    this.#later.push(() => this.#owner?.onClose())
  }
}
