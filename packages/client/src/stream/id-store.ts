import type { Clock } from '../clock.ts'

/** The part of the web's `Storage` that is used. */
export interface IdStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
}

export interface PersistOptions {
  /** @default the URL of the stream and its first topics, after `millrace:` */
  readonly key?: string | undefined
  /**
   * @default `sessionStorage`: it outlives a reload and belongs to one tab. In `localStorage` two tabs would move each
   * other's id on, and each would miss what only the other has seen.
   */
  readonly storage?: IdStorage | undefined
}

/** Storage is slow, and ids can come by the thousand. Milliseconds. */
const WRITE_AFTER_MS = 250

/**
 * Keeps the id to resume from over a page load.
 *
 * What cannot be stored (storage is full, or forbidden) is not kept: `onError` is told once, the stream goes on. A page
 * that goes away in the ordinary way has written its last id; after a crash the events of the last moment come again.
 */
export class IdStore {
  readonly #clock: Clock
  readonly #key: string
  readonly #storage: () => IdStorage
  readonly #onError: (error: unknown) => void
  #id: string | undefined
  #cancel: (() => void) | undefined

  constructor(
    clock: Clock,
    { key, storage }: PersistOptions & { readonly key: string },
    onError: (error: unknown) => void,
  ) {
    this.#clock = clock
    this.#key = key
    this.#storage = () => storage ?? sessionStorage
    this.#onError = onError
  }

  read(): string {
    return this.#try(() => this.#storage().getItem(this.#key)) ?? ''
  }

  keep(id: string): void {
    this.#id = id
    this.#cancel ??= this.#clock.after(WRITE_AFTER_MS, () => this.write())
  }

  /** Writes what waits, now. */
  write(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const id = this.#id
    this.#id = undefined
    if (id !== undefined) this.#try(() => this.#storage().setItem(this.#key, id))
  }

  #try<T>(act: () => T): T | undefined {
    try {
      return act()
    } catch (error) {
      this.#onError(error)
      return undefined
    }
  }
}
