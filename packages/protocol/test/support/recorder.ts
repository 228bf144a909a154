import { EventStreamParser, type EventStreamParserOptions, type ParsedEvent } from '@millrace/protocol'

/** Everything that a parser said, in order, and where it ended up. */
export interface Recording {
  readonly events: ParsedEvent[]
  readonly ids: string[]
  readonly retries: number[]
  readonly comments: string[]
  lastEventId: string
  /** The code of the error that ended it, or the error itself when it has none. */
  error?: unknown
}

/** Parses a stream that comes in the chunks given. */
export function record(chunks: Iterable<Uint8Array>, options?: EventStreamParserOptions): Recording {
  const said: Recording = { events: [], ids: [], retries: [], comments: [], lastEventId: '' }
  const parser = new EventStreamParser(
    {
      onEvent: (event) => said.events.push(event),
      onId: (id) => said.ids.push(id),
      onRetry: (retryMs) => said.retries.push(retryMs),
      onComment: (text) => said.comments.push(text),
    },
    options,
  )
  try {
    for (const chunk of chunks) parser.push(chunk)
  } catch (error) {
    said.error = error instanceof Error && 'code' in error ? error.code : error
  }
  said.lastEventId = parser.lastEventId
  return said
}
