import { HubError } from './hub-error.ts'
import { nearestName } from './nearest-name.ts'
import { shown } from './shown.ts'

const NAMES = ['authorize', 'onError']

/**
 * Checks the options of a handler of streams. One without `authorize` lets everybody in, so that it must not be left out by
 * a slip that types do not find in plain JavaScript.
 *
 * @throws HubError `invalid_option`
 */
export function checkHandlerOptions(options: object): void {
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown !== undefined) {
    const near = nearestName(unknown, NAMES)
    const hint = near === undefined ? '' : ` Did you mean ${shown(near)}?`
    throw invalid(`A handler of streams has no option ${shown(unknown)}.${hint} It has ${NAMES.join(' and ')}.`)
  }
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && typeof value !== 'function')
      throw invalid(`${name} is ${shown(value)}; it must be a function.`)
  }
}

function invalid(message: string): HubError {
  return new HubError('invalid_option', message)
}
