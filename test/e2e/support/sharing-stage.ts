import { expect, onTestFinished } from 'vitest'
import type { BrowserPage, TestBrowser } from './browser.ts'
import { bundlePage } from './bundle-page.ts'
import { startHubProcess } from './hub-process.ts'
import { serveOneOrigin, type OneOrigin } from './one-origin.ts'
import { startTestHub } from './test-hub.ts'

/** The part of a tab that is needed here, whoever drives it. */
export interface Tab {
  evaluate(expression: string): Promise<unknown>
}

/** Native streams, as many as there are tabs. */
const NATIVE = `<!doctype html><link rel="icon" href="data:,"><title>Test</title><script>
  var seen = [], source = new EventSource('/events?topic=a')
  source.onmessage = ({ data }) => seen.push(Number(data))
</script>`

/** A hub, a page that shares, and a publisher that numbers its events. */
export interface SharingStage {
  readonly origin: string
  /** Where pages and hub are served together. */
  readonly front: OneOrigin
  /** What was published, in order. */
  readonly published: readonly Published[]
  publish(topics: readonly string[]): Promise<void>
  /** Publishes by and by until `act` is done, and some more. */
  publishDuring(topics: readonly string[], act: () => Promise<void>): Promise<void>
  /** How many streams the hub says it has. */
  connectionCount(): Promise<number>
}

export interface Published {
  readonly topic: string
  readonly n: number
}

const WITHIN_MS = 60_000
/**
 * How long there may be more than one connection: a tab that is behind a new leader catches up by a short one, as soon as it hears of
 * the leader.
 */
export const SOON = { timeout: WITHIN_MS } as const

/** As many tabs as a browser has connections to one host over HTTP/1.1, and one more. */
export const SEVEN = 7
/** What is published to, and what tabs ask for of it. */
export const TOPICS: readonly string[] = ['a', 'b.x', 'b.y', 'c']
export const ASKED: readonly (readonly string[])[] = [['a'], ['a', 'b.x'], ['b.*'], ['b.*', 'c']]

/** A hub as a process of its own, open to everybody. */
export async function setUpSharing(): Promise<SharingStage> {
  const hub = await startHubProcess()
  onTestFinished(() => hub.stop())
  return stageOf({
    port: hub.port,
    pages: {},
    publish: (topic, n) => publishTo(hub.url, topic, n),
    async connectionCount() {
      const response = await fetch(new URL('/admin/connections', hub.url))
      const { connections } = (await response.json()) as { connections: unknown[] }
      return connections.length
    },
  })
}

export interface GuardedStage extends SharingStage {
  /** From now on this is the only token, and what `/token` answers. Connections that are open are cut. */
  renewToken(token: string): void
}

/** A hub that wants a token, which pages have from `/token`. */
export async function setUpGuardedSharing(firstToken: string): Promise<GuardedStage> {
  const pages: Record<string, string> = { '/token': firstToken }
  const hub = await startTestHub({
    authorize: ({ headers }) =>
      headers.authorization === `Bearer ${pages['/token']}` ? { subscribe: ['>'] } : { status: 401 },
  })
  const stage = await stageOf({
    port: hub.port,
    pages,
    publish: async (topic, n) => void (await hub.hub.publish({ topic, data: n })),
    connectionCount: async () => hub.hub.stats().subscribers,
  })
  return {
    ...stage,
    renewToken(token) {
      pages['/token'] = token
      stage.front.cutAll()
    },
  }
}

interface StageHub extends Pick<SharingStage, 'connectionCount'> {
  readonly port: number
  /** Beside those of each stage. What is changed here is served so. */
  readonly pages: Record<string, string>
  publish(topic: string, n: number): Promise<void>
}

