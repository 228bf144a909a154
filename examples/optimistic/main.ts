/**
 * Three devices change one list at the same time over connections that are cut. Each part says what happens, and ends
 * the program with an error when it does not.
 */
import { cutAt, forward, startFaultServer, wait, type FaultServer } from '@millrace/testing'
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { ToDoClient } from './client.ts'
import { startServer } from './server.ts'
import type { Change, ToDoList } from './to-do.ts'

const MAX_KEPT = 40
const CHANGES_EACH = 60
/** The most that is waited for anything. Milliseconds. */
const PATIENCE_MS = 20_000

const server = await startServer(MAX_KEPT)
const isScripted = ({ method, url }: { method: string; url: URL }): boolean =>
  method === 'POST' || url.pathname === '/events'
/** Streams that are asked for wait for this. */
let gate: Promise<void> = Promise.resolve()
const startProxy = (): Promise<FaultServer> =>
  startFaultServer({
    upstream: server.origin,
    isStream: isScripted,
    otherwise: [(answer) => (answer.request.method === 'GET' ? wait(gate)(answer) : undefined), forward()],
  })
const proxies = [await startProxy(), await startProxy(), await startProxy()] as const
const clients = [
  await ToDoClient.open('laptop', proxies[0].origin),
  await ToDoClient.open('phone', proxies[1].origin),
  await ToDoClient.open('tablet', proxies[2].origin),
] as const
const [laptop, phone, tablet] = clients

try {
  await until('all streams are open', () => clients.every(({ isLive }) => isLive))
  await confirmed()
  await rolledBack()
  await lostAnswer()
  await storm()
  await awayForTooLong()
  console.log('All devices and the server show the same list, in the same order.')
} finally {
  for (const client of clients) client.close()
  for (const proxy of proxies) await proxy.close()
  await server.close()
}

async function confirmed(): Promise<void> {
  laptop.change({ kind: 'add', id: 'tea', text: 'Drink tea', after: 'milk' })
  phone.change({ kind: 'add', id: 'coffee', text: 'Drink coffee', after: 'milk' })
  // Nobody has answered yet.
  equal(idsOf(laptop.list), 'walk bread milk tea')
  equal(idsOf(phone.list), 'walk bread milk coffee')
  await agreed()
  match(idsOf(tablet.list), /^walk bread milk (tea coffee|coffee tea)$/)
  console.log('Two devices added to the same place: both saw theirs at once, then all the same order.')
}

async function rolledBack(): Promise<void> {
  // So that it cannot know.
  proxies[2].goOffline()
  phone.change({ kind: 'finish', id: 'bread' })
  await until('the phone is done with bread', () => server.snapshot.list.some(({ isDone }) => isDone))
  tablet.change({ kind: 'rename', id: 'bread', text: 'Bake two breads' })
  tablet.change({ kind: 'move', id: 'bread', after: null })
  ok(tablet.list.some(({ text }) => text === 'Bake two breads'))
  equal(tablet.list[0]?.id, 'bread')
  proxies[2].goOnline()
  await agreed()
  deepEqual(tablet.rollbacks, [
    {
      change: { kind: 'rename', id: 'bread', text: 'Bake two breads' },
      why: 'bread is done: it keeps its name.',
    },
  ])
  deepEqual(tablet.list[0], { id: 'bread', text: 'Bake bread', isDone: true })
  console.log('A name for what was done already was shown, refused, and rolled back; the move after it was kept.')
}

async function lostAnswer(): Promise<void> {
  const { version } = server.snapshot
  const [proxy] = proxies
  // The stream is away, or it would tell the laptop what the answer cannot.
  const { promise, resolve: openGate } = Promise.withResolvers<void>()
  gate = promise
  const before = proxy.requests.length
  proxy.cutAll()
  await proxy.until('the stream again', ({ length }) => length > before, PATIENCE_MS)
  proxy.play([cutAt(1, 'rst'), forward()])
  laptop.change({ kind: 'add', id: 'stamps', text: 'Buy stamps', after: null })
  await proxy.until('the change again', ({ length }) => length > before + 2, PATIENCE_MS)
  const [first, second] = proxy.requests.slice(before + 1)
  equal(first?.sent.length, 1)
  deepEqual(second?.body, first?.body)
  openGate()
  await agreed()
  equal(server.snapshot.version, version + 1)
  equal(
    idsOf(server.snapshot.list)
      .split(' ')
      .filter((id) => id === 'stamps').length,
    1,
  )
  deepEqual(laptop.rollbacks, [])
  console.log('An answer was lost: the change was sent again, and made once.')
}

