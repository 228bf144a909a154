/** Who comes back with an id that cannot be resumed from, over real HTTP: that is told before anything newer. */
import { formatEventId } from '@millrace/protocol'
import { describe, expect, test } from 'vitest'
import {
  CAUGHT_UP,
  CONNECTED,
  SMALL,
  SYNC_REQUIRED,
  count,
  firstNotice,
  otherCheck,
  position,
  replay,
  resume,
} from './support/resume-client.ts'
import { isPublished, json, openStream } from './support/stream-reader.ts'
import { numbers, startTestHub } from './support/test-hub.ts'

describe('an id before an evicted matching event: too_old', () => {
  test('[MR-RES-3] [MR-CTL-6] the notice comes before anything newer, with where it failed and what is left; then now', async () => {
    const { url, publish } = await startTestHub(SMALL)
    const ids = await publish('busy.a', numbers(1, 50))
    const stream = await resume(url, ids[4])
    const notice = await firstNotice(stream)
    expect(json(notice)).toEqual({ reason: 'too_old', from: ids[4], oldest: ids[39] })
    expect(notice.id).toBe(ids[49])
    await publish('busy.a', [51])
    await stream.until(isPublished)
    expect(stream.events.map(count)).toEqual([51])
  })

  test('[MR-RES-10] from=earliest goes on with all that is kept', async () => {
    const { url, publish } = await startTestHub(SMALL)
    const ids = await publish('busy.a', numbers(1, 50))
    const stream = await resume(`${url}?from=earliest`, ids[4])
    const notice = await firstNotice(stream)
    expect(json(notice)).toEqual({ reason: 'too_old', from: ids[4], oldest: ids[39] })
    expect(notice.id).toBe(ids[39])
    expect(await replay(stream)).toEqual(numbers(41, 50))
  })

  test('[MR-RES-12] an evicted event of another type counts: type filters are left aside', async () => {
    const { url, publish } = await startTestHub(SMALL)
    const [id] = await publish('busy.a', [1], 'rare')
    await publish('busy.a', numbers(2, 50), 'common')
    const stream = await resume(`${url}?type=rare`, id)
    expect(json(await firstNotice(stream))).toMatchObject({ reason: 'too_old' })
  })

  test('by a pattern, one evicted event of one of its topics is enough', async () => {
    const { url, publish } = await startTestHub(SMALL)
    const [id] = await publish('quiet', [1])
    await publish('busy.a', numbers(2, 50))
    expect(json(await firstNotice(await resume(url, id)))).toMatchObject({ reason: 'too_old', from: id })
    expect(json(await firstNotice(await resume(`${url}?topic=quiet,busy.*`, id)))).toMatchObject({ reason: 'too_old' })
  })

  test('the id of the notice is a good one: no second alarm, nothing lost after it', async () => {
    const { url, publish } = await startTestHub(SMALL)
    const ids = await publish('busy.a', numbers(1, 50))
    const notice = await firstNotice(await resume(url, ids[0]))
    await publish('busy.a', numbers(51, 53))
    expect(await replay(await resume(url, notice.id))).toEqual([51, 52, 53])
  })

  test('[MR-RES-13] retention that overtakes a reader in the middle of its catch-up is told there, before anything newer', async () => {
    const { hub, url, publish } = await startTestHub({
      maxBufferBytes: 1_024,
      hotWindowCount: 5,
      memory: { topics: [{ match: '>', retention: { maxCount: 600 } }] },
    })
    const [id] = await publish('a', [0])
    const padding = 'x'.repeat(32 * 1024)
    for (const n of numbers(1, 400)) await hub.publish({ topic: 'a', data: { n, padding } })
    const stream = await resume(url, id)
    stream.pause()
    await stillAfter(() => [...hub.subscribers()][0]?.bytes ?? 0)
    for (const n of numbers(401, 2_000)) await hub.publish({ topic: 'a', data: { n } })
    stream.resume()
    const before = (await stream.until(SYNC_REQUIRED)).filter(isPublished).map(count)
    const notice = stream.all.findLast(SYNC_REQUIRED)
    expect(before.length).toBeGreaterThan(0)
    expect(before).toEqual(numbers(1, before.length))
    expect(before.length).toBeLessThan(400)
    expect(json(notice)).toMatchObject({ reason: 'too_old', from: stream.ids.at(before.length - 1) })
    await stream.until(CAUGHT_UP)
    await publish('a', [2_001])
    await stream.until(isPublished)
    expect(stream.events.map(count)).toEqual([...before, 2_001])
    expect(stream.all.filter(SYNC_REQUIRED)).toHaveLength(1)
  })
})

