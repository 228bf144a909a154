import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { openTransport } from '../src/index.ts'
import { hello } from './support/payloads.ts'
import { exchange, nextTurn, RecordingOwner, until } from './support/serve.ts'

describe('a client that left before the transport was attached', () => {
  test.each(['close', 'reset', 'half-close'] as const)('is noticed: %s', async (how) => {
    const { client, request, response } = await exchange()
    client.leave(how)
    await once(response, 'close')
    const owner = new RecordingOwner()
    const transport = openTransport(request, response)
    owner.call(() => transport.attach(owner))
    expect(transport.write(hello)).toBe(false)
    await until(() => expect(owner.closeCount).toBe(1))
    await nextTurn()
    expect([owner.closeCount, owner.wasCalledFromWithin]).toEqual([1, false])
  })

  test('is noticed between the loss of its socket and the news of it', async () => {
    const { request, response } = await exchange()
    request.socket.destroy()
    const owner = new RecordingOwner()
    openTransport(request, response).attach(owner)
    await until(() => expect(owner.closeCount).toBe(1))
    await nextTurn()
    expect(owner.closeCount).toBe(1)
  })

  test('is noticed once although the news comes as well', async () => {
    const { client, request, response } = await exchange()
    client.leave('close')
    await once(response, 'close')
    const owner = new RecordingOwner()
    openTransport(request, response).attach(owner)
    response.emit('close')
    await nextTurn()
    expect(owner.closeCount).toBe(1)
  })

  test('is noticed when the response was answered by somebody else meanwhile', async () => {
    const { client, request, response } = await exchange()
    response.end('too late')
    await once(response, 'close')
    const owner = new RecordingOwner()
    openTransport(request, response).attach(owner)
    await until(() => expect(owner.closeCount).toBe(1))
    await until(() => expect(client.end).toBe('whole'))
    expect(client.body).toBe('too late')
  })
})
