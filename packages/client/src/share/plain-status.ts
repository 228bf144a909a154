import { ClientError } from '../client-error.ts'
import type { FeedStatus } from '../stream/event-feed.ts'

/** A channel takes the class and the fields off an error: as an object it keeps them. */
export function plainStatus(status: FeedStatus): FeedStatus {
  if (!('error' in status)) return status
  const { error } = status
  return { ...status, error: Object.assign({ message: error.message }, error) }
}

/** The status of another tab, with an error that is one. */
export function revivedStatus(status: FeedStatus): FeedStatus {
  if (!('error' in status)) return status
  const { code, message, ...facts } = status.error
  return { ...status, error: new ClientError(code, message, facts) }
}