async function storm(): Promise<void> {
  const chance = seeded(20_261_125)
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(chance() * list.length)]
  const { version } = server.snapshot
  const refusedBefore = sum((client) => client.rollbacks.length)
  for (let i = 0; i < CHANGES_EACH; i++) {
    for (const client of clients) client.change(anyChange(client.list, `${client.name}-${i}`, chance, pick))
    const proxy = pick(proxies)
    if (i % 6 === 0) proxy?.cutAll(chance() < 0.5 ? 'fin' : 'rst')
    if (i % 10 === 5) proxy?.play([cutAt(Math.floor(chance() * 700), 'rst'), forward()])
    await setTimeout(5)
  }
  await agreed()
  const made = server.snapshot.version - version
  const refused = sum((client) => client.rollbacks.length) - refusedBefore
  equal(made + refused, CHANGES_EACH * clients.length)
  ok(made > CHANGES_EACH)
  console.log(`${made} changes were made and ${refused} rolled back, over ${streamCount()} streams.`)
}

async function awayForTooLong(): Promise<void> {
  const syncs = tablet.syncCount
  proxies[2].goOffline()
  tablet.change({ kind: 'add', id: 'tent', text: 'Pitch the tent', after: null })
  for (let i = 0; i < MAX_KEPT * 2; i++) {
    laptop.change({ kind: 'add', id: 'x', text: `Number ${i}`, after: null })
    laptop.change({ kind: 'remove', id: 'x' })
    if (i % 8 === 7) await until('the laptop is done', () => laptop.pendingCount === 0)
  }
  equal(tablet.list[0]?.id, 'tent')
  ok(!server.snapshot.list.some(({ id }) => id === 'tent'))
  proxies[2].goOnline()
  await agreed()
  ok(tablet.syncCount > syncs, 'The list was not fetched anew.')
  ok(server.snapshot.list.some(({ id }) => id === 'tent'))
  console.log('The tablet was away for more than is kept: it fetched the list anew, and its own change was kept.')
}

/** Waits until nobody waits for anything, and compares what everybody has. */
async function agreed(): Promise<void> {
  await until('all devices have everything', () =>
    clients.every(({ pendingCount, version }) => pendingCount === 0 && version === server.snapshot.version),
  )
  for (const { list } of clients) deepEqual(list, server.snapshot.list)
}

function anyChange(
  list: ToDoList,
  newId: string,
  chance: () => number,
  pick: <T>(list: readonly T[]) => T | undefined,
): Change {
  const id = pick(list)?.id ?? 'nothing'
  const after = chance() < 0.2 ? null : (pick(list)?.id ?? null)
  const kind = chance()
  if (kind < 0.3) return { kind: 'add', id: newId, text: newId, after }
  if (kind < 0.5) return { kind: 'rename', id, text: `${id} by ${newId}` }
  if (kind < 0.8) return after === id ? { kind: 'move', id, after: null } : { kind: 'move', id, after }
  return kind < 0.9 ? { kind: 'finish', id } : { kind: 'remove', id }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`Not within ${PATIENCE_MS} ms: ${what}.`)
    await setTimeout(10)
  }
}

function idsOf(list: ToDoList): string {
  return list.map(({ id }) => id).join(' ')
}

function sum(count: (client: ToDoClient) => number): number {
  return clients.map(count).reduce((total, one) => total + one, 0)
}

function streamCount(): number {
  return proxies.flatMap(({ requests }) => requests).filter(({ method }) => method === 'GET').length
}

/** Chance that is the same each time: a small generator after Marsaglia. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
