import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { ExpectationError, TestingError } from '../testing-error.ts'
import type { Script } from './answer.ts'
import type { CutKind } from './cut-rule.ts'
import { readRequest } from './read-request.ts'
import { describeRequest, type RecordedRequest } from './recorded-request.ts'
import { SocketAnswer, type RequestFacts } from './socket-answer.ts'
import { forward, reply } from './steps.ts'

const MAX_REQUESTS = 10_000

export interface FaultServerOptions {
  /** What the first requests are answered with, one script each; {@link FaultServer.play} adds more. @default none */
  readonly scripts?: readonly Script[] | undefined
  /** What requests are answered with when no script is left. @default `[forward()]` with an upstream, else a 500 that says so */
  readonly otherwise?: Script | undefined
  /**
   * The server to stand in front of, by its origin: `http://127.0.0.1:3000`. Requests that are no streams then pass
   * untouched, so that a page loads as ever. @default none: there is only the script
   */
  readonly upstream?: string | URL | undefined
  /**
   * Which requests the scripts are for. The others are forwarded, or get 404 where there is no upstream.
   *
   * @default with an upstream or pages those whose `Accept` names `text/event-stream`, as each `EventSource` sends it; else all
   */
  readonly isStream?:
    | ((request: {
        readonly method: string
        readonly url: URL
        readonly headers: ReadonlyMap<string, string>
      }) => boolean)
    | undefined
  /** HTML documents by path, for tests in browsers: page and stream are then of one origin. @default none */
  readonly pages?: Readonly<Record<string, string>> | undefined
  /** 0 takes a free one. @default 0 */
  readonly port?: number | undefined
}

/**
 * A server on 127.0.0.1 whose answers follow scripts, one for each connection, and that remembers what it was asked. With an
 * upstream it is a proxy: the faults happen on the way.
 *
 * Order: scripts are taken in the order in which the requests for streams come.
 * Limits: a request whose body is above 16 MiB is cut; after 10,000 requests for streams all others are cut and `close()`
 * says so, since then a client comes back without a pause.
 * Ending: `close()` cuts what is open and may be called twice.
 */
export interface FaultServer {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  /** The requests for streams, in their order. */
  readonly requests: readonly RecordedRequest[]
  /** How many scripts no request has taken yet. */
  readonly scriptsLeft: number
  /** How many streams are open: something of the answer was sent, and it is not over. */
  readonly openCount: number
  /** Adds scripts for the next requests, one each, after those that are there already. */
  play(...scripts: readonly Script[]): void
  /** Cuts every stream that is not over, those included that wait for their answer. */
  cutAll(kind?: CutKind): void
  /** Cuts every connection, and each new one before it is heard, until `goOnline`. Such requests take no script. */
  goOffline(kind?: CutKind): void
  goOnline(): void
  /** Forwards new requests to another upstream, as after a deploy. */
  retarget(upstream: string | URL): void
  /**
   * Waits until the requests fit a condition; it is asked whenever one comes, is sent something, or ends.
   *
   * @param what for the message: `the second request`
   * @param withinMs milliseconds
   * @default withinMs 5000
   * @throws ExpectationError when they do not fit in time
   */
  until(what: string, condition: (requests: readonly RecordedRequest[]) => boolean, withinMs?: number): Promise<void>
  /** @throws whatever a step of a script threw first */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts a {@link FaultServer}. Whoever starts it closes it. @throws TestingError `invalid_option` */
export async function startFaultServer(options: FaultServerOptions = {}): Promise<FaultServer> {
  const server = new ScriptedServer(options)
  await server.listen(options.port ?? 0)
  return server
}

class ScriptedServer implements FaultServer {
  readonly #server: Server
  readonly #options: FaultServerOptions
  readonly #answers: SocketAnswer[] = []
  readonly #scripts: Script[]
  readonly #sockets = new Set<Socket>()
  readonly #watchers = new Set<() => void>()
  /** Known when it listens; it stays when the server is closed. */
  origin = ''
  #upstream: URL | undefined
  #isOnline = true
  #failure: { readonly error: unknown } | undefined

  constructor(options: FaultServerOptions) {
    this.#options = options
    this.#scripts = [...(options.scripts ?? [])]
    this.#upstream = options.upstream === undefined ? undefined : parseUpstream(options.upstream)
    this.#server = createServer({ requestTimeout: 0 }, (request) => void this.#serve(request))
    this.#server.on('connection', (socket) => this.#accept(socket))
  }

  get requests(): readonly RecordedRequest[] {
    return this.#answers.map(({ request }) => request)
  }

  get scriptsLeft(): number {
    return this.#scripts.length
  }

