import { once } from 'node:events'
import { connect as connectHttp2, constants, createServer as createHttp2Server } from 'node:http2'
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openTransport, type NodeTransport } from '../src/index.ts'
import { block, hello, late } from './support/payloads.ts'
import { nextTurn, RecordingOwner, until } from './support/serve.ts'

describe('over HTTP/2', () => {
  interface OpenedHttp2 {
    readonly transport: NodeTransport
    readonly owner: RecordingOwner
    readonly response: Http2ServerResponse
  }

  async function openHttp2(
    prepare?: (response: Http2ServerResponse) => Promise<void>,
  ): Promise<OpenedHttp2 & { stream: ReturnType<ReturnType<typeof connectHttp2>['request']>; text: () => string }> {
    const { promise, resolve, reject } = Promise.withResolvers<OpenedHttp2>()
    const server = createHttp2Server()
    server.on('request', (request, response) => void prepared(request, response).catch(reject))
    async function prepared(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
      await prepare?.(response)
      const transport = openTransport(request, response)
      const owner = new RecordingOwner()
      transport.attach(owner)
      resolve({ transport, owner, response })
    }
    const sessions: ServerHttp2Session[] = []
    server.on('session', (session) => sessions.push(session))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    client.on('error', () => {})
    onTestFinished(() => {
      client.destroy()
      for (const session of sessions) session.destroy()
      server.close()
    })
    const stream = client.request({ ':path': '/' })
    let text = ''
    stream.setEncoding('utf8').on('error', () => {})
    stream.on('data', (part: string) => {
      text += part
    })
    if (prepare) stream.close(constants.NGHTTP2_CANCEL)
    return { ...(await promise), stream, text: () => text }
  }

  test('bytes go out without framing, with room for more', async () => {
    const { transport, text } = await openHttp2()
    expect(transport.write(hello)).toBe(true)
    await until(() => expect(text()).toBe('data: hello\n\n'))
    expect(transport.bufferedBytes).toBe(0)
  })

  test('a client that does not read is noticed by its window, and drains once', async () => {
    const { transport, owner, stream, text } = await openHttp2()
    stream.pause()
    const payload = block(2_000_000)
    expect(transport.write(payload)).toBe(false)
    await nextTurn()
    expect([transport.bufferedBytes > 1_000_000, owner.drainCount]).toEqual([true, 0])
    stream.resume()
    await until(() => expect([text().length, owner.drainCount]).toEqual([payload.bytes.byteLength, 1]))
    expect(transport.bufferedBytes).toBe(0)
  })

  test('what leaves shows before all has left', async () => {
    const { transport, owner, stream, text } = await openHttp2()
    stream.pause()
    const payload = block(200_000)
    for (let count = 0; count < 10; count++) transport.write(payload)
    await nextTurn()
    const waitingBytes = transport.bufferedBytes
    expect(waitingBytes).toBe(10 * payload.bytes.byteLength)
    stream.on('data', () => {
      if (text().length > 400_000) stream.pause()
    })
    stream.resume()
    await until(() => expect(text().length).toBeGreaterThan(400_000))
    await until(() => expect(transport.bufferedBytes).toBeLessThan(waitingBytes))
    expect([transport.bufferedBytes > 0, owner.drainCount]).toEqual([true, 0])
  })

  test('the end ends the stream, after what was accepted', async () => {
    const { transport, owner, stream, text } = await openHttp2()
    transport.write(hello)
    owner.call(() => transport.end())
    expect(transport.write(late)).toBe(false)
    await until(() => expect([stream.rstCode, stream.closed, owner.closeCount]).toEqual([0, true, 1]))
    expect([text(), owner.wasCalledFromWithin]).toEqual(['data: hello\n\n', false])
  })

  test('to destroy resets the stream', async () => {
    const { transport, owner, stream } = await openHttp2()
    owner.call(() => transport.destroy())
    await until(() => expect([stream.rstCode, owner.closeCount]).toEqual([constants.NGHTTP2_CANCEL, 1]))
    expect([transport.write(late), owner.wasCalledFromWithin]).toEqual([false, false])
  })

  test('a client that left before the transport was attached is noticed', async () => {
    const { transport, owner } = await openHttp2(async (response) => {
      if (!response.stream.closed) await once(response.stream, 'close')
    })
    expect(transport.write(hello)).toBe(false)
    await until(() => expect(owner.closeCount).toBe(1))
    await nextTurn()
    expect(owner.closeCount).toBe(1)
  })
})
