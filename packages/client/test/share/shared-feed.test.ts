import { describe, expect, test } from 'vitest'
import { SharingScene } from './support/sharing-scene.ts'

describe('a feed that tabs share', () => {
  test('is one connection, and each tab gets the events of its own topics', async () => {
    const { clock, hub, settled } = scene()
    const first = await settled(['a', 'b.*'])
    const second = await settled(['b.x', 'c'])
    expect([first.role, second.role]).toEqual(['leading', 'following'])
    expect(hub.streams).toHaveLength(1)
    for (const topic of ['a', 'b.x', 'b.y', 'c', 'd']) hub.publish(topic, topic)
    await clock.advance(1_000)
    expect(first.data()).toEqual(['a', 'b.x', 'b.y'])
    expect(second.data()).toEqual(['b.x', 'c'])
  })

  test('polls for all tabs, and lets those that start follow soon, though nothing comes of their topics', async () => {
    const { clock, hub, open } = scene()
    const topics = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const tabs = topics.map((topic) => open([topic], { transport: 'long-polling' }))
    // The log moves on, unnoticed by whoever waits for other topics.
    for (let i = 0; i < 30; i++) {
      hub.publish('z', i)
      await clock.advance(100)
    }
    expect(tabs.map(({ role }) => role)).toEqual(['leading', ...topics.slice(1).map(() => 'following')])
    const before = tabs.map(({ attempts }) => attempts)
    for (const topic of topics) hub.publish(topic, topic)
    await clock.advance(1_000)
    expect(tabs.map((tab) => tab.data())).toEqual(topics.map((topic) => [topic]))
    expect(tabs.filter(({ attempts }, i) => attempts > (before[i] ?? 0))).toEqual([tabs[0]])
  })

  test('asks no server twice for a tab that is alone in the browser', async () => {
    const { clock, hub, settled } = scene()
    await settled(['a'])
    await clock.advance(20_000)
    expect(hub.requests).toHaveLength(1)
  })

  test('goes on from the last id in another tab when the leader is closed, crashes or is suspended', async () => {
    for (const end of ['close', 'crash', 'suspend'] as const) {
      const { clock, hub, settled } = scene()
      const first = await settled(['a'])
      const second = await settled(['a', 'b'])
      const third = await settled(['b'])
      hub.publish('a', 1)
      await clock.advance(100)
      if (end === 'close') first.feed.close()
      else if (end === 'crash') first.tab.crash()
      else first.tab.freeze(true, true)
      hub.publish('a', 2)
      hub.publish('b', 3)
      await clock.until(() => hub.streams.length === 1 && second.data().length === 3 && third.data().length === 1)
      expect([second.data(), third.data()]).toEqual([['1', '2', '3'], ['3']])
      expect([second.role, third.role]).toEqual(['leading', 'following'])
    }
  })

  test('takes the lock from a leader that hangs, which steps down when it wakes up', async () => {
    const { clock, hub, settled } = scene()
    const first = await settled(['a'])
    const second = await settled(['a'])
    first.tab.freeze(false, false)
    hub.publish('a', 1)
    await clock.until(() => second.role === 'leading', 20_000)
    hub.publish('a', 2)
    await clock.advance(5_000)
    first.tab.thaw()
    hub.publish('a', 3)
    await clock.until(() => first.role === 'following', 60_000)
    await clock.advance(1_000)
    expect([first.data(), second.data()]).toEqual([
      ['1', '2', '3'],
      ['1', '2', '3'],
    ])
    expect(hub.streams).toHaveLength(1)
  })

  test('hears nothing more from a leader whose lock was taken', async () => {
    const { browser, clock, settled } = scene()
    const first = await settled(['a'])
    const second = await settled(['a'])
    const stale = browser.join(browser.openTab(), first.key, () => {})
    const event = { type: 'message', data: 'stale', topic: 'a', id: second.lastId }
    stale.post({ kind: 'entry', term: 1, count: 1, id: second.lastId, isOwn: false, event })
    await clock.advance(1_000)
    expect([second.data(), second.role]).toEqual([[], 'following'])
  })

  test('makes good what a frozen tab has lost, when it hears of it', async () => {
    const { clock, hub, settled } = scene()
    await settled(['a'])
    const second = await settled(['a'])
    second.tab.freeze(false, true)
    hub.publish('a', 1)
    await clock.advance(100)
    second.tab.thaw()
    hub.publish('a', 2)
    await clock.advance(1_000)
    expect([second.data(), second.role]).toEqual([['1', '2'], 'following'])
    expect(hub.streams).toHaveLength(1)
  })

  test('asks the server anew when a lost message may have been a value, which moves no id', async () => {
    const { clock, hub, settled } = scene()
    await settled(['a'])
    const second = await settled(['a'])
    const { attempts } = second
    second.tab.freeze(false, true)
    hub.streams[0]?.write('event: message\ntopic: a\ndata: value\n\n')
    await clock.advance(100)
    second.tab.thaw()
    await clock.until(() => second.attempts > attempts, 30_000)
    await clock.until(() => second.role === 'following', 1_000)
    expect(second.events.map(({ type }) => type)).toEqual(['stream:caught-up'])
    expect(hub.streams).toHaveLength(1)
  })

  test('starts a tab where it wants to start, and not where the others are', async () => {
    const { clock, hub, settled } = scene()
    const first = await settled(['a'])
    for (const n of [1, 2, 3]) hub.publish('a', n)
    const second = await settled(['a'], { lastId: hub.idOf(1) })
    await clock.advance(1_000)
    expect([first.data(), second.data(), second.role]).toEqual([['1', '2', '3'], ['2', '3'], 'following'])
  })

  test('lets other tabs go on when one cannot keep up, also when that one leads', async () => {
    const { clock, hub, settled } = scene()
    const first = await settled(['a'])
    const second = await settled(['a'])
    const third = await settled(['a'])
    first.hold()
    third.hold()
    for (const n of [1, 2, 3]) {
      hub.publish('a', n)
      await clock.advance(5_000)
    }
    expect(second.data()).toEqual(['1', '2', '3'])
    first.release()
    third.release()
    await clock.until(() => third.role === 'following' && first.role === 'following', 60_000)
    expect([first.data(), third.data()]).toEqual([
      ['1', '2', '3'],
      ['1', '2', '3'],
    ])
  })

  test('changes the topics of one tab for this tab alone', async () => {
    const { clock, hub, settled } = scene()
    const first = await settled(['a'])
    const second = await settled(['a'])
    for (const done of [second.feed.setTopics(['a', 'b']), first.feed.setTopics(['c'])]) {
      await clock.advance(3_000)
      await done
    }
    for (const topic of ['a', 'b', 'c']) hub.publish(topic, topic)
    await clock.advance(1_000)
    expect([first.data(), second.data()]).toEqual([['c'], ['a', 'b']])
    expect(hub.streams).toHaveLength(1)
  })

  test('tells a refusal of topics to the tab that wants them, and keeps its old ones', async () => {
    const { clock, hub, settled } = scene()
    await settled(['a'])
    const second = await settled(['a'])
    const refused = second.feed.setTopics(['secret.x']).catch((error: unknown) => error)
    await clock.advance(3_000)
    expect(await refused).toMatchObject({ status: 403 })
    hub.publish('a', 1)
    await clock.advance(1_000)
    expect([second.data(), second.feed.diagnostics().topics, second.role]).toEqual([['1'], ['a'], 'following'])
  })

  test('keeps the others connected when one tab starts with topics that are refused', async () => {
    const { clock, hub, open, settled } = scene()
    const first = await settled(['a'])
    hub.faultOf = ({ transport, url }) =>
      transport === 'stream' && url.searchParams.has('topic', 'secret') ? { kind: 'answer', status: 403 } : undefined
    const second = open(['secret'])
    await clock.until(() => second.status?.name === 'failed', 60_000)
    hub.publish('a', 1)
    await clock.advance(1_000)
    expect([first.data(), first.status?.name]).toEqual([['1'], 'open'])
  })

  test('tells a gap to each tab', async () => {
    const { clock, hub, settled } = scene()
    const first = await settled(['a'])
    const second = await settled(['a'])
    hub.epoch = 'e2'
    hub.cutStreams()
    await clock.advance(10_000)
    hub.publish('a', 1)
    await clock.advance(1_000)
    for (const program of [first, second]) {
      expect(program.missed.map(({ reason }) => reason)).toEqual(['epoch_changed'])
      expect(program.data()).toEqual(['1'])
    }
  })

  test('shows the status of the shared connection in each tab', async () => {
    const { clock, hub, settled } = scene()
    await settled(['a'])
    const second = await settled(['a'])
    hub.cutStreams()
    await clock.advance(100)
    expect(second.status).toMatchObject({ name: 'waiting', error: { name: 'ClientError', code: 'network' } })
    await clock.until(() => second.status?.name === 'open')
    expect(second.attempts).toBe(1)
  })

  test('keeps to itself what differs in more than topics', async () => {
    const { hub, settled } = scene()
    await settled(['a'])
    const second = await settled(['a'], { headers: { Authorization: 'Bearer other' } })
    const third = await settled([])
    expect([second.role, third.role, hub.streams.length]).toEqual(['leading', 'leading', 3])
  })

  test('works where topics cannot be changed on the open stream', async () => {
    const { clock, hub, settled } = scene()
    hub.hasTopicChanges = false
    const first = await settled(['a'])
    const second = await settled(['b'])
    hub.publish('a', 1)
    hub.publish('b', 2)
    await clock.advance(1_000)
    expect([first.data(), second.data(), hub.streams.length]).toEqual([['1'], ['2'], 1])
  })

  test('does not take a topic for finished that was, and is asked for anew', async () => {
    const { clock, hub, settled } = scene()
    await settled(['x'])
    const second = await settled(['jobs.1', 'jobs.2'])
    const end = async (topic: string): Promise<void> => {
      for (const one of hub.streams) one.write(`event: stream:end\ndata: {"topic":"${topic}"}\n\n`)
      await clock.advance(100)
    }
    await end('jobs.1')
    await second.feed.setTopics(['jobs.2'])
    const changed = second.feed.setTopics(['jobs.1', 'jobs.2'])
    await clock.advance(10_000)
    await changed
    await end('jobs.2')
    expect([second.role, second.status?.name]).toEqual(['following', 'open'])
    await end('jobs.1')
    expect(second.status?.name).toBe('ended')
  })

  test('leaves nothing behind when it is closed', async () => {
    const { browser, clock, hub, programs, settled } = scene()
    await settled(['a'])
    await settled(['b'])
    for (const program of programs) program.feed.close()
    await clock.advance(1_000)
    expect([browser.lockCount, browser.channelCount, clock.timerCount, hub.streams.length]).toEqual([0, 0, 0, 0])
  })
})

function scene(): Pick<SharingScene, 'browser' | 'clock' | 'hub' | 'programs' | 'open' | 'settled'> {
  const made = new SharingScene()
  return {
    browser: made.browser,
    clock: made.clock,
    hub: made.hub,
    programs: made.programs,
    open: (topics, options) => made.open(topics, options),
    settled: (topics, options) => made.settled(topics, options),
  }
}
