import { cut, gzip, head, holdBack, malformedUtf8, raw, send, wait } from '@millrace/testing'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { answerOf, faultServer } from './support/fault-server.ts'
import { askRaw, bodyOf } from './support/raw-answer.ts'

const ONE = 'id: 1\ndata: one\n\n'
const TWO = 'id: 2\ndata: two\n\n'

describe('bodies', () => {
  test('are held back to the end, as by a buffering proxy, with the head there at once', async () => {
    const gate = Promise.withResolvers<void>()
    const server = await faultServer({ scripts: [[holdBack(), send(ONE, TWO), wait(gate.promise)]] })
    const answer = askRaw(server.origin)
    await server.until('the head', (requests) => (requests[0]?.sent.length ?? 0) > 0)
    expect(String(server.requests[0]?.sent)).toMatch(/^HTTP\/1.1 200 [^]*\r\n\r\n$/)
    gate.resolve()
    expect(bodyOf(await answer)).toBe(`22\r\n${ONE}${TWO}\r\n0\r\n\r\n`)
  })

  test('are held back until enough bytes are there', async () => {
    const answer = await answerOf([holdBack(30), send(ONE, TWO, ONE)])
    expect(bodyOf(answer)).toBe(`22\r\n${ONE}${TWO}\r\n11\r\n${ONE}\r\n0\r\n\r\n`)
  })

  test('are compressed, each event at once', async () => {
    const gate = Promise.withResolvers<void>()
    const server = await faultServer({ scripts: [[gzip(), send(ONE), wait(gate.promise), send(TWO)]] })
    const response = await fetch(server.origin)
    expect(response.headers.get('content-encoding')).toBe('gzip')
    const reader = response.body?.getReader()
    expect(String(Buffer.from((await reader?.read())?.value ?? []))).toBe(ONE)
    gate.resolve()
    expect(String(Buffer.from((await reader?.read())?.value ?? []))).toBe(TWO)
  })

  test('are compressed and kept until there is enough', async () => {
    const server = await faultServer({
      scripts: [[gzip({ flush: 'never' }), head({ framing: 'close' }), send(ONE), cut()]],
    })
    const { bytes } = await askRaw(server.origin)
    const body = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)
    // The ten bytes that every gzip stream begins with, and nothing of the event.
    expect(body).toHaveLength(10)
    const whole = await answerOf([gzip({ flush: 'never' }), head({ framing: 'close' }), send(ONE)])
    expect(String(gunzipSync(whole.bytes.subarray(whole.bytes.indexOf('\r\n\r\n') + 4)))).toBe(ONE)
  })

  test('gzip after the head is refused', async () => {
    const server = await faultServer({ scripts: [[head(), gzip()]] })
    await askRaw(server.origin)
    await expect(server.close()).rejects.toMatchObject({ code: 'head_was_sent' })
  })

  test.each(malformedUtf8)('$name is decoded as browsers do', async ({ bytes, decoded }) => {
    const server = await faultServer({ scripts: [[send('data: ', bytes, 'x\n\n')]] })
    expect(await (await fetch(server.origin)).text()).toBe(`data: ${decoded}x\n\n`)
  })

  test('that break the framing go as they are', async () => {
    const answer = await answerOf([raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'), cut()])
    expect(answer.text.endsWith('\r\n\r\nzz\r\n')).toBe(true)
  })
})