  get openCount(): number {
    return this.#answers.filter(({ isOpen, hasBegun }) => isOpen && hasBegun).length
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject).listen(port, '127.0.0.1', () => {
        this.origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
        resolve()
      })
    })
  }

  play(...scripts: readonly Script[]): void {
    this.#scripts.push(...scripts)
  }

  cutAll(kind: CutKind = 'fin'): void {
    for (const answer of this.#answers) answer.cut(kind)
  }

  goOffline(kind: CutKind = 'rst'): void {
    this.#isOnline = false
    this.cutAll(kind)
    for (const socket of this.#sockets) if (!socket.writableEnded) socket.resetAndDestroy()
  }

  goOnline(): void {
    this.#isOnline = true
  }

  retarget(upstream: string | URL): void {
    this.#upstream = parseUpstream(upstream)
  }

  async until(
    what: string,
    condition: (requests: readonly RecordedRequest[]) => boolean,
    withinMs = 5_000,
  ): Promise<void> {
    if (condition(this.requests)) return
    await new Promise<void>((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        finish()
      }
      const look = (): void => {
        if (condition(this.requests)) settle(resolve)
      }
      const timer = setTimeout(() => settle(() => reject(notIn(withinMs, what, this.requests))), withinMs)
      this.#watchers.add(look)
    })
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => {
      this.#server.close(resolve)
    })
    for (const socket of this.#sockets) socket.destroy()
    await closed
    const failure = this.#failure
    this.#failure = undefined
    if (failure) throw failure.error
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(socket: Socket): void {
    if (!this.#isOnline) {
      socket.resetAndDestroy()
      return
    }
    this.#sockets.add(socket)
    // A connection may break at any time: that is what this server is for.
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
  }

  async #serve(request: IncomingMessage): Promise<void> {
    const facts = await readRequest(request, this.origin).catch(() => undefined)
    if (facts === undefined || request.socket.destroyed) {
      request.socket.destroy()
      return
    }
    const page = facts.method === 'GET' ? this.#options.pages?.[facts.url.pathname] : undefined
    if (page !== undefined) await this.#answer(facts, request.socket, [document(page)])
    else if (!this.#isStream(facts))
      await this.#answer(facts, request.socket, [this.#upstream ? forward() : reply(404)])
    else await this.#play({ ...facts, number: this.#answers.length + 1 }, request.socket)
  }

  #isStream(facts: RequestFacts): boolean {
    const { isStream, pages } = this.#options
    if (isStream) return isStream(facts)
    const isScriptAlone = this.#upstream === undefined && pages === undefined
    return isScriptAlone || (facts.headers.get('accept') ?? '').includes('text/event-stream')
  }

  async #play(facts: RequestFacts, socket: Socket): Promise<void> {
    const isTooMany = facts.number > MAX_REQUESTS
    if (isTooMany) {
      this.#failure ??= { error: tooMany() }
      socket.destroy()
      return
    }
    const script = this.#scripts.shift() ?? this.#options.otherwise ?? this.#defaultScript(facts.number)
    const answer = new SocketAnswer(facts, socket, this.#upstream, () => this.#tell())
    this.#answers.push(answer)
    this.#tell()
    await this.#run(script, answer)
  }

  #answer(facts: RequestFacts, socket: Socket, script: Script): Promise<void> {
    return this.#run(script, new SocketAnswer(facts, socket, this.#upstream, () => {}))
  }

  async #run(script: Script, answer: SocketAnswer): Promise<void> {
    try {
      for (const step of script) {
        if (!answer.isOpen) return
        await step(answer)
      }
      await answer.end()
    } catch (error) {
      this.#failure ??= { error }
      answer.cut('rst')
    }
  }

  #defaultScript(number: number): Script {
    if (this.#upstream) return [forward()]
    return [
      reply(500, { body: `The fault server has no script for request ${number}: play one more, or say otherwise.\n` }),
    ]
  }

  #tell(): void {
    for (const look of [...this.#watchers]) look()
  }
}

function document(html: string): ReturnType<typeof reply> {
  return reply(200, { headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: html })
}

function parseUpstream(upstream: string | URL): URL {
  const url = URL.parse(String(upstream))
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new TestingError(
    'invalid_option',
    `The upstream is ${String(upstream)}: give an origin such as http://127.0.0.1:3000.`,
  )
}

function notIn(withinMs: number, what: string, requests: readonly RecordedRequest[]): ExpectationError {
  const lines = requests.slice(-20).map((request) => `  ${describeRequest(request)}`)
  const seen =
    lines.length === 0 ? 'There was no request.' : `The requests, ${requests.length} in all:\n${lines.join('\n')}`
  return new ExpectationError(`${what} did not come within ${withinMs} ms. ${seen}`, {
    actual: requests.length,
    expected: what,
  })
}

function tooMany(): TestingError {
  return new TestingError(
    'too_many_requests',
    `More than ${MAX_REQUESTS} requests for streams came: the client comes back without a pause. Those beyond were cut.`,
  )
}
