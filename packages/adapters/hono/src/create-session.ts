import { createSession as createFetchSession, type OpenedSession, type SessionOptions } from '@millrace/server'
import type { Context } from 'hono'
import { keepVary } from './keep-vary.ts'

/**
 * Opens a stream: headers, a first comment, heartbeats, and clean-up when the client leaves. The response is to be
 * returned from the handler.
 *
 * @throws HubError `invalid_option`
 */
export function createSession(context: Context, options: Omit<SessionOptions, 'host'> = {}): OpenedSession {
  const opened = createFetchSession(context.req.raw, { ...options, host: context.env })
  keepVary(context, opened.response)
  return opened
}
