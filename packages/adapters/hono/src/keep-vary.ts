import { joinVary } from '@millrace/server'
import type { Context } from 'hono'

/** What is set on a context replaces what a handler answers with; of `Vary` a cache has to know both. */
export function keepVary(context: Context, response: Response): Response {
  const set = context.res.headers.get('vary')
  const own = response.headers.get('vary')
  if (set !== null && own !== null) context.header('vary', joinVary(set, own))
  return response
}
