import { createHub, memory } from '@millrace/node'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ConfirmedChange } from './optimistic-state.ts'
import { applyChange, readChange, refusalOf, type Change, type ToDoList } from './to-do.ts'

export const TOPIC = 'to-do'

/** What `GET /list` answers. */
export interface Snapshot {
  readonly list: ToDoList
  readonly version: number
  /** Where a stream goes on from that has everything up to here. */
  readonly lastId: string
}

/** What `POST /changes` answers. */
export type Answer = { readonly version: number } | { readonly refusal: string }

export interface ToDoServer {
  readonly origin: string
  readonly snapshot: Snapshot
  close(): Promise<void>
}

/** Answers that are kept for whoever asks again. */
const MAX_ANSWERS = 10_000
const MAX_BODY_LENGTH = 10_000

/**
 * The list with its rules, before a hub: `GET /list`, `POST /changes` with `{ dedupeKey, change }`, `GET /events`.
 *
 * @param maxKept how many changes the hub keeps: who was away for more of them fetches the list anew
 */
export async function startServer(maxKept: number): Promise<ToDoServer> {
  const hub = createHub({
    backend: memory({ topics: [{ match: '>', retention: { maxCount: maxKept } }] }),
    hotWindowCount: maxKept,
    retryMs: 100,
    heartbeatMs: 500,
  })
  const streams = hub.handler()
  const answers = new Map<string, Answer>()
  let snapshot: Snapshot = { list: [], version: 0, lastId: '' }
  let last: Promise<unknown> = Promise.resolve()

  /** Publishes a change as the next version; only then is it made. */
  const make = async (dedupeKey: string, change: Change): Promise<Answer> => {
    // An answer that was lost: the same one again, although the rules might say something else by now.
    const known = answers.get(dedupeKey)
    if (known) return known
    const list = applyChange(snapshot.list, change)
    let answer: Answer
    if (list === undefined) answer = { refusal: refusalOf(snapshot.list, change) ?? '' }
    else {
      const version = snapshot.version + 1
      const data: ConfirmedChange<Change> = { key: dedupeKey, change, version }
      const { ids } = await hub.publish({ topic: TOPIC, type: 'change', data, dedupeKey })
      snapshot = { list, version, lastId: ids[0] ?? '' }
      answer = { version }
    }
    answers.set(dedupeKey, answer)
    const [oldest = ''] = answers.keys()
    if (answers.size > MAX_ANSWERS) answers.delete(oldest)
    return answer
  }

  /** One after the other: the order of the versions is that of the events. */
  const makeInTurn = (dedupeKey: string, change: Change): Promise<Answer> => {
    const turn = last.then(() => make(dedupeKey, change))
    last = turn.catch(() => undefined)
    return turn
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/events') return streams(request, response)
    if (pathname === '/list') return answerWith(response, 200, snapshot)
    if (pathname !== '/changes' || request.method !== 'POST') return answerWith(response, 404, {})
    const { dedupeKey, change } = readProposal(await readBody(request))
    if (typeof dedupeKey !== 'string' || !change) {
      return answerWith(response, 400, { refusal: 'Give {"dedupeKey","change"}.' })
    }
    const answer = await makeInTurn(dedupeKey, change)
    answerWith(response, 'version' in answer ? 200 : 409, answer)
  }

  for (const [id, what] of [
    ['milk', 'Buy milk'],
    ['bread', 'Bake bread'],
    ['walk', 'Walk the dog'],
  ] as const) {
    await makeInTurn(`first-${id}`, { kind: 'add', id, text: what, after: null })
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => answerWith(response, 503, { refusal: String(error) }))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get snapshot() {
      return snapshot
    },
    async close() {
      await hub.close({ drainMs: 0 })
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

function answerWith(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}

/** Who sends more than any change needs is cut off. */
async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const part of request.setEncoding('utf8')) {
    body += String(part)
    if (body.length > MAX_BODY_LENGTH) break
  }
  return body
}

function readProposal(body: string): { readonly dedupeKey?: unknown; readonly change?: Change | undefined } {
  try {
    const { dedupeKey, change } = JSON.parse(body) as Readonly<Record<string, unknown>>
    return { dedupeKey, change: readChange(change) }
  } catch {
    return {}
  }
}
