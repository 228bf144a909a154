import { HubError } from './hub-error.ts'
import { shown } from './shown.ts'

/**
 * The text of the `data` field: a string goes as it is, any other value as JSON. What UTF-8 cannot carry becomes
 * U+FFFD.
 *
 * @throws HubError `invalid_event` for what JSON cannot say: undefined, functions, bigints, circles
 */
export function eventData(value: unknown): string {
  return typeof value === 'string' ? value.toWellFormed() : jsonOf(value)
}

function jsonOf(value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) {
      const message = 'data is nested too deeply to be written as JSON; send it flatter, or as a string.'
      throw new HubError('invalid_event', message, { cause: error })
    }
    throw new HubError('invalid_event', `data cannot be written as JSON: ${String(error)}.`, { cause: error })
  }
  if (text === undefined) {
    throw new HubError('invalid_event', `data is ${shown(value)}; it must be a string or a JSON value (null is one).`)
  }
  return text
}
