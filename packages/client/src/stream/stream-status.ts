import type { SyncReason } from '@millrace/protocol'
import type { ClientError } from '../client-error.ts'
import type { FeedStatus } from './event-feed.ts'

/**
 * Where a stream stands, to be shown to a user.
 *
 * `connecting` → `open` → `waiting` → `connecting` → …; `syncing` takes the place of these while the state is fetched
 * anew; `ended`, `failed` and `closed` are final.
 */
export type StreamStatus =
  | FeedStatus
  /** Events were missed and `onSync` runs; newer events wait. `error` is why it is tried again. */
  | {
      readonly name: 'syncing'
      readonly reason: SyncReason
      readonly attempt: number
      readonly error: ClientError | undefined
    }

/** Whether nothing follows this status. */
export function isFinal({ name }: StreamStatus): boolean {
  return ['ended', 'failed', 'closed'].includes(name)
}
