import { LogError, type EventLog } from '@millrace/server'

/** A log that can be away: reads and bounds fail, as when a backend cannot be reached. */
export class LogThatLeaves {
  isAway = false

  before(log: EventLog): EventLog {
    const guard = <T>(call: () => Promise<T>): Promise<T> =>
      this.isAway ? Promise.reject(new LogError('unavailable', 'away for the test')) : call()
    return {
      guarantees: log.guarantees,
      append: (events) => guard(() => log.append(events)),
      read: (query) => guard(() => log.read(query)),
      snapshot: (selectors) => guard(() => log.snapshot(selectors)),
      recent: (limits) => guard(() => log.recent(limits)),
      bounds: () => guard(() => log.bounds()),
      tail: (after, listener) => log.tail(after, listener),
      close: () => log.close(),
    }
  }
}
