import { describe, expect, test } from 'vitest'
import { openScene } from './support/scene.ts'

describe('a good moment to try', () => {
  /** As on a page: what it opens listens to events of the window. */
  async function onPage<T>(open: () => Promise<T>): Promise<T & { readonly wake: () => void }> {
    const scope = new EventTarget()
    const { addEventListener, removeEventListener } = globalThis
    Object.assign(globalThis, {
      addEventListener: scope.addEventListener.bind(scope),
      removeEventListener: scope.removeEventListener.bind(scope),
    })
    try {
      return { ...(await open()), wake: () => void scope.dispatchEvent(new Event('online')) }
    } finally {
      Object.assign(globalThis, { addEventListener, removeEventListener })
    }
  }

  const waitingScene = (retryAfter?: string) =>
    onPage(async () => {
      const scene = await openScene()
      scene.hub.faultOf = () =>
        retryAfter ? { kind: 'answer', status: 503, headers: { 'retry-after': retryAfter } } : { kind: 'network' }
      scene.hub.cutStreams()
      await scene.clock.until(() => scene.stream.diagnostics().failures === 8)
      return scene
    })

  test('cuts the back-off short, but not what the server asks for', async () => {
    const { clock, hub, wake } = await waitingScene()
    const count = hub.requests.length
    const failedAtMs = clock.now()
    await clock.advance(500)
    wake()
    wake()
    await clock.advance(1_499)
    expect(hub.requests).toHaveLength(count)
    await clock.advance(1)
    expect(hub.requests).toHaveLength(count + 1)
    expect(hub.requests.at(-1)?.atMs).toBe(failedAtMs + 2_000)
  })

  test('does not cut Retry-After short', async () => {
    const { clock, hub, wake } = await waitingScene('10')
    const count = hub.requests.length
    wake()
    await clock.advance(9_999)
    expect(hub.requests).toHaveLength(count)
    await clock.advance(1)
    expect(hub.requests).toHaveLength(count + 1)
  })

  test('decides soon whether an open stream that kept silent in sleep is alive', async () => {
    const { clock, hub, stream, errors, wake } = await onPage(() => openScene())
    clock.sleep(20_000)
    wake()
    await clock.advance(1_999)
    expect(stream.status.name).toBe('open')
    await clock.advance(1)
    expect(errors).toMatchObject([{ code: 'silent' }])
    await clock.advance(5_000)
    expect(stream.status.name).toBe('open')
    expect(hub.requests).toHaveLength(2)
  })

  test('leaves a stream alone whose bytes wait to be read', async () => {
    const { clock, hub, stream, errors, wake } = await onPage(() => openScene())
    clock.sleep(20_000)
    wake()
    hub.streams[0]?.write(':\n\n')
    await clock.advance(15_000)
    expect(errors).toEqual([])
    expect(stream.status.name).toBe('open')
    expect(hub.requests).toHaveLength(1)
  })

  test('does not doubt who has promised nothing', async () => {
    const plain = (): Promise<Response> =>
      Promise.resolve(new Response(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } }))
    const { clock, stream, wake } = await onPage(() => openScene({ fetch: plain }))
    clock.sleep(3_600_000)
    wake()
    await clock.advance(60_000)
    expect(stream.status.name).toBe('open')
  })

  test('is not listened for any more when the stream is closed', async () => {
    const { stream, clock, wake } = await waitingScene()
    stream.close()
    wake()
    expect(clock.timerCount).toBe(0)
  })
})
