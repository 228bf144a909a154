import type { BrowserPage } from './browser.ts'

/** What the page noted, in order. */
export type Note =
  | { readonly kind: 'open'; readonly atMs: number }
  | { readonly kind: 'error'; readonly readyState: number; readonly atMs: number }
  | {
      readonly kind: 'event'
      readonly type: string
      readonly id: string
      readonly data: string
      readonly atMs: number
    }

/** A page with a native `EventSource` that writes down what it gets. `listen(url, types)` starts it. */
export const RECORDER_PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Recorder</title>
<script>
  const notes = []
  let source
  function listen(url, types) {
    source = new EventSource(url)
    source.onopen = () => notes.push({ kind: 'open', atMs: performance.now() })
    source.onerror = () => notes.push({ kind: 'error', readyState: source.readyState, atMs: performance.now() })
    for (const type of types) {
      source.addEventListener(type, (event) =>
        notes.push({ kind: 'event', type, id: event.lastEventId, data: event.data, atMs: performance.now() }),
      )
    }
  }
</script>
`

/** Reads a recorder page from the test's side. */
export class Recorder {
  readonly page: BrowserPage
  readonly #notes: Note[] = []

  constructor(page: BrowserPage) {
    this.page = page
  }

  /** Starts the page's `EventSource`. It hears the types that are named, and no others, as any page does. */
  async listen(url: string, types: readonly string[] = ['message']): Promise<void> {
    await this.page.evaluate(`listen(${JSON.stringify(url)}, ${JSON.stringify(types)})`)
  }

  /** Everything noted so far. */
  async notes(): Promise<readonly Note[]> {
    const fresh = await this.page.evaluate<Note[]>(`notes.slice(${this.#notes.length})`)
    this.#notes.push(...fresh)
    return this.#notes
  }

  /** Waits until the notes fit, and returns them. */
  async until(what: string, fits: (notes: readonly Note[]) => boolean, patienceMs = 15_000): Promise<readonly Note[]> {
    const endMs = performance.now() + patienceMs
    for (;;) {
      const notes = await this.notes()
      if (fits(notes)) return notes
      if (performance.now() > endMs) {
        throw new Error(`The page did not see ${what}; its last notes: ${JSON.stringify(notes.slice(-12))}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  readyState(): Promise<number> {
    return this.page.evaluate('source.readyState')
  }
}

/** The `n` of each event of these notes; control events are left out. */
export function countsOf(notes: readonly Note[]): number[] {
  const counts: number[] = []
  for (const note of notes) {
    if (note.kind !== 'event' || note.type.startsWith('stream:')) continue
    counts.push((JSON.parse(note.data) as { n: number }).n)
  }
  return counts
}
