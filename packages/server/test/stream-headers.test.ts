import { describe, expect, it } from 'vitest'
import { streamHeadersFor } from '../src/stream-headers.ts'

const everywhere = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-store, no-transform',
  'X-Accel-Buffering': 'no',
  Vary: 'Accept, Origin',
}

describe('streamHeadersFor', () => {
  it('keeps the connection alive over HTTP/1.1', () => {
    expect(streamHeadersFor('1.1')).toEqual({ ...everywhere, Connection: 'keep-alive' })
  })

  it.each(['1.0', '2.0', '3.0', ''])('says nothing about the connection over HTTP %j', (version) => {
    expect(streamHeadersFor(version)).toEqual(everywhere)
  })

  it('cannot be changed by whoever holds it', () => {
    expect(Object.isFrozen(streamHeadersFor('1.1')) && Object.isFrozen(streamHeadersFor('2.0'))).toBe(true)
  })
})
