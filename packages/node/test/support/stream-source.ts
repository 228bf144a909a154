import { memory } from '@millrace/server'
import { expect, vi } from 'vitest'
import { createHub, createSession, type NodeRequest, type NodeResponse } from '../../src/index.ts'

/** Something that serves streams, as a test drives it. */
export interface StreamSource {
  handle(request: NodeRequest, response: NodeResponse): void | Promise<void>
  publish(data: string): void | Promise<void>
  endStreams(): void | Promise<void>
  openCount(): number
  close(): Promise<void>
}

/** Bare sessions, to all of which everything is sent. */
export function sessionSource(): StreamSource {
  const sessions = new Set<Awaited<ReturnType<typeof createSession>>>()
  return {
    async handle(request, response) {
      const session = await createSession(request, response, { maxBufferBytes: 2 ** 28, staleMs: false })
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

/** A hub with everything in memory. */
export function hubSource(): StreamSource {
  const hub = createHub({ backend: memory() })
  let publishedCount = 0
  return {
    handle: hub.handler(),
    async publish(data) {
      await hub.publish({ topic: 'news', data })
      publishedCount++
    },
    async endStreams() {
      // Who resumes loses nothing, so that a hub ends a stream without waiting for what is on its way.
      await vi.waitFor(() => expect(hub.stats()).toMatchObject({ hotWindowCount: publishedCount, lagMs: 0 }))
      for (const subscriber of hub.subscribers()) hub.endConnection(subscriber.connection)
    },
    openCount: () => hub.size,
    close: () => hub.close({ drainMs: 0 }),
  }
}
