import type { Selector } from '@millrace/protocol'
import { LogError, type SnapshotOptions } from '@millrace/server'
import { assertSnapshotOptions } from '@millrace/server/log-parts'
import type { SnapshotAsk } from './messages.ts'

/** @throws LogError `invalid` */
export function snapshotAskOf(
  selectors: readonly Selector[] | 'all',
  options: SnapshotOptions,
  epoch: string,
): SnapshotAsk {
  assertSnapshotOptions(options)
  const { of = 'log', cursor, maxCount = Infinity, maxBytes = Infinity } = options
  if (cursor && cursor.at.epoch !== epoch) {
    const what = `The snapshot is of the epoch ${cursor.at.epoch}, and the log has begun ${epoch}`
    throw new LogError('invalid', `${what}: begin the snapshot anew.`)
  }
  return { selectors, of, cursor, maxCount, maxBytes }
}
