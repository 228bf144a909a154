import { isDeepStrictEqual } from 'node:util'
import type { ExpectedEvent, ExpectedFields, ReceivedEvent } from './received-event.ts'

/** Whether an event is as it was expected. */
export function matchesEvent(expected: ExpectedEvent, event: ReceivedEvent): boolean {
  if (typeof expected === 'function') return expected(event)
  const { type, id, topic } = expected
  if (!matchesText(type, event.type) || !matchesText(id, event.id) || !matchesText(topic, event.topic)) return false
  return !('data' in expected) || matchesData(expected.data, event.data)
}

/** The types that are named: what has to be listened for. */
export function namedTypes(expected: readonly ExpectedEvent[]): string[] {
  const named = expected.map((one) => (typeof one === 'function' ? undefined : one.type))
  return named.filter((type) => typeof type === 'string')
}

/** One line that says what was expected. */
export function describeExpected(expected: ExpectedEvent): string {
  if (typeof expected === 'function') return expected.name === '' ? 'what a function accepts' : expected.name
  const fields = (['id', 'type', 'topic', 'data'] as const satisfies readonly (keyof ExpectedFields)[])
    .filter((field) => (field === 'data' ? field in expected : expected[field] !== undefined))
    .map((field) => `${field} ${show(expected[field])}`)
  return fields.length === 0 ? 'any event' : fields.join(', ')
}

/** One line that says what came. */
export function describeEvent({ type, id, topic, data }: ReceivedEvent): string {
  const fields = [`type ${show(type)}`, `data ${show(data)}`]
  if (topic !== undefined) fields.unshift(`topic ${show(topic)}`)
  if (id !== '') fields.unshift(`id ${show(id)}`)
  return fields.join(', ')
}

function matchesText(expected: string | RegExp | undefined, text: string | undefined): boolean {
  if (expected === undefined) return true
  return typeof expected === 'string' ? expected === text : test(expected, text ?? '')
}

function matchesData(expected: unknown, data: unknown): boolean {
  if (typeof data !== 'string') return isDeepStrictEqual(data, expected)
  if (typeof expected === 'string') return data === expected
  if (expected instanceof RegExp) return test(expected, data)
  try {
    return isDeepStrictEqual(JSON.parse(data), expected)
  } catch {
    return false
  }
}

/** Without the memory that patterns with the flags `g` and `y` have. */
function test(pattern: RegExp, text: string): boolean {
  return new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, '')).test(text)
}

const MAX_SHOWN_CHARACTERS = 200

function show(value: unknown): string {
  if (value instanceof RegExp) return String(value)
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= MAX_SHOWN_CHARACTERS
    ? text
    : `${text.slice(0, MAX_SHOWN_CHARACTERS)}… (${text.length} characters)`
}
