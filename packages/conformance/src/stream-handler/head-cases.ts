import assert from 'node:assert/strict'
import type { StreamCase } from './stream-case.ts'
import type { StreamClient } from './stream-client.ts'

const RETRY_MS = { min: 1_500, max: 4_500 }

export const headCases: readonly StreamCase[] = [
  {
    name: 'a stream is answered with status 200 and the headers of a stream, each once',
    clause:
      '[MR-HTTP-1] `200`, `Content-Type: text/event-stream`, `Cache-Control: no-cache, no-store, no-transform`, `X-Accel-Buffering: no`',
    async body(test) {
      const client = await test.open()
      assert.equal(client.head?.status, 200)
      assert.deepEqual(valuesOf(client, 'content-type'), ['text/event-stream'])
      assert.deepEqual(valuesOf(client, 'cache-control'), ['no-cache, no-store, no-transform'])
      assert.deepEqual(valuesOf(client, 'x-accel-buffering'), ['no'])
      assert.deepEqual(valuesOf(client, 'content-length'), [])
    },
  },
  {
    name: 'the answer varies with Accept and Origin',
    clause: '[MR-HTTP-1] `Vary: Accept, Origin`',
    async body(test) {
      const client = await test.open()
      const names = valuesOf(client, 'vary').flatMap((value) => value.toLowerCase().split(/\s*,\s*/))
      assert.ok(names.includes('accept') && names.includes('origin'), `Vary is ${names.join(', ')}`)
    },
  },
  {
    name: 'the head and the first bytes come before any event',
    clause: '[MR-HTTP-2] at once, before any event; [MR-CTL-1] a comment, `retry:`',
    async body(test) {
      const client = await test.open()
      assert.match(client.body, /^:[^\n]*\n+retry: ?\d+\n/)
      await test.untilOpenCount(1)
    },
  },
  {
    name: 'the reconnection time is spread over half and one and a half times three seconds',
    clause: '[MR-CTL-1] `retry:` spread at random around the set value (± 50%)',
    async body(test) {
      const clients = await Promise.all(Array.from({ length: 12 }, () => test.open()))
      const times = clients.map((client) => Number(/\nretry: ?(\d+)\n/.exec(client.body)?.[1]))
      for (const time of times) assert.ok(time >= RETRY_MS.min && time <= RETRY_MS.max, `retry is ${time}`)
      assert.ok(new Set(times).size > 1, `every client is told to come back after ${times[0]} ms`)
    },
  },
  {
    name: 'it is chunked over HTTP/1.1',
    clause: '[MR-HTTP-4] chunks on HTTP/1.1; RFC 9112, 7.1',
    wires: ['http/1.1'],
    async body(test) {
      const client = await test.open()
      assert.deepEqual(valuesOf(client, 'transfer-encoding'), ['chunked'])
    },
  },
  {
    name: 'a connection of HTTP/1.1 is to be kept',
    clause: '[MR-HTTP-3] `Connection: keep-alive` on HTTP/1.1',
    wires: ['http/1.1'],
    needs: ['ownConnection'],
    async body(test) {
      const client = await test.open()
      assert.deepEqual(valuesOf(client, 'connection'), ['keep-alive'])
    },
  },
  {
    name: 'a client that asks to close is told that the connection will be',
    clause: 'RFC 9112, 9.6: the server that received a close option SHOULD send one in its final response',
    wires: ['http/1.1'],
    needs: ['ownConnection'],
    async body(test) {
      const client = await test.open(['Connection: close'])
      assert.deepEqual(valuesOf(client, 'connection'), ['close'])
    },
  },
  {
    name: 'it is not framed over HTTP/1.0: the end of the connection is the end of the stream',
    clause: '[MR-HTTP-4] plain for HTTP/1.0; RFC 9112, 6.1: no Transfer-Encoding to a client that may not know it',
    wires: ['http/1.0'],
    async body(test) {
      const client = await test.open(['Connection: keep-alive'])
      assert.deepEqual(valuesOf(client, 'transfer-encoding'), [])
      assert.ok(!valuesOf(client, 'connection').includes('keep-alive'), 'a stream without framing cannot be kept alive')
    },
  },
  {
    name: 'nothing is said about the connection over HTTP/2',
    clause: '[MR-HTTP-3] never over HTTP/2; RFC 9113, 8.2.2: no connection-specific header fields',
    wires: ['http/2'],
    async body(test) {
      const client = await test.open()
      for (const name of ['connection', 'keep-alive', 'transfer-encoding']) assert.deepEqual(valuesOf(client, name), [])
    },
  },
  {
    name: 'it is not compressed, although the client would take it',
    clause: '[MR-HTTP-5] `no-transform`: what is compressed without a flush is held back',
    async body(test) {
      const client = await test.open(['Accept-Encoding: gzip, deflate, br'])
      assert.deepEqual(valuesOf(client, 'content-encoding'), [])
    },
  },
  {
    name: 'HEAD opens no stream: there is a head, no body, and the connection can be used again',
    clause: 'RFC 9110, 9.3.2: the server MUST NOT send content in the response',
    wires: ['http/1.1'],
    async body(test) {
      const client = test.connect()
      client.request({ method: 'HEAD', path: test.served.path })
      await test.until(client, 'the answer to HEAD', () => client.end === 'whole')
      await test.untilOpenCount(0)
      await test.served.publish('stray')
      if (client.isDisconnected) return
      client.request({ path: test.served.otherPath })
      await test.until(client, 'the next answer or the end', () => isAnswered(client) || client.isDisconnected)
      assert.ok(client.responses.length === 1 || isAnswered(client), 'the connection ended in the middle of an answer')

      function isAnswered({ responses }: typeof client): boolean {
        return responses[1]?.isComplete === true
      }
    },
  },
]

function valuesOf(client: StreamClient, name: string): string[] {
  return (client.head?.headers ?? []).flatMap(([each, value]) => (each === name ? [value] : []))
}
