import { connect, type EventStream } from '@millrace/client'
import { setTimeout } from 'node:timers/promises'
import {
  accept,
  confirm,
  propose,
  refuse,
  replace,
  shown,
  type ConfirmedChange,
  type OptimisticState,
} from './optimistic-state.ts'
import { TOPIC, type Answer, type Snapshot } from './server.ts'
import { applyChange, type Change, type ToDoList } from './to-do.ts'

/** A change that was taken back. */
export interface Rollback {
  readonly change: Change
  readonly why: string
}

/** Milliseconds. */
const FIRST_DELAY_MS = 50
const MAX_DELAY_MS = 400

/** The list on one device: changes are seen at once, and sent in their order. */
export class ToDoClient {
  readonly name: string
  readonly rollbacks: Rollback[] = []
  /** How often the list was fetched anew. */
  syncCount = 0
  readonly #origin: string
  readonly #stream: EventStream<{ change: ConfirmedChange<Change> }>
  readonly #over = new AbortController()
  #state: OptimisticState<ToDoList, Change>
  #isSending = false

  static async open(name: string, origin: string): Promise<ToDoClient> {
    return new ToDoClient(name, origin, await fetchList(origin))
  }

  private constructor(name: string, origin: string, { list, version, lastId }: Snapshot) {
    this.name = name
    this.#origin = origin
    this.#state = { confirmed: list, version, pending: [] }
    this.#stream = connect(`${origin}/events`, {
      topics: [TOPIC],
      // The list is of this moment: the stream begins right behind it, and not when it happens to be open.
      lastId,
      minDelayMs: 50,
      maxBackoffMs: MAX_DELAY_MS,
      onSync: async (_reason, { signal }) => {
        const fetched = await fetchList(origin, signal)
        this.syncCount++
        this.#state = replace(this.#state, fetched.list, fetched.version)
      },
    })
    this.#stream.on('change', ({ data }) => {
      this.#state = confirm(this.#state, data, applyChange)
    })
  }

  /** What a user sees. */
  get list(): ToDoList {
    return shown(this.#state, applyChange)
  }

  get version(): number {
    return this.#state.version
  }

  get pendingCount(): number {
    return this.#state.pending.length
  }

  get isLive(): boolean {
    return this.#stream.status.name === 'open'
  }

  /** Shows the change now, and asks the server for it. */
  change(change: Change): void {
    this.#state = propose(this.#state, crypto.randomUUID(), change)
    void this.#send()
  }

  close(): void {
    this.#over.abort()
    this.#stream.close()
  }

  /** Sends what has no answer yet, one after the other: the second may be about what the first has added. */
  async #send(): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    let delayMs = FIRST_DELAY_MS
    const { signal } = this.#over
    while (!signal.aborted) {
      const next = this.#state.pending.find(({ version }) => version === undefined)
      if (!next) break
      const answer = await this.#ask(next.key, next.change)
      if (!answer) {
        await setTimeout(delayMs, undefined, { signal }).catch(() => undefined)
        delayMs = Math.min(MAX_DELAY_MS, delayMs * 2)
        continue
      }
      delayMs = FIRST_DELAY_MS
      if ('version' in answer) this.#state = accept(this.#state, next.key, answer.version)
      else {
        this.#state = refuse(this.#state, next.key)
        this.rollbacks.push({ change: next.change, why: answer.refusal })
      }
    }
    this.#isSending = false
  }

  /** Undefined when it is not known what has become of the change: the same key asks again. */
  async #ask(dedupeKey: string, change: Change): Promise<Answer | undefined> {
    try {
      const response = await fetch(`${this.#origin}/changes`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ dedupeKey, change }),
        signal: this.#over.signal,
      })
      return response.status < 500 ? ((await response.json()) as Answer) : undefined
    } catch {
      return undefined
    }
  }
}

async function fetchList(origin: string, signal?: AbortSignal): Promise<Snapshot> {
  const response = await fetch(`${origin}/list`, signal ? { signal } : {})
  if (!response.ok) throw new Error(`The list could not be fetched: ${response.status}.`)
  return (await response.json()) as Snapshot
}
