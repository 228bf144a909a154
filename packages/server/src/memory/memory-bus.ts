// oxlint-disable typescript/require-await -- the contract is asynchronous: `async` turns what is thrown into a rejection
import { BackendError } from '../backend-error.ts'
import type { Bus, BusListener, BusMessage, Unsubscribe } from '../bus.ts'
import { TurnTaking } from './turn-taking.ts'

/** One that listens; the same function may listen twice. */
interface Listening {
  readonly listener: BusListener
}

/** The bus of a single process: what is sent is heard in a microtask. */
export class MemoryBus implements Bus {
  readonly #all = new Set<Listening>()
  /** A loop that sends would else never let what was sent be delivered, and only the last of it is waited for. */
  readonly #turns = new TurnTaking()
  #isClosed = false

  async send(message: BusMessage): Promise<void> {
    this.#assertOpen()
    // Each in a microtask of its own: one that throws, which it must not, costs the others nothing.
    for (const one of this.#all) {
      queueMicrotask(() => {
        if (this.#all.has(one)) one.listener(message)
      })
    }
    return this.#turns.pass(undefined, 1)
  }

  async listen(listener: BusListener): Promise<Unsubscribe> {
    this.#assertOpen()
    const one: Listening = { listener }
    this.#all.add(one)
    return () => void this.#all.delete(one)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#all.clear()
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new BackendError('closed', 'The bus was closed.')
  }
}
