import { encodeRetry } from '@millrace/protocol'
import { controlBlock } from './control-block.ts'
import type { Engine } from './engine.ts'
import type { Subscriber } from './subscriber.ts'

/** So many streams are ended in each wave at least, so that few clients do not make for a long farewell. */
const MIN_PER_WAVE = 100
const WAVE_MS = 100
/** What a process usually takes to be back. */
const START_MS = 1_000

/**
 * Ends all streams in waves over `drainMs`. Each stays live until its wave; then it is told when to come again: not
 * before the last wave is over and a new process can have started, and not all at once.
 */
export async function farewell(engine: Engine, drainMs: number): Promise<void> {
  const waves = Math.max(1, Math.floor(drainMs / WAVE_MS))
  const perWave = Math.max(MIN_PER_WAVE, Math.ceil(engine.subscribers.size / waves))
  for (;;) {
    const open = [...engine.subscribers.values()].filter((subscriber) => subscriber.isOpen)
    const wave = open.slice(0, perWave)
    const isLast = open.length <= perWave
    const leftMs = Math.ceil((open.length - wave.length) / perWave) * WAVE_MS
    for (const subscriber of wave) sendAway(engine, subscriber, leftMs)
    if (isLast) break
    await pause(engine, WAVE_MS)
  }
  await engine.whenEmpty()
}

/** Ends one stream, and tells its client to stay away for `leftMs` and for as long as a process takes to be back. */
export function sendAway({ chance, limits }: Engine, subscriber: Subscriber, leftMs: number): void {
  const retryMs = Math.round(leftMs + START_MS + limits.retryMs * chance.fraction())
  const notice = controlBlock('stream:shutdown', { reason: 'The server is shutting down.' })
  subscriber.end('shutdown', encodeRetry(retryMs) + notice)
}

function pause(engine: Engine, ms: number): Promise<void> {
  return new Promise((resolve) => {
    engine.clock.after(ms, resolve)
  })
}
