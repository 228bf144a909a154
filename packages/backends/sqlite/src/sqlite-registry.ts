import { BackendError, LogError, type Clock, type Registry } from '@millrace/server'
import { assertEntry, assertKey, assertPrefix } from '@millrace/server/log-parts'
import type { RegistryAnswer, RegistryAsk } from './messages.ts'
import type { WorkerLink } from './worker-link.ts'

type Call = RegistryAsk extends infer Each ? (Each extends unknown ? Omit<Each, 'times'> : never) : never

/** The registry in the file of the log. The file is the log's: it is closed with that. */
export class SqliteRegistry implements Registry {
  readonly #link: WorkerLink
  readonly #clock: Clock
  #isClosed = false

  constructor(link: WorkerLink, clock: Clock) {
    this.#link = link
    this.#clock = clock
  }

  async put(key: string, value: string, ttlMs: number): Promise<void> {
    this.#assertOpen()
    assertEntry(key, value, ttlMs)
    const { refused } = await this.#ask({ call: 'put', key, value, ttlMs })
    if (refused !== undefined) throw new BackendError('full', refused)
  }

  async take(key: string): Promise<string | undefined> {
    this.#assertOpen()
    assertKey(key)
    return (await this.#ask({ call: 'take', key })).value
  }

  async get(key: string): Promise<string | undefined> {
    this.#assertOpen()
    assertKey(key)
    return (await this.#ask({ call: 'get', key })).value
  }

  async list(prefix: string): Promise<ReadonlyMap<string, string>> {
    this.#assertOpen()
    assertPrefix(prefix)
    const { entries = [] } = await this.#ask({ call: 'list', prefix })
    const found: [string, string][] = []
    for (let i = 0; i < entries.length; i += 2) found.push([entries[i] ?? '', entries[i + 1] ?? ''])
    // The file has them in the order of their bytes.
    return new Map(found.sort(([one], [other]) => (one < other ? -1 : 1)))
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  async #ask(call: Call): Promise<RegistryAnswer> {
    const times = { nowMs: this.#clock.now(), wallMs: this.#clock.time() }
    try {
      return await this.#link.ask('registry', { ...call, times })
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      throw new BackendError(error.code, error.message, { cause: error })
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new BackendError('closed', 'The registry was closed.')
  }
}
