import type { Payload, Transport, TransportOwner } from '@millrace/server'
import { must, Violation } from './violation.ts'

/** The sizes of a socket, bytes. */
export interface SocketShape {
  /** What the machines and the network between server and client hold. */
  readonly kernelBytes: number
  /** `write` returns false while at least this much waits before the kernel. */
  readonly highWaterMarkBytes: number
  /** Whether `write` hands bytes to the kernel by itself when it has room. */
  readonly eager: boolean
}

/** Who reads the stream as it is written, and who is told what the engine did. */
export interface SocketWatcher {
  onWrite(payload: Payload): void
  onEndedByEngine(how: 'end' | 'destroy'): void
  /** A rule was broken: not thrown into the engine, which might swallow it. */
  onFault(error: unknown): void
}

type Ending = 'open' | 'ending' | 'destroyed' | 'lost'

/**
 * A connection as the engine sees it: bytes wait in user space, then in the kernel, then they are with the client or
 * lost. It holds the engine to the contract of {@link Transport}, and keeps that contract to the letter itself.
 */
export class FakeSocket implements Transport {
  readonly #shape: SocketShape
  readonly #watcher: SocketWatcher
  readonly #waiting: Uint8Array[] = []
  readonly #kernel: Uint8Array[] = []
  #owner: TransportOwner | undefined
  #bufferedBytes = 0
  #kernelBytes = 0
  #needsDrain = false
  #ending: Ending = 'open'
  #closeTold = false
  /** Bytes that left user space so far. */
  takenBytes = 0

  constructor(shape: SocketShape, watcher: SocketWatcher) {
    this.#shape = shape
    this.#watcher = watcher
  }

  attach(owner: TransportOwner): void {
    if (this.#owner) this.#watcher.onFault(new Violation('Transport', 'attached twice'))
    this.#owner = owner
  }

  write(payload: Payload): boolean {
    try {
      return this.#accept(payload)
    } catch (error) {
      this.#watcher.onFault(error)
      return false
    }
  }

  #accept(payload: Payload): boolean {
    must(this.#owner !== undefined, 'Transport', () => 'written before attach')
    must(!this.#closeTold, 'Transport', () => 'written after onClose')
    must(this.#ending !== 'ending', 'Transport', () => 'written after end')
    must(this.#ending !== 'destroyed', 'Transport', () => 'written after destroy')
    checkPayload(payload)
    if (this.#ending === 'lost') return false
    this.#waiting.push(payload.bytes)
    this.#bufferedBytes += payload.bytes.byteLength
    if (this.#shape.eager) this.pump(Infinity)
    const hasRoom = this.#bufferedBytes < this.#shape.highWaterMarkBytes || this.#bufferedBytes === 0
    if (!hasRoom) this.#needsDrain = true
    this.#watcher.onWrite(payload)
    return !this.#needsDrain
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** The allocations of which some byte waits in user space. */
  get waitingBuffers(): readonly ArrayBufferLike[] {
    return this.#waiting.map(({ buffer }) => buffer)
  }

  end(): void {
    if (this.#ending !== 'open') return
    this.#ending = 'ending'
    this.#watcher.onEndedByEngine('end')
  }

  destroy(): void {
    if (this.#ending === 'destroyed' || this.#ending === 'lost') return
    if (this.#ending === 'open') this.#watcher.onEndedByEngine('destroy')
    this.#ending = 'destroyed'
    this.#drop()
  }

  /** The network or the client ends the connection; the engine hears of it by {@link tellClose}. */
  lose(): void {
    if (this.#ending === 'destroyed') return
    this.#ending = 'lost'
    this.#drop()
  }

  /** The engine may still write: it has not ended the connection, and it is not owed a drain. */
  get writable(): boolean {
    return this.#ending === 'open' && !this.#needsDrain
  }

  get attached(): boolean {
    return this.#owner !== undefined
  }

  get isOpen(): boolean {
    return this.#ending === 'open'
  }

  /** Everything that was accepted has been read by the client, and nothing will follow. */
  get finished(): boolean {
    if (this.#ending === 'open') return false
    return this.#bufferedBytes === 0 && this.#kernelBytes === 0
  }

  /** Bytes that the client has not read yet, as far as they left user space. */
  get unreadBytes(): number {
    return this.#kernelBytes
  }

  /** Moves up to so many bytes from user space into the kernel, as far as it has room. */
  pump(maxBytes: number): void {
    let left = Math.min(maxBytes, this.#shape.kernelBytes - this.#kernelBytes)
    while (left > 0) {
      const first = this.#waiting[0]
      if (!first) break
      const part = first.subarray(0, left)
      if (part.byteLength === first.byteLength) this.#waiting.shift()
      else this.#waiting[0] = first.subarray(left)
      this.#kernel.push(part)
      left -= part.byteLength
      this.#bufferedBytes -= part.byteLength
      this.#kernelBytes += part.byteLength
      this.takenBytes += part.byteLength
    }
  }

  /** Up to so many bytes arrive at the client. */
  read(maxBytes: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(maxBytes, this.#kernelBytes))
    let at = 0
    while (at < bytes.byteLength) {
      const first = this.#kernel[0] as Uint8Array
      const part = first.subarray(0, bytes.byteLength - at)
      if (part.byteLength === first.byteLength) this.#kernel.shift()
      else this.#kernel[0] = first.subarray(part.byteLength)
      bytes.set(part, at)
      at += part.byteLength
    }
    this.#kernelBytes -= at
    return bytes
  }

  get owesDrain(): boolean {
    return this.#needsDrain && this.#ending === 'open' && this.#bufferedBytes === 0
  }

  get owesClose(): boolean {
    if (this.#closeTold || !this.#owner || this.#ending === 'open') return false
    return this.#ending !== 'ending' || this.#bufferedBytes === 0
  }

  tellDrain(): void {
    this.#needsDrain = false
    this.#owner?.onDrain()
  }

  tellClose(): void {
    this.#closeTold = true
    this.#drop()
    this.#owner?.onClose()
  }

  /** What is in user space is gone; what the kernel has may still arrive. */
  #drop(): void {
    this.#waiting.length = 0
    this.#bufferedBytes = 0
  }
}

/** The chunk must be the bytes, framed after RFC 9112 §7.1, in one allocation. */
function checkPayload(payload: Payload): void {
  const { bytes, chunk } = payload
  const size = bytes.byteLength.toString(16)
  must(bytes.byteLength > 0, 'Payload', () => 'is empty')
  must(chunk.buffer === bytes.buffer, 'Payload', () => 'has two allocations')
  must(chunk.byteLength === bytes.byteLength + size.length + 4, 'Payload', () => 'has a chunk of another length')
  must(
    bytes.byteOffset === chunk.byteOffset + size.length + 2,
    'Payload',
    () => 'has its bytes at another place of the chunk',
  )
  const head = String.fromCharCode(...chunk.subarray(0, size.length + 2))
  must(head === `${size}\r\n`, 'Payload', () => `has the chunk head ${JSON.stringify(head)}`)
  must(chunk.at(-2) === 13 && chunk.at(-1) === 10, 'Payload', () => 'has no chunk end')
}
