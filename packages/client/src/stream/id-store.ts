import { makeAlarm, type Clock } from '../clock.ts'

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
export interface IdStore {
  read(): string
  keep(id: string): void
  /** Writes what waits, now. */
  write(): void
}

export function makeIdStore(
  clock: Clock,
  { key, storage }: PersistOptions & { readonly key: string },
  onError: (error: unknown) => void,
): IdStore {
  const alarm = makeAlarm(clock)
  let waiting: string | undefined
  let told: string | undefined
  const use = <T>(act: (store: IdStorage) => T): T | undefined => {
    try {
      return act(storage ?? sessionStorage)
    } catch (error) {
      // Else it would be told four times a second.
      if (String(error) !== told) onError(error)
      told = String(error)
      return undefined
    }
  }
  const write = (): void => {
    alarm(false)
    const id = waiting
    waiting = undefined
    if (id !== undefined) use((store) => store.setItem(key, id))
  }
  return {
    read: () => use((store) => store.getItem(key)) ?? '',
    keep(id) {
      if (waiting === undefined) alarm(WRITE_AFTER_MS, write)
      waiting = id
    },
    write,
  }
}
