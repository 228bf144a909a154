import { textPayload } from '@millrace/server'
import compression from 'compression'
import express from 'express'
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { createGunzip } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openTransport, type NodeTransport } from '../src/index.ts'
import { noise } from './support/payloads.ts'
import { listen, RecordingOwner, until } from './support/serve.ts'

describe('behind middleware that compresses', () => {
  /** `no-transform` is taken away: otherwise this middleware does not compress. */
  async function openCompressed(): Promise<{
    transport: NodeTransport
    owner: RecordingOwner
    received: IncomingMessage
  }> {
    const { promise, resolve } = Promise.withResolvers<{ transport: NodeTransport; owner: RecordingOwner }>()
    const app = express().use(compression({ threshold: 0 }))
    app.get('/', (request, response) => {
      const owner = new RecordingOwner()
      const transport = openTransport(request, response, { headers: { 'Cache-Control': 'no-cache' } })
      transport.attach(owner)
      resolve({ transport, owner })
    })
    const port = await listen(createServer(app))
    const asked = httpRequest({ port, host: '127.0.0.1', headers: { 'Accept-Encoding': 'gzip' }, agent: false })
    onTestFinished(() => void asked.destroy())
    asked.on('error', () => {})
    asked.end()
    const [[received], { transport, owner }] = await Promise.all([
      once(asked, 'response') as Promise<[IncomingMessage]>,
      promise,
    ])
    expect(received.headers['content-encoding']).toBe('gzip')
    return { transport, owner, received }
  }

  test('each payload arrives at once', async () => {
    const { transport, received } = await openCompressed()
    let text = ''
    received.pipe(createGunzip()).on('data', (bytes: Buffer) => {
      text += bytes.toString()
    })
    for (const number of [1, 2, 3]) {
      transport.write(textPayload(`data: ${number}\n\n`))
      await until(() => expect(text.endsWith(`data: ${number}\n\n`)).toBe(true))
    }
    transport.end()
    await once(received, 'close')
    expect(received.complete).toBe(true)
  })

  test('what the compressor holds counts as buffered, and onDrain comes when it is taken', async () => {
    const { transport, owner, received } = await openCompressed()
    received.pause()
    const payload = noise(400_000)
    const answers = Array.from({ length: 20 }, () => transport.write(payload))
    expect(answers.at(-1)).toBe(false)
    const acceptedBytes = answers.length * payload.bytes.byteLength
    expect(transport.bufferedBytes).toBeGreaterThan(acceptedBytes / 2)
    let length = 0
    received.pipe(createGunzip()).on('data', (bytes: Buffer) => {
      length += bytes.length
    })
    await until(() => expect([length, owner.drainCount, transport.bufferedBytes]).toEqual([acceptedBytes, 1, 0]))
  })

  test('what leaves shows before all has left', async () => {
    const { transport, owner, received } = await openCompressed()
    received.pause()
    const payload = noise(400_000)
    for (let count = 0; count < 60; count++) transport.write(payload)
    const acceptedBytes = 60 * payload.bytes.byteLength
    expect(transport.bufferedBytes).toBe(acceptedBytes)
    // The kernel takes some.
    await until(() => expect(transport.bufferedBytes).toBeLessThan(acceptedBytes - 500_000))
    expect([transport.bufferedBytes > 0, owner.drainCount]).toEqual([true, 0])
  })

  test('a client that leaves is noticed', async () => {
    const { owner, received } = await openCompressed()
    received.destroy()
    await until(() => expect(owner.closeCount).toBe(1))
  })
})
