import { BackendError } from '../backend-error.ts'
import { shown } from '../shown.ts'
import { utf8Length } from './utf8-length.ts'

const MAX_KEY_BYTES = 512
const MAX_VALUE_BYTES = 65_536
const MAX_TTL_MS = 2 ** 31 - 1

/** @throws BackendError `invalid` */
export function assertEntry(key: string, value: string, ttlMs: number): void {
  assertKey(key)
  assertText('value', value, 0, MAX_VALUE_BYTES)
  if (Number.isInteger(ttlMs) && ttlMs >= 1 && ttlMs <= MAX_TTL_MS) return
  const mend = `give a whole number of milliseconds from 1 to ${MAX_TTL_MS}`
  throw new BackendError('invalid', `ttlMs cannot be ${shown(ttlMs)}: ${mend}.`)
}

/** @throws BackendError `invalid` */
export function assertKey(key: string): void {
  assertText('key', key, 1, MAX_KEY_BYTES)
}

/** @throws BackendError `invalid` */
export function assertPrefix(prefix: string): void {
  assertText('prefix', prefix, 0, MAX_KEY_BYTES)
}

function assertText(name: string, text: string, minBytes: number, maxBytes: number): void {
  const mend = `give a string of ${minBytes} to ${maxBytes} bytes of UTF-8`
  if (typeof text !== 'string') throw new BackendError('invalid', `The ${name} cannot be ${shown(text)}: ${mend}.`)
  if (!text.isWellFormed()) {
    throw new BackendError(
      'invalid',
      `The ${name} ${shown(text)} has half of a surrogate pair, which is no text: ${mend}.`,
    )
  }
  const bytes = utf8Length(text)
  if (bytes >= minBytes && bytes <= maxBytes) return
  throw new BackendError('invalid', `The ${name} ${shown(text)} cannot have ${bytes} bytes: ${mend}.`)
}
