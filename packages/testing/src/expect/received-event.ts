/** One event as it came, whatever brought it. */
export interface ReceivedEvent {
  /** `message` when the stream named none. */
  readonly type: string
  /** The text of the event; from a source that decodes its events itself, what it made of it. */
  readonly data: unknown
  /** The last event id in force; empty when there is none. */
  readonly id: string
  /** Millrace's extension field. Undefined when the event, or what brought it, has none. */
  readonly topic: string | undefined
  /** When it was seen, by `performance.now()`. Milliseconds. */
  readonly atMs: number
}

/**
 * What an event has to be like; what is left out may be anything. A predicate decides by itself.
 */
export type ExpectedEvent = ExpectedFields | ((event: ReceivedEvent) => boolean)

export interface ExpectedFields {
  readonly type?: string | RegExp | undefined
  readonly id?: string | RegExp | undefined
  readonly topic?: string | RegExp | undefined
  /** A string is compared with the text, a pattern tried on it; anything else is compared, deeply, with its JSON. */
  readonly data?: unknown
}

/** What the sources of this package hand out, before the time is noted. */
export type SourceEvent = Omit<ReceivedEvent, 'atMs'>
