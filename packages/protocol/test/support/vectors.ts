import encode from '@millrace/protocol/vectors/encode.json' with { type: 'json' }
import ids from '@millrace/protocol/vectors/ids.json' with { type: 'json' }
import parse from '@millrace/protocol/vectors/parse.json' with { type: 'json' }
import topics from '@millrace/protocol/vectors/topics.json' with { type: 'json' }
import type { EventFields, ParsedEvent, Position } from '@millrace/protocol'

/** A stream, and all that a parser says of it. What is left out is empty. */
export interface ParseVector {
  readonly name: string
  readonly clause: string
  /** The stream: as text, to be sent as UTF-8, or as bytes in base64. */
  readonly input?: string
  readonly base64?: string
  readonly events: readonly (Omit<ParsedEvent, 'topic'> & { readonly topic?: string })[]
  readonly ids?: readonly string[]
  readonly retries?: readonly number[]
  readonly comments?: readonly string[]
}

/** Fields, and the text that they make or the field that is at fault. */
export interface EncodeVector {
  readonly name: string
  readonly clause: string
  readonly fields: EventFields
  readonly text?: string
  readonly error?: string
  readonly field?: string
}

export const parseVectors: readonly ParseVector[] = parse
export const encodeVectors: readonly EncodeVector[] = encode
export const idVectors: { valid: readonly { id: string; position: Position }[]; invalid: readonly string[] } = ids
export const topicVectors: {
  readonly topics: readonly string[]
  readonly selectors: readonly string[]
  readonly invalid: readonly string[]
  readonly matches: readonly { selector: string; matches: readonly string[]; misses: readonly string[] }[]
} = topics