async function stageOf({ port, pages, publish: publishOne, connectionCount }: StageHub): Promise<SharingStage> {
  pages['/'] = await bundlePage('share-page.ts', '')
  pages['/native'] = NATIVE
  pages['/away'] = '<title>Away</title>'
  const front = await serveOneOrigin(pages, port)
  const published: Published[] = []
  const publish = async (topics: readonly string[]): Promise<void> => {
    for (const topic of topics) {
      const n = published.length + 1
      await publishOne(topic, n)
      published.push({ topic, n })
    }
  }
  return {
    origin: front.origin,
    front,
    published,
    publish,
    async publishDuring(topics, act) {
      let isDone = false
      const done = act().finally(() => (isDone = true))
      // It is looked at when enough was published.
      done.catch(() => undefined)
      for (let rest = 20; rest > 0; rest -= isDone ? 1 : 0) {
        await publish(topics)
        await pause(10)
      }
      await done
    },
    connectionCount,
  }
}

/** The address of the page for some topics. @param options what `share-page.ts` reads beside them */
export function sharingUrl({ origin }: SharingStage, topics: readonly string[], options = ''): string {
  return `${origin}/?${topics.map((topic) => `topic=${topic}`).join('&')}&${options}`
}

export async function roleOf(tab: Tab): Promise<string> {
  return String(await tab.evaluate('stream.diagnostics().sharing'))
}

/** Waits until one of the tabs has the connection, and the others follow. @param streams how many the hub has then: none when it is polled */
export async function sharing(stage: SharingStage, tabs: readonly Tab[], streams = 1): Promise<void> {
  const expected = tabs.map((_, i) => (i < tabs.length - 1 ? 'following' : 'leading')).join()
  await until('one connection for all', async () => {
    const roles = await Promise.all(tabs.map(roleOf))
    return roles.toSorted().join() === expected && (await stage.connectionCount()) === streams
  })
}

export async function leaderOf<T extends Tab>(tabs: readonly T[]): Promise<T> {
  for (const tab of tabs) if ((await roleOf(tab)) === 'leading') return tab
  throw new Error('No tab leads')
}

/** What the tab was owed of its topics, and what it has had, once the last of it has come. */
export async function outcomeOf(
  stage: SharingStage,
  tab: Tab,
  topics: readonly string[],
): Promise<{ readonly owed: readonly Published[]; readonly had: unknown }> {
  const owed = stage.published.filter(({ topic }) => isAsked(topic, topics))
  const last = owed.at(-1)?.n
  await until('the last event', async () => (await tab.evaluate('seen.at(-1)?.n')) === last)
  return { owed, had: await tab.evaluate('seen') }
}

/** Each tab has had what it was owed, once and in order. */
export async function expectAllOf(stage: SharingStage, tabs: ReadonlyMap<Tab, readonly string[]>): Promise<void> {
  for (const [tab, topics] of tabs) {
    const { owed, had } = await outcomeOf(stage, tab, topics)
    expect(had).toEqual(owed)
  }
}

export interface TabsToOpen {
  /** @default one for each of {@link ASKED} */
  readonly count?: number
  /** Of the page, as in its query. @default none */
  readonly options?: string
  /** How many streams the hub has then. @default 1 */
  readonly streams?: number
}

/** Opens tabs of one window, each with topics of its own, one of which has the connection. */
export async function openTabs(
  browser: TestBrowser,
  stage: SharingStage,
  { count = ASKED.length, options, streams }: TabsToOpen = {},
): Promise<Map<BrowserPage, readonly string[]>> {
  const tabs = new Map<BrowserPage, readonly string[]>()
  let first: BrowserPage | undefined
  for (let i = 0; i < count; i++) {
    const topics = ASKED[i % ASKED.length] ?? []
    const url = sharingUrl(stage, topics, options)
    const tab = await (first?.openTab(url) ?? browser.open(url))
    first ??= tab
    tabs.set(tab, topics)
  }
  onTestFinished(() => first?.close())
  await sharing(stage, [...tabs.keys()], streams)
  return tabs
}

function isAsked(topic: string, topics: readonly string[]): boolean {
  return topics.includes(topic) || (topic.startsWith('b.') && topics.includes('b.*'))
}

export async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + WITHIN_MS
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`Waited ${WITHIN_MS} ms for ${what}`)
    await pause(50)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

async function publishTo(hubUrl: string, topic: string, data: number): Promise<void> {
  const response = await fetch(new URL('/events', hubUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topic, data }),
  })
  if (!response.ok) throw new Error(`Publishing was answered with ${response.status}: ${await response.text()}`)
  await response.arrayBuffer()
}
