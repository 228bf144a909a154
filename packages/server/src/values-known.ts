import type { Position } from '@millrace/protocol'
import type { Engine } from './engine.ts'
import { LogError } from './log.ts'

/** For so long a poll waits, however short it was to be: usually it takes one pass. */
const MAX_WAIT_MS = 1_000

/**
 * Resolves when the values of state topics are known as of a place, which may be ahead of the newest pass: that of a
 * snapshot, or of another node. Who went on from there without the values up to it would never get them.
 *
 * @throws LogError `unavailable`: not known in time, or the client has left, or the hub is closed
 */
export async function valuesKnown(engine: Engine, place: Position, signal: AbortSignal | undefined): Promise<void> {
  if (isKnown(engine, place)) return
  const patience = new AbortController()
  const cancel = engine.clock.after(MAX_WAIT_MS, () => patience.abort())
  try {
    while (!isKnown(engine, place)) {
      if (patience.signal.aborted || signal?.aborted || engine.isClosed) {
        throw new LogError('unavailable', 'The values of state topics are not known yet.')
      }
      await engine.advances.next(patience.signal)
    }
  } finally {
    cancel()
  }
}

function isKnown({ standing, flusher }: Engine, { epoch, seq }: Position): boolean {
  const { end } = flusher
  return standing.isReady(end) && end.epoch === epoch && end.seq >= seq
}