describe('an id of another history: epoch_changed', () => {
  test('[MR-RES-4] another epoch, as after a restart of a hub that keeps its log in memory', async () => {
    const old = await startTestHub()
    const ids = await old.publish('a', numbers(1, 5))
    await old.crash()
    const { url, publish } = await startTestHub({ port: old.port })
    const fresh = await publish('a', numbers(1, 9))
    const stream = await resume(url, ids[2])
    const notice = await firstNotice(stream)
    expect(json(notice)).toMatchObject({ reason: 'epoch_changed', from: ids[2] })
    expect(notice.id).toBe(fresh[8])
    await publish('a', [10])
    await stream.until(isPublished)
    expect(stream.events.map(count)).toEqual([10])
  })

  test.each([
    ['in the hot window', 399],
    ['in the log, outside of the window', 200],
  ])('[MR-RES-5] a check that differs, %s', async (_where, index) => {
    const { url, publish } = await startTestHub(SMALL)
    const ids = await publish('a', numbers(1, 400))
    const forged = formatEventId(otherCheck(position(ids[index])))
    const stream = await resume(`${url}?from=earliest`, forged)
    expect(json(await firstNotice(stream))).toMatchObject({ reason: 'epoch_changed', from: forged })
    expect(await replay(stream)).toEqual(numbers(1, 400))
  })

  test('seq 0 has a check as well', async () => {
    const { url, publish } = await startTestHub()
    const [connected] = (await (await openStream(url)).until(CONNECTED)).slice(-1)
    await publish('a', [1])
    const forged = formatEventId(otherCheck(position(connected?.id)))
    expect(json(await firstNotice(await resume(url, forged)))).toMatchObject({ reason: 'epoch_changed', from: forged })
    expect(await replay(await resume(url, connected?.id))).toEqual([1])
  })
})

describe('an id beyond the head: ahead', () => {
  test('[MR-RES-6] is told, and the stream goes on from the head', async () => {
    const { url, publish } = await startTestHub()
    const ids = await publish('a', numbers(1, 3))
    const ahead = formatEventId({ ...position(ids[2]), seq: 1_000 })
    const stream = await resume(url, ahead)
    const notice = await firstNotice(stream)
    expect(json(notice)).toMatchObject({ reason: 'ahead', from: ahead })
    expect(notice.id).toBe(ids[2])
    await publish('a', [4])
    await stream.until(isPublished)
    expect(stream.events.map(count)).toEqual([4])
  })

  test('the largest seq there is', async () => {
    const { url, publish } = await startTestHub()
    const [id] = await publish('a', [1])
    const ahead = formatEventId({ ...position(id), seq: Number.MAX_SAFE_INTEGER })
    expect(json(await firstNotice(await resume(url, ahead)))).toMatchObject({ reason: 'ahead', from: ahead })
  })
})

describe('an id that is not of this hub: unknown_id', () => {
  test.each([
    ['a word', 'garbage'],
    ['a number', '42'],
    ['another grammar', '1700000000000-0'],
    ['capitals', 'ABC-1-xyz'],
    ['a leading zero', 'abc-01-xyz'],
    ['a negative seq', 'abc--1-xyz'],
    ['an exponent', 'abc-1e3-xyz'],
    ['a seq past 2^53', 'abc-9007199254740993-xyz'],
    ['a long check', 'abc-1-wxyz'],
    ['128 characters', 'x'.repeat(128)],
    ['129 characters that begin as an id does', `abc-1-xyz${'x'.repeat(120)}`],
    ['8,000 characters', 'y'.repeat(8_000)],
    ['bytes that are not ASCII', 'é漢'],
    ['spaces inside', 'abc-1-xyz abc-2-xyz'],
    ['markup', '<script>"\'&</script>'],
  ])('[MR-RES-7] %s', async (_name, id) => {
    const { url, publish } = await startTestHub()
    const ids = await publish('a', numbers(1, 3))
    for (const stream of [
      await openStream(url, { headers: { 'Last-Event-ID': Buffer.from(id).toString('latin1') } }),
      await openStream(`${url}?last_event_id=${encodeURIComponent(id)}`),
    ]) {
      const notice = await firstNotice(stream)
      const { reason, from } = json(notice) as { reason: string; from: string }
      expect(reason).toBe('unknown_id')
      expect(from.length).toBeLessThanOrEqual(128)
      expect(notice.id).toBe(ids[2])
    }
  })

  test('a real id with anything around it is nobody’s', async () => {
    const { url, publish } = await startTestHub()
    const [id] = await publish('a', numbers(1, 3))
    for (const wrong of [`${id}x`, `-${id}`, `${id}-1`, `${id},${id}`, `"${id}"`, `${id}\u00a0`]) {
      const stream = await openStream(`${url}?last_event_id=${encodeURIComponent(wrong)}`)
      expect(json(await firstNotice(stream))).toMatchObject({ reason: 'unknown_id', from: wrong })
    }
  })

  test('on an empty hub the notice has an id too', async () => {
    const { url, publish } = await startTestHub()
    const notice = await firstNotice(await resume(url, 'garbage'))
    await publish('a', [1])
    expect(await replay(await resume(url, notice.id))).toEqual([1])
  })
})

/** Resolves when a number stays the same for a while. */
async function stillAfter(read: () => number): Promise<void> {
  for (let before = -1; before !== read();) {
    before = read()
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
