import { createServer, IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openTransport } from '../src/index.ts'
import type { Opened } from './support/open-transport.ts'
import { block, hello } from './support/payloads.ts'
import { connect, listen, nextTurn, RecordingOwner, until, type Exchange } from './support/serve.ts'

describe('a pipelined response', () => {
  async function openPipelined(count: number): Promise<{ first: ServerResponse; opened: Opened[] }> {
    const exchanges: Exchange[] = []
    const port = await listen(createServer((request, response) => exchanges.push({ request, response, client })))
    const client = connect(port)
    client.request(...Array.from({ length: count + 1 }, () => ({ path: '/' })))
    await until(() => expect(exchanges).toHaveLength(count + 1))
    const [first, ...others] = exchanges
    if (!first) throw new Error('there is a first one')
    first.response.flushHeaders()
    const opened = others.map((each) => {
      const transport = openTransport(each.request, each.response)
      const owner = new RecordingOwner()
      transport.attach(owner)
      return { ...each, transport, owner }
    })
    return { first: first.response, opened }
  }

  test('is told when the connection goes while it waits', async () => {
    const { opened } = await openPipelined(1)
    const [second] = opened
    second?.client.leave('close')
    await until(() => expect(second?.owner.closeCount).toBe(1))
  })

  test('is told although Node does not tell it', async () => {
    const socket = new Socket()
    const request = new IncomingMessage(socket)
    request.httpVersionMajor = 1
    const response = new ServerResponse(request)
    const owner = new RecordingOwner()
    openTransport(request, response).attach(owner)
    await nextTurn()
    expect(owner.closeCount).toBe(0)
    socket.destroy()
    await until(() => expect(owner.closeCount).toBe(1))
    expect([response.closed, socket.listenerCount('close')]).toEqual([false, 0])
  })

  test('is told although its connection was gone before anybody listened', async () => {
    const socket = new Socket()
    const request = new IncomingMessage(socket)
    request.httpVersionMajor = 1
    socket.destroy()
    await nextTurn()
    const owner = new RecordingOwner()
    openTransport(request, new ServerResponse(request)).attach(owner)
    await until(() => expect(owner.closeCount).toBe(1))
  })

  test('is told at once when it is destroyed while it waits: that ends the connection, and the one before it', async () => {
    const { opened } = await openPipelined(1)
    const [second] = opened
    second?.transport.write(hello)
    second?.owner.call(() => second.transport.destroy())
    await until(() => expect([second?.owner.closeCount, second?.client.isDisconnected]).toEqual([1, true]))
    second?.client.check()
    expect([second?.client.end, second?.client.body, second?.client.responses.length]).toEqual(['cut', '', 1])
    expect(second?.owner.wasCalledFromWithin).toBe(false)
  })

  test('is sent whole when it ended while it waited', async () => {
    const { first, opened } = await openPipelined(1)
    const [second] = opened
    second?.transport.write(hello)
    second?.transport.end()
    first.end()
    await until(() => expect(second?.client.isDisconnected).toBe(true))
    second?.client.check()
    const [, answer] = second?.client.responses ?? []
    expect([answer?.isComplete, Buffer.concat(answer?.body ?? []).toString()]).toEqual([true, 'data: hello\n\n'])
    expect(second?.owner.closeCount).toBe(1)
  })

  test('says false when much waits with it, and onDrain when its turn has come', async () => {
    const { first, opened } = await openPipelined(1)
    const [second] = opened
    const payload = block(200_000)
    expect(second?.transport.write(payload)).toBe(false)
    expect(second?.transport.bufferedBytes).toBeGreaterThanOrEqual(payload.bytes.byteLength)
    first.end()
    await until(() => expect([second?.owner.drainCount, second?.transport.bufferedBytes]).toEqual([1, 0]))
  })

  test('may be one of many: a hostile client cannot make Node warn of a leak', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    onTestFinished(() => void process.off('warning', onWarning))
    const { opened } = await openPipelined(30)
    const socket = opened[0]?.request.socket
    opened[0]?.client.leave('close')
    await until(() => expect(opened.map(({ owner }) => owner.closeCount)).toEqual(opened.map(() => 1)))
    await nextTurn()
    expect([warnings, socket?.getMaxListeners()]).toEqual([[], 10])
  })
})
