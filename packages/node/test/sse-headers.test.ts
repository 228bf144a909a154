import compression from 'compression'
import express from 'express'
import { createServer } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { sseHeaders } from '../src/index.ts'
import { connect, exchange, listen, until } from './support/serve.ts'

test('sets the headers of a stream and sends nothing', async () => {
  const { request, response } = await exchange()
  sseHeaders(request, response)
  expect({ ...response.getHeaders() }).toEqual({
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-store, no-transform',
    'x-accel-buffering': 'no',
    vary: 'Accept, Origin',
    connection: 'keep-alive',
  })
  expect(response.headersSent).toBe(false)
})

test('says nothing about the connection over HTTP/1.0', async () => {
  const { request, response } = await exchange({ path: '/', version: '1.0' })
  sseHeaders(request, response)
  expect(response.hasHeader('connection')).toBe(false)
})

test('adds to Vary, and leaves a connection that is to be closed alone', async () => {
  const { request, response } = await exchange()
  response.setHeader('Vary', 'Cookie')
  response.setHeader('Connection', 'close')
  sseHeaders(request, response)
  expect([response.getHeader('vary'), response.getHeader('connection')]).toEqual(['Cookie, Accept, Origin', 'close'])
})

test('is middleware: what is written by hand in Express is a stream, even behind compression', async () => {
  const app = express().use(compression({ threshold: 0 }))
  app.get('/clock', sseHeaders, (_request, response) => {
    response.flushHeaders()
    response.write('data: by hand\n\n')
  })
  const client = connect(await listen(createServer(app)))
  client.request({ path: '/clock', headers: ['Accept-Encoding: gzip'] })
  await until(() => expect(client.body).toBe('data: by hand\n\n'))
  expect(client.head?.headers.filter(([name]) => name === 'content-type')).toEqual([
    ['content-type', 'text/event-stream'],
  ])
})

test('sets nothing over HTTP/2 that HTTP/2 forbids', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const server = createHttp2Server((request, response) => {
    sseHeaders(request, response)
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    warn.mockRestore()
    client.destroy()
    server.close()
  })
  const [headers] = await once(client.request({ ':path': '/' }), 'response')
  expect(headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
  expect(headers).not.toHaveProperty('connection')
  expect(warn).not.toHaveBeenCalled()
})
