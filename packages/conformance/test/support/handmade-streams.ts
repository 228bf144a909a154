import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http'
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { ServedStreams, Wire } from '../../src/index.ts'

/** What can be wrong with a handler. */
export interface StreamFaults {
  /** Sent instead of the headers of a stream; undefined leaves a header out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly retryMs?: number
  readonly keepsHeadBack?: boolean
  readonly keepsLastEventBack?: 'always' | 'from who takes gzip'
  readonly answersHeadWithBody?: boolean
  readonly sendsTwice?: boolean
  readonly servesNewestOnly?: boolean
  readonly losesWhatIsPublishedTogether?: boolean
  readonly leavesLinesUnsplit?: boolean
  readonly replays?: boolean
  readonly dropsWhenFull?: boolean
  readonly waitsForTheSlowest?: boolean
  readonly end?: 'destroys' | 'keeps the connection' | 'ends the HTTP/2 connection'
  readonly writesAfterEnd?: boolean
  readonly neverForgets?: boolean
  readonly forgetsOnlyCompleteRequests?: boolean
  readonly forgetsNeighbours?: boolean
  readonly comesLate?: boolean
  readonly countsConnections?: boolean
  readonly writesToAnySocket?: boolean
  readonly writesUnframed?: boolean
}

interface Stream {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  held: string
}

const STREAM_HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-store, no-transform',
  'X-Accel-Buffering': 'no',
  Vary: 'Accept, Origin',
}

/** Serves streams by hand, with `response.write`: soundly, apart from the faults. */
export async function serveByHand(wire: Wire, faults: StreamFaults): Promise<ServedStreams> {
  const streams = new HandmadeStreams(faults)
  const server: Server | Http2Server = wire === 'http/2' ? createHttp2Server() : createServer()
  const http2Sessions = new Set<ServerHttp2Session>()
  server.on('session', (session: ServerHttp2Session) => http2Sessions.add(session))
  server.on('connection', () => streams.connectionCount++)
  // The compatibility API of HTTP/2 has all that is used here.
  server.on('request', (request: IncomingMessage, response: ServerResponse) => streams.answer(request, response))
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = 600_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    path: '/events',
    otherPath: '/other',
    publish: (data) => streams.publish(data),
    endStreams: () => streams.endAll(),
    openCount: () => streams.openCount,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      if ('closeAllConnections' in server) server.closeAllConnections()
      for (const session of http2Sessions) session.destroy()
      await closed
    },
  }
}

class HandmadeStreams {
  connectionCount = 0
  readonly #faults: StreamFaults
  readonly #streams = new Set<Stream>()
  readonly #past: string[] = []
  readonly #ended: Stream[] = []
  #publishedInTurnCount = 0
  #openedCount = 0

  constructor(faults: StreamFaults) {
    this.#faults = faults
  }

  get openCount(): number {
    return this.#faults.countsConnections ? this.connectionCount : this.#streams.size
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url !== '/events') this.#answerOther(request, response)
    else if (this.#faults.comesLate) setTimeout(() => this.#open(request, response), 20)
    else this.#open(request, response)
  }

  publish(data: string): void {
    this.#past.push(data)
    if (this.#publishedInTurnCount++ === 0) setImmediate(() => (this.#publishedInTurnCount = 0))
    if (this.#faults.losesWhatIsPublishedTogether && this.#publishedInTurnCount > 500) return
    const isAnyoneFull = [...this.#streams].some(({ response }) => response.writableNeedDrain)
    if (this.#faults.waitsForTheSlowest && isAnyoneFull) return
    for (const stream of this.#faults.servesNewestOnly ? [...this.#streams].slice(-1) : this.#streams)
      this.#send(stream, data)
    if (this.#faults.writesAfterEnd) for (const { request } of this.#ended) request.socket.write('data: stray\n\n')
  }

  endAll(): void {
    for (const stream of this.#streams) this.#end(stream)
  }

  #answerOther({ socket }: IncomingMessage, response: ServerResponse): void {
    response.setHeader('Content-Length', 5)
    if (this.#faults.writesToAnySocket) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother')
    else response.end('other')
  }

  #open(request: IncomingMessage, response: ServerResponse): void {
    const stream: Stream = { request, response, held: '' }
    if (request.method === 'HEAD') {
      response.writeHead(200, this.#headersFor(request)).end()
      if (this.#faults.answersHeadWithBody) request.socket.write(': hello\n\n')
      return
    }
    this.#streams.add(stream)
    this.#watch(stream)
    response.writeHead(200, this.#headersFor(request))
    const retryMs = this.#faults.retryMs ?? 1_500 + ((this.#openedCount++ * 1_103) % 3_000)
    const start = `: hello\n\nretry: ${retryMs}\n\n`
    if (this.#faults.keepsHeadBack) stream.held = start
    else this.#write(stream, start)
    if (this.#faults.replays) for (const data of this.#past) this.#send(stream, data)
  }

  #headersFor({ httpVersion, headers }: IncomingMessage): OutgoingHttpHeaders {
    const connection = headers.connection === 'close' ? 'close' : 'keep-alive'
    const all = {
      ...STREAM_HEADERS,
      ...(httpVersion === '1.1' ? { Connection: connection } : {}),
      ...this.#faults.headers,
    }
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  }

  #watch(stream: Stream): void {
    if (this.#faults.neverForgets) return
    const forget = (): void => {
      this.#streams.delete(stream)
      if (this.#faults.forgetsNeighbours) this.#streams.clear()
    }
    if (this.#faults.forgetsOnlyCompleteRequests) {
      stream.response.on('finish', forget)
      return
    }
    stream.response.on('close', forget)
    if (stream.request.httpVersionMajor === 1) stream.request.socket.setMaxListeners(0).on('close', forget)
  }

  #send(stream: Stream, data: string): void {
    const lines = this.#faults.leavesLinesUnsplit ? [data] : data.split('\n')
    const block = `${lines.map((line) => `data: ${line}\n`).join('')}\n`
    const takesGzip = stream.request.headers['accept-encoding']?.includes('gzip')
    const keepsBack = this.#faults.keepsLastEventBack
    const text = stream.held + (this.#faults.sendsTwice ? block + block : block)
    stream.held = ''
    if (keepsBack === 'always' || (keepsBack && takesGzip)) stream.held = text
    else if (!this.#faults.dropsWhenFull || !stream.response.writableNeedDrain) this.#write(stream, text)
  }

  #write({ request, response }: Stream, text: string): void {
    if (this.#faults.writesUnframed && response.headersSent) request.socket.write(text)
    else if (this.#faults.writesToAnySocket && response.socket === null) {
      request.socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
    } else response.write(text)
  }

  #end(stream: Stream): void {
    const { request, response } = stream
    const { end } = this.#faults
    this.#streams.delete(stream)
    this.#ended.push(stream)
    if (end === 'destroys') {
      request.socket.destroy()
      return
    }
    if (end === 'ends the HTTP/2 connection') {
      const { session } = (response as unknown as Http2ServerResponse).stream
      setImmediate(() => session?.destroy())
    }
    if (end !== 'keeps the connection' && request.httpVersionMajor === 1) {
      response.on('finish', () => request.socket.destroySoon())
    }
    response.end()
  }
}
