/** What only a real hub owes, over a connection that is shared: state values, snapshots, gaps, ends. In one process, with its locks. */
import { connect, type EventStream, type StreamOptions } from '@millrace/client'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startTestHub, type TestHub, type TestHubOptions } from './support/test-hub.ts'

type Events = { message: unknown }

interface Member {
  readonly stream: EventStream<Events>
  readonly data: unknown[]
  readonly gaps: string[]
}

const FAST: TestHubOptions = { retryMs: 100, heartbeatMs: 200 }

function join(hub: TestHub, topics: readonly string[], options: StreamOptions = {}): Member {
  const data: unknown[] = []
  const gaps: string[] = []
  const stream = connect<Events>(hub.url, {
    topics,
    share: true,
    minDelayMs: 50,
    onSync: (reason) => void gaps.push(reason),
    ...options,
  })
  onTestFinished(() => stream.close())
  stream.on('message', (event) => data.push(event.data))
  return { stream, data, gaps }
}

/** Joins, and waits until the hub has one connection for all of them. */
async function joined(hub: TestHub, members: readonly Member[]): Promise<void> {
  const expected = members.map((_, i) => (i < members.length - 1 ? 'following' : 'leading')).join()
  await until(() => {
    const roles = members.map(({ stream }) => String(stream.diagnostics().sharing))
    return roles.toSorted().join() === expected && hub.hub.stats().subscribers === 1
  })
}

async function until(isTrue: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(isTrue()).toBe(true), { timeout: 15_000, interval: 10 })
}

describe.skipIf(!('locks' in navigator))('streams that share a connection to a hub', () => {
  test('who joins gets the newest value of each key, and so does everybody when the leader goes', async () => {
    const hub = await startTestHub({ ...FAST, memory: { topics: [{ match: 'state.>', kind: 'state' }] } })
    const set = (key: string, data: number): Promise<unknown> => hub.hub.publish({ topic: 'state.a', key, data })
    const first = join(hub, ['state.a'])
    await joined(hub, [first])
    await set('x', 1)
    await set('x', 2)
    await set('y', 3)
    await until(() => first.data.at(-1) === 3)
    const second = join(hub, ['state.*', 'log'])
    await joined(hub, [first, second])
    expect(second.data).toEqual([2, 3])
    first.stream.close()
    await set('x', 4)
    await joined(hub, [second])
    await until(() => second.data.includes(4))
    await set('x', 5)
    await until(() => second.data.at(-1) === 5)
  })

  test('who joins with from: snapshot gets the last event of each topic, also of those that are sent already', async () => {
    const hub = await startTestHub(FAST)
    const first = join(hub, ['a', 'b'], { from: 'snapshot' })
    await joined(hub, [first])
    await hub.publish('a', [1, 2])
    await hub.publish('b', [3])
    const second = join(hub, ['a', 'b'], { from: 'snapshot' })
    const third = join(hub, ['a', 'b'], { from: 'snapshot' })
    await joined(hub, [first, second, third])
    expect([second.data, third.data]).toEqual([
      [{ n: 2 }, { n: 3 }],
      [{ n: 2 }, { n: 3 }],
    ])
  })

  test('a gap is told to each, and each goes on', async () => {
    const hub = await startTestHub(FAST)
    const members = [join(hub, ['a']), join(hub, ['a', 'b'])]
    await joined(hub, members)
    await hub.publish('a', [1])
    await until(() => members.every(({ data }) => data.length === 1))
    const { port } = hub
    await hub.crash()
    const again = await startTestHub({ ...FAST, port })
    await joined(again, members)
    await until(() => members.every(({ gaps }) => gaps.length > 0))
    await again.publish('a', [2])
    await until(() => members.every(({ data }) => data.length === 2))
    expect(members.map(({ gaps }) => gaps)).toEqual([['epoch_changed'], ['epoch_changed']])
  })

  test('a stream ends when its topics are finished, and the others go on', async () => {
    const hub = await startTestHub(FAST)
    const job = join(hub, ['job'])
    const news = join(hub, ['news'])
    await joined(hub, [job, news])
    await hub.hub.publish({ topic: 'job', data: 1, end: true })
    await until(() => job.stream.status.name === 'ended')
    await hub.publish('news', [2])
    await until(() => news.data.length === 1)
    await joined(hub, [news])
    expect([job.data, news.data]).toEqual([[1], [{ n: 2 }]])
  })
})
