import assert from 'node:assert/strict'
import { datasOf, numbered, type StreamCase, type StreamTest } from './stream-case.ts'
import { readEvents } from './stream-client.ts'

export const endingCases: readonly StreamCase[] = [
  {
    name: 'the end comes after what was published',
    clause: 'Transport: ends the stream after what was accepted',
    needs: ['endStreams'],
    async body(test) {
      const client = await test.open()
      const datas = numbered(50)
      for (const data of datas) await test.served.publish(data)
      await test.served.endStreams()
      await test.until(client, 'the end of the stream', () => client.end === 'whole')
      assert.deepEqual(datasOf(readEvents(client.body)), datas)
      await test.untilOpenCount(0)
    },
  },
  {
    name: 'the connection ends with the stream',
    clause: 'Transport: ends the stream, and the connection with it',
    needs: ['endStreams', 'ownConnection'],
    async body(test) {
      const client = await test.open()
      await test.served.endStreams()
      await test.until(client, 'the end of the connection', () => client.isDisconnected)
      assert.equal(client.end, 'whole')
    },
  },
  {
    name: 'what is published after the end is on no wire',
    clause: 'Transport: after `end` `write` does nothing; no byte meant for one stream appears in another',
    needs: ['endStreams'],
    async body(test) {
      const clients = await Promise.all(numbered(5).map(() => test.open()))
      const ended = test.served.endStreams()
      await publishInVain(test, 'late')
      await ended
      await publishInVain(test, 'later')
      for (const client of clients) {
        await test.until(client, 'the end of the stream', () => client.end !== 'none')
        assert.equal(client.end, 'whole')
        // What is on its way on a connection that lives on comes before its end.
        client.leave('half-close')
        await test.until(client, 'the end of the connection', () => client.isDisconnected)
        assert.deepEqual(readEvents(client.body), [])
      }
    },
  },
  {
    name: 'a slow reader gets what was accepted before the end, and then the end',
    clause: 'Transport: ends the stream after what was accepted',
    needs: ['endStreams'],
    async body(test) {
      const client = await test.open()
      client.pause()
      const datas = numbered(20).map((name) => `${name} ${'x'.repeat(3_000)}`)
      for (const data of datas) await test.served.publish(data)
      await test.served.endStreams()
      client.resume()
      await test.until(client, 'the end of the stream', () => client.end === 'whole')
      assert.deepEqual(namesOf(client.body), numbered(20))
    },
  },
  {
    name: 'over HTTP/2 only the stream ends: the connection serves others on',
    clause: 'RFC 9113, 5.1: a stream is closed by END_STREAM; [MR-CTL-8] the connection ends, by GOAWAY',
    wires: ['http/2'],
    needs: ['endStreams'],
    async body(test) {
      const connection = test.connectHttp2()
      const stream = connection.open(test.served.path)
      await test.until(stream, 'the first bytes', () => stream.body !== '')
      await test.served.endStreams()
      await test.until(stream, 'the end of the stream', () => stream.end === 'whole')
      for (const what of ['an answer on the same connection', 'another one']) {
        const other = connection.open(test.served.otherPath)
        await test.until(other, what, () => other.end === 'whole')
        assert.equal(other.head?.status, 200)
      }
    },
  },
  {
    name: 'streams that share a connection of HTTP/2 get every event each',
    clause: 'Transport: no byte meant for one stream appears in another',
    wires: ['http/2'],
    async body(test) {
      const connection = test.connectHttp2()
      const streams = [connection.open(test.served.path), connection.open(test.served.path)]
      for (const stream of streams) await test.until(stream, 'the first bytes', () => stream.body !== '')
      streams[0]?.leave('reset')
      await test.untilOpenCount(1)
      await test.served.publish('for the other')
      const [left, stayed] = streams
      assert.ok(left && stayed)
      assert.deepEqual(datasOf(await test.untilEvent(stayed, 'for the other')), ['for the other'])
      assert.deepEqual(readEvents(left.body), [])
    },
  },
]

/** The first two words of each event. */
function namesOf(body: string): string[] {
  return readEvents(body).map(({ data }) => data.split(' ', 2).join(' '))
}

/** A handler may refuse it: there is nobody to send it to. */
async function publishInVain(test: StreamTest, data: string): Promise<void> {
  try {
    await test.served.publish(data)
  } catch {
    // That is an answer, too.
  }
}
