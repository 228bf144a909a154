import { createHub, HubError, memory, type Hub, type Session } from '@millrace/server'

/** What serves streams, as the suite of stream handlers drives it. Runs wherever the engine does. */
export interface DrivenStreams {
  publish(data: string): void | Promise<void>
  endStreams(): void | Promise<void>
  openCount(): number
  close(): Promise<void>
}

const PATIENCE_MS = 10_000
const POLL_MS = 5

/** Drives a hub whose topics are all empty. */
export function driveHub(
  hub: Pick<Hub, 'stats' | 'subscribers' | 'endConnection' | 'size' | 'close' | 'publish'>,
): DrivenStreams {
  let publishedCount = 0
  let last: Promise<void> = Promise.resolve()
  return {
    publish(data) {
      const next = last.then(() => publishPatiently(hub, data)).then(() => void publishedCount++)
      // In their order, also when one of them has to wait.
      last = next.catch(() => undefined)
      return next
    },
    async endStreams() {
      // Who resumes loses nothing, so that a hub ends a stream without waiting for what is on its way.
      await until(() => hub.stats().hotWindowCount === publishedCount && hub.stats().lagMs === 0)
      for (const subscriber of hub.subscribers()) hub.endConnection(subscriber.connection)
    },
    openCount: () => hub.size,
    close: () => hub.close({ drainMs: 0 }),
  }
}

/** As publishers are to do: a hub on a busy machine that lags behind says so, and is asked again. */
async function publishPatiently(hub: Pick<Hub, 'publish'>, data: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      await hub.publish({ topic: 'news', data })
      return
    } catch (error) {
      const isOverloaded = error instanceof HubError && error.code === 'overloaded'
      if (!isOverloaded || performance.now() > endMs) throw error
    }
    await pause()
  }
}

export function memoryHub(): Hub {
  return createHub({ backend: memory() })
}

/** Bare sessions, to all of which everything is sent; `add` holds one until it has closed. */
export function driveSessions(): DrivenStreams & { add(session: Session): Promise<void> } {
  const sessions = new Set<Session>()
  return {
    async add(session) {
      sessions.add(session)
      await session.closed
      sessions.delete(session)
    },
    publish(data) {
      for (const session of sessions) session.send({ data })
    },
    endStreams() {
      for (const session of sessions) session.close()
    },
    openCount: () => sessions.size,
    async close() {
      for (const session of sessions) session.close()
    },
  }
}

/** For sessions that are to wait for as long as a slow client takes. */
export const patientLimits = { maxBufferBytes: 2 ** 28, staleMs: false } as const

async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`waited ${PATIENCE_MS} ms for what was published to be delivered`)
    await pause()
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, POLL_MS)
  })
}
