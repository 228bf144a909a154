import type { DeliveryRecord, SeededRandom } from '@millrace/conformance'
import { EventStreamParser, type ParsedEvent } from '@millrace/protocol'
import { get, type IncomingMessage } from 'node:http'

/** How long it waits before it comes again. Milliseconds. */
const RETRY_MS = 20

/**
 * Reads streams as the plainest client does: an `EventStreamParser`, and the last id when it comes again. Now and then
 * it cuts its connection itself, at a byte of chance.
 */
export class CheckedReader {
  /** The id to come again with; empty before the first. */
  lastEventId = ''
  /** Connections that ended. */
  cutCount = 0
  /** Control events of the types that a test looks for. */
  readonly controls: string[] = []
  readonly #url: string
  readonly #random: SeededRandom
  readonly #closing = new AbortController()
  /** Where its events go; they are dropped before. */
  record: DeliveryRecord | undefined
  #isDone = false

  constructor(url: string, random: SeededRandom) {
    this.#url = url
    this.#random = random
    void this.#readOn()
  }

  /** It has received the event that ends the test. */
  get isDone(): boolean {
    return this.#isDone
  }

  close(): void {
    this.#closing.abort()
  }

  async #readOn(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      await this.#readOnce().catch(() => undefined)
      this.cutCount++
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  async #readOnce(): Promise<void> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = this.lastEventId === '' ? {} : { 'Last-Event-ID': this.lastEventId }
      get(this.#url, { headers, agent: false, signal: this.#closing.signal }, resolve).once('error', reject)
    })
    const parser = new EventStreamParser({
      onEvent: (event) => this.#onEvent(event),
      onId: (id) => {
        this.lastEventId = id
      },
    })
    // One connection in four is cut by the client, somewhere in its first 20,000 bytes.
    let budgetBytes = this.#random.integer(1, 4) === 1 ? this.#random.integer(1, 20_000) : Infinity
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const taken = chunk.subarray(0, Math.min(chunk.length, budgetBytes))
      parser.push(taken)
      budgetBytes -= taken.length
      if (budgetBytes <= 0) break
    }
    response.destroy()
  }

  #onEvent({ type, topic, data, lastEventId }: ParsedEvent): void {
    if (type.startsWith('stream:')) {
      this.controls.push(type)
      if (type === 'stream:sync-required') this.record?.onGap(lastEventId)
      return
    }
    this.record?.onEvent({ id: lastEventId, topic: topic ?? '', data })
    if (topic === 'done') this.#isDone = true
  }
}
