import assert from 'node:assert/strict'
import { datasOf, type StreamCase } from './stream-case.ts'
import { readEvents } from './stream-client.ts'

const clause =
  'Transport: a pipelined second response does not own the socket; no byte of one response appears in another'

export const pipeliningCases: readonly StreamCase[] = [
  {
    name: 'a request behind a stream is not answered inside it',
    clause,
    wires: ['http/1.1'],
    needs: ['pipelining'],
    async body(test) {
      const client = test.connect()
      client.request({ path: test.served.path }, { path: test.served.otherPath })
      await test.until(client, 'the first bytes', () => client.body !== '')
      await test.served.publish('one')
      await test.served.publish('two')
      assert.deepEqual(datasOf(await test.untilEvent(client, 'two')), ['one', 'two'])
      assert.equal(client.responses.length, 1)
    },
  },
  {
    name: 'of two streams asked for at once, the second puts nothing into the first',
    clause,
    wires: ['http/1.1'],
    needs: ['concurrentPipelining'],
    async body(test) {
      const client = test.connect()
      client.request({ path: test.served.path }, { path: test.served.path })
      await test.until(client, 'the first bytes', () => client.body !== '')
      await test.untilOpenCount(2)
      await test.served.publish('once')
      assert.deepEqual(datasOf(await test.untilEvent(client, 'once')), ['once'])
      await test.served.publish('twice')
      assert.deepEqual(datasOf(await test.untilEvent(client, 'twice')), ['once', 'twice'])
      assert.equal(client.responses.length, 1)
    },
  },
  {
    name: 'when two streams asked for at once have ended, what came was two whole answers or one',
    clause,
    wires: ['http/1.1'],
    needs: ['endStreams', 'concurrentPipelining'],
    async body(test) {
      const client = test.connect()
      client.request({ path: test.served.path }, { path: test.served.path })
      await test.until(client, 'the first bytes', () => client.body !== '')
      await test.untilOpenCount(2)
      await test.served.publish('both')
      await test.untilEvent(client, 'both')
      await test.served.endStreams()
      const isOver = (): boolean => client.responses.length === 2 && client.responses.every((each) => each.isComplete)
      await test.until(client, 'the end of both or of the connection', () => isOver() || client.isDisconnected)
      for (const response of client.responses) {
        assert.ok(response.isComplete, 'an answer was cut off')
        assert.deepEqual(datasOf(readEvents(Buffer.concat(response.body).toString())), ['both'])
      }
      await test.untilOpenCount(0)
    },
  },
  {
    name: 'a stream that waits behind another is forgotten with the connection',
    clause: 'Transport: every way a client can leave',
    wires: ['http/1.1'],
    needs: ['concurrentPipelining'],
    async body(test) {
      const client = test.connect()
      client.request(...Array.from({ length: 20 }, () => ({ path: test.served.path })))
      await test.untilOpenCount(20)
      client.leave('close')
      await test.untilOpenCount(0)
    },
  },
  {
    name: 'a stream may follow other answers on a connection that was kept',
    clause: 'RFC 9112, 9.3: a connection carries one request and response after another',
    wires: ['http/1.1'],
    async body(test) {
      const client = test.connect()
      client.request({ path: test.served.otherPath }, { path: test.served.otherPath }, { path: test.served.path })
      await test.until(client, 'the third answer', () => client.responses.length === 3)
      await test.served.publish('behind others')
      const stream = (): string => Buffer.concat(client.responses[2]?.body ?? []).toString()
      await test.until(client, 'the event', () => readEvents(stream()).some(({ data }) => data === 'behind others'))
      assert.deepEqual(
        client.responses.map((response) => response.isComplete),
        [true, true, false],
      )
    },
  },
]
