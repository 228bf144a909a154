import assert from 'node:assert/strict'
import { datasOf, numbered, type StreamCase } from './stream-case.ts'
import { readEvents, type StreamClient } from './stream-client.ts'

/** More than the buffers of a loopback connection hold. */
const BACKLOG = { count: 140, bytes: 60_000 }

export const eventCases: readonly StreamCase[] = [
  {
    name: 'an event arrives without another one behind it',
    clause: '[MR-HTTP-2] the head and the first block are sent at once',
    async body(test) {
      const client = await test.open()
      await test.served.publish('alone')
      assert.deepEqual(datasOf(await test.untilEvent(client, 'alone')), ['alone'])
      await test.served.publish('again')
      assert.deepEqual(datasOf(await test.untilEvent(client, 'again')), ['alone', 'again'])
    },
  },
  {
    name: 'an event arrives at once although the client would take it compressed',
    clause: '[MR-HTTP-5] nothing holds events back',
    async body(test) {
      const client = await test.open(['Accept-Encoding: gzip, deflate, br'])
      await test.served.publish('alone')
      assert.deepEqual(datasOf(await test.untilEvent(client, 'alone')), ['alone'])
    },
  },
  {
    name: 'every client gets every event once and in order',
    clause: 'Transport: payloads reach the client whole and in the order of `write`',
    async body(test) {
      const clients = await Promise.all(Array.from({ length: 5 }, () => test.open()))
      const datas = numbered(200)
      for (const data of datas) await test.served.publish(data)
      for (const client of clients) assert.deepEqual(datasOf(await test.untilEvent(client, 'event 200')), datas)
    },
  },
  {
    name: 'events that are published together arrive once and in order',
    clause: 'Transport: payloads reach the client whole and in the order of `write`',
    async body(test) {
      const client = await test.open()
      const datas = numbered(1_000)
      await Promise.all(datas.map(async (data) => test.served.publish(data)))
      assert.deepEqual(datasOf(await test.untilEvent(client, 'event 1000')), datas)
    },
  },
  {
    name: 'data arrives as it was: lines, text of all scripts, and every byte of a long one',
    clause: 'docs/protocol.md: `data` of one or many lines; only valid UTF-8 goes out',
    async body(test) {
      const client = await test.open()
      const datas = [
        'one\ntwo\n\nfour',
        ' leading space',
        ': no comment',
        'ünï – 日本語 – 🎉',
        '🎉'.repeat(12_000),
        '{"a":1}',
      ]
      for (const data of datas) await test.served.publish(data)
      assert.deepEqual(datasOf(await test.untilEvent(client, '{"a":1}')), datas)
    },
  },
  {
    name: 'a client that comes later gets what comes later',
    clause: '[MR-RES-8] without an id and `from`: what is published from now on',
    async body(test) {
      await test.open()
      await test.served.publish('before')
      const late = await test.open()
      await test.served.publish('after')
      assert.deepEqual(datasOf(await test.untilEvent(late, 'after')), ['after'])
    },
  },
  {
    name: 'a slow reader gets everything once and in order, and holds nobody up',
    clause: '[MR-RES-15] a subscriber that falls behind reads on as it drains, and misses nothing',
    needs: ['largeBacklog'],
    async body(test) {
      const [slow, fast] = [await test.open(), await test.open()]
      slow.pause()
      const filler = 'x'.repeat(BACKLOG.bytes)
      const datas = numbered(BACKLOG.count).map((name) => `${name} ${filler}`)
      for (const data of datas) await test.served.publish(data)
      // Looked at only when it is long enough: looking at a long body takes time.
      const hasLast = ({ body }: StreamClient): boolean =>
        body.length > BACKLOG.count * BACKLOG.bytes && datasOf(readEvents(body)).includes(datas.at(-1) ?? '')
      await test.until(fast, 'the last event at the fast reader', () => hasLast(fast))
      assert.ok(!hasLast(slow), 'the slow reader was not slow')
      slow.resume()
      await test.until(slow, 'the last event at the slow reader', () => hasLast(slow))
      for (const client of [slow, fast]) {
        const names = readEvents(client.body).map(({ data }) => data.slice(0, -BACKLOG.bytes - 1))
        assert.deepEqual(names, numbered(BACKLOG.count))
      }
    },
  },
]
