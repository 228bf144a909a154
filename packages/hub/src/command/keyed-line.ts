import { randomBytes } from 'node:crypto'

/** Makes keys that no other run makes: short, since they count as part of an event. */
export function keyMaker(): (number: number) => string {
  const run = randomBytes(6).toString('base64url')
  return (number) => `${run}-${number.toString(36)}`
}

/** A line that is sent. */
export interface KeyedLine {
  /** Its number in the pipe. */
  readonly line: number
  readonly text: string
  /** It may be sent twice: it has a `dedupeKey`. */
  readonly hasKey: boolean
}

/**
 * Gives a line the `dedupeKey` that it lacks. All else of it stays as it was typed, numbers too; what is no event is left
 * to the hub, which says what is wrong with it.
 */
export function keyedLine(line: number, text: string, key: string): KeyedLine {
  const event = fieldsOf(text)
  // What is not stored has no key.
  if (!event || event['ephemeral'] === true) return { line, text, hasKey: false }
  if (event['dedupeKey'] !== undefined) return { line, text, hasKey: true }
  return { line, text: text.replace('{', () => `{"dedupeKey":${JSON.stringify(key)},`), hasKey: true }
}

/** Undefined for what is not an object that has fields. */
function fieldsOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject && Object.keys(value).length > 0 ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
