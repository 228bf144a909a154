import { HubError } from './hub-error.ts'
import { shown } from './shown.ts'

/** Parameters whose bytes have to be right: a name that was decoded by guess would be another name. */
const EXACT = new Set(['topic', 'type'])

/**
 * The parameters of a query, without its `?`. What is not percent-encoded UTF-8 would become U+FFFD, and a stream of a
 * topic that nobody meant: that is refused. Other parameters are decoded as URLs are everywhere (URL Standard, 5.1).
 *
 * @throws HubError `invalid_request`
 */
export function readQuery(query: string): URLSearchParams {
  const parameters = new URLSearchParams(query)
  if (query.includes('%')) for (const pair of query.split('&')) checkPair(pair)
  return parameters
}

function checkPair(pair: string): void {
  const [name = '', ...rest] = pair.split('=')
  if (!EXACT.has(name)) return
  const value = rest.join('=')
  try {
    decodeURIComponent(value)
  } catch (error) {
    throw new HubError('invalid_request', `${name} is ${shown(value)}; it must be percent-encoded UTF-8.`, {
      cause: error,
    })
  }
}
