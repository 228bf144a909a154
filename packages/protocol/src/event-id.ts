import { ProtocolError } from './protocol-error.ts'
import { quote } from './quote.ts'

/** A place in an event log. */
export interface Position {
  /** Names one life of the log: 1 to 16 characters of `a-z0-9`. */
  readonly epoch: string
  /** Rises by one with each event of an epoch; 0 is the place before the first. A safe integer. */
  readonly seq: number
  /** Three random characters of `a-z0-9`, kept with the entry: tells two histories apart that share an epoch. */
  readonly check: string
}

declare const eventIdBrand: unique symbol
/** A position on the wire, such as `k3f9z2-1042-x7q`. Opaque to everybody else. */
export type EventId = string & { readonly [eventIdBrand]: true }

/** The longest id that is looked at, in characters: longer ones are nobody's. */
export const MAX_EVENT_ID_LENGTH = 128

const GRAMMAR = /^([a-z0-9]{1,16})-(0|[1-9][0-9]{0,15})-([a-z0-9]{3})$/

/** Writes a position as an id. @throws ProtocolError `invalid_position` when {@link parseEventId} would not read it. */
export function formatEventId(position: Position): EventId {
  const id = `${position.epoch}-${position.seq}-${position.check}`
  if (GRAMMAR.test(id) && Number.isSafeInteger(position.seq)) return id as EventId
  throw new ProtocolError(
    'invalid_position',
    `${quote(id)} is not an event id: epoch is 1 to 16 characters of a-z0-9, seq a safe integer from 0, check three of a-z0-9.`,
  )
}

/** Reads an id strictly. Undefined for everything that {@link formatEventId} cannot have made. */
export function parseEventId(text: string): Position | undefined {
  if (typeof text !== 'string' || text.length > MAX_EVENT_ID_LENGTH) return undefined
  const match = GRAMMAR.exec(text)
  if (!match) return undefined
  const [, epoch = '', digits = '', check = ''] = match
  const seq = Number(digits)
  return Number.isSafeInteger(seq) ? { epoch, seq, check } : undefined
}
