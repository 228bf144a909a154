import { onTestFinished } from 'vitest'
import { bundlePage } from './bundle-page.ts'
import { startHubProcess, type HubProcess } from './hub-process.ts'
import { serveOneOrigin } from './one-origin.ts'

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

export async function setUpSharing(): Promise<SharingStage> {
  const hub = await startHubProcess()
  onTestFinished(() => hub.stop())
  const pages = { '/': await bundlePage('share-page.ts', ''), '/native': NATIVE, '/away': '<title>Away</title>' }
  const origin = await serveOneOrigin(pages, hub.port)
  const published: Published[] = []
  const publish = async (topics: readonly string[]): Promise<void> => {
    for (const topic of topics) published.push(await publishNext(hub, topic, published.length + 1))
  }
  return {
    origin,
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
    async connectionCount() {
      const response = await fetch(new URL('/admin/connections', hub.url))
      const { connections } = (await response.json()) as { connections: unknown[] }
      return connections.length
    },
  }
}

/** The address of the page for some topics. */
export function sharingUrl({ origin }: SharingStage, topics: readonly string[]): string {
  return `${origin}/?${topics.map((topic) => `topic=${topic}`).join('&')}`
}

export async function roleOf(tab: Tab): Promise<string> {
  return String(await tab.evaluate('stream.diagnostics().sharing'))
}

/** Waits until one of the tabs has the connection, and the others follow. */
export async function sharing(stage: SharingStage, tabs: readonly Tab[]): Promise<void> {
  const expected = tabs.map((_, i) => (i < tabs.length - 1 ? 'following' : 'leading')).join()
  await until('one connection for all', async () => {
    const roles = await Promise.all(tabs.map(roleOf))
    return roles.toSorted().join() === expected && (await stage.connectionCount()) === 1
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
  isAsked: (topic: string) => boolean,
): Promise<{ readonly owed: readonly Published[]; readonly had: unknown }> {
  const owed = stage.published.filter(({ topic }) => isAsked(topic))
  const last = owed.at(-1)?.n
  await until('the last event', async () => (await tab.evaluate('seen.at(-1)?.n')) === last)
  return { owed, had: await tab.evaluate('seen') }
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

async function publishNext(hub: HubProcess, topic: string, n: number): Promise<Published> {
  const response = await fetch(new URL('/events', hub.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topic, data: n }),
  })
  if (!response.ok) throw new Error(`Publishing was answered with ${response.status}: ${await response.text()}`)
  await response.arrayBuffer()
  return { topic, n }
}
