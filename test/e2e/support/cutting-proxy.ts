import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** Where to cut: gets every byte of the response so far, and says after how many of them the connection ends. */
export type CutRule = (response: Buffer) => number | undefined

/** How a connection ends: by FIN, as when a proxy gives up, or by RST, as when a host is gone. */
export type CutKind = 'fin' | 'rst'

/** One request for a stream that came through. */
export interface Passage {
  readonly target: string
  readonly headers: ReadonlyMap<string, string>
  readonly startedAtMs: number
  /** What the browser was sent of the response. */
  readonly response: Buffer
  readonly isOpen: boolean
}

/**
 * Stands between a browser and a hub, on bytes alone: passes them on, and ends connections at a chosen byte or when
 * told. It serves the test's page as well, so that page and stream are of one origin; one request a connection.
 */
export interface CuttingProxy {
  readonly origin: string
  /** The requests for streams, in their order. */
  readonly passages: readonly Passage[]
  /** Cuts the next stream connection that no earlier rule waits for. */
  cutNext(rule: CutRule, kind?: CutKind): void
  /** How many rules have not cut yet. */
  readonly pendingCuts: number
  /** Cuts every stream connection now. */
  cutNow(kind?: CutKind): void
  /** Until `release` connections for streams are cut before they are answered. */
  hold(): void
  release(): void
  /** New connections go to this port from now on. */
  retarget(port: number): void
}

export interface CuttingProxyOptions {
  /** The hub's port on 127.0.0.1. */
  readonly port: number
  /** Documents by path; those that end in `.js` are scripts. */
  readonly pages: Readonly<Record<string, string>>
  /** Paths that start so go to the hub. @default '/events' */
  readonly streamPath?: string
}

/** Starts a proxy that is stopped when the test is over. */
export async function startCuttingProxy(options: CuttingProxyOptions): Promise<CuttingProxy> {
  const proxy = new TcpProxy(options)
  await proxy.listen()
  onTestFinished(() => proxy.close())
  return proxy
}

class TcpProxy implements CuttingProxy {
  readonly passages: StreamPassage[] = []
  readonly #server: Server
  readonly #options: CuttingProxyOptions
  readonly #rules: { readonly rule: CutRule; readonly kind: CutKind }[] = []
  readonly #sockets = new Set<Socket>()
  #port: number
  #isHolding = false

  constructor(options: CuttingProxyOptions) {
    this.#options = options
    this.#port = options.port
    // Half-open: a browser that has no more to say still gets its answer.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get pendingCuts(): number {
    return this.#rules.length + this.passages.filter(({ isOpen, hasRule }) => isOpen && hasRule).length
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => {
      this.#server.close(resolve)
    })
  }

  cutNext(rule: CutRule, kind: CutKind = 'fin'): void {
    this.#rules.push({ rule, kind })
  }

  cutNow(kind: CutKind = 'fin'): void {
    for (const passage of this.passages) passage.cut(kind)
  }

  hold(): void {
    this.#isHolding = true
  }

  release(): void {
    this.#isHolding = false
  }

  retarget(port: number): void {
    this.#port = port
  }

  #accept(socket: Socket): void {
    this.#keep(socket)
    let head = Buffer.alloc(0)
    const onData = (bytes: Buffer): void => {
      head = Buffer.concat([head, bytes])
      if (!head.includes('\r\n\r\n')) return
      socket.off('data', onData)
      this.#serve(socket, head)
    }
    socket.on('data', onData)
  }

  #serve(socket: Socket, head: Buffer): void {
    const [requestLine = '', ...lines] = head.toString('latin1').split('\r\n')
    const [, target = ''] = requestLine.split(' ')
    const { pages, streamPath = '/events' } = this.#options
    if (!target.startsWith(streamPath)) {
      socket.end(document(target, pages[target]))
      return
    }
    if (this.#isHolding) {
      socket.resetAndDestroy()
      return
    }
    const upstream = this.#keep(connect({ port: this.#port, host: '127.0.0.1', noDelay: true }))
    upstream.write(head)
    this.passages.push(new StreamPassage(target, headersOf(lines), socket, upstream, this.#rules.shift()))
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    return socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
  }
}

class StreamPassage implements Passage {
  readonly target: string
  readonly headers: ReadonlyMap<string, string>
  readonly startedAtMs: number = performance.now()
  readonly #browser: Socket
  readonly #upstream: Socket
  readonly #cut: { readonly rule: CutRule; readonly kind: CutKind } | undefined
  #received = Buffer.alloc(0)
  #sentBytes = 0
  isOpen = true

  constructor(
    target: string,
    headers: ReadonlyMap<string, string>,
    browser: Socket,
    upstream: Socket,
    cut: { readonly rule: CutRule; readonly kind: CutKind } | undefined,
  ) {
    this.target = target
    this.headers = headers
    this.#browser = browser
    this.#upstream = upstream
    this.#cut = cut
    browser.on('data', (bytes) => upstream.write(bytes)).on('end', () => upstream.end())
    browser.on('close', () => this.#close())
    upstream.on('data', (bytes) => this.#pass(bytes)).on('end', () => browser.end())
    upstream.on('close', () => {
      if (!upstream.readableEnded) browser.destroy()
    })
  }

  get hasRule(): boolean {
    return this.#cut !== undefined
  }

  get response(): Buffer {
    return this.#received.subarray(0, this.#sentBytes)
  }

  cut(kind: CutKind): void {
    if (!this.isOpen) return
    this.#close()
    if (kind === 'rst') this.#browser.resetAndDestroy()
    else this.#browser.end(() => this.#browser.destroy())
  }

  #pass(bytes: Buffer): void {
    if (!this.isOpen) return
    this.#received = Buffer.concat([this.#received, bytes])
    const end = this.#cut?.rule(this.#received)
    const sendTo = Math.max(this.#sentBytes, Math.min(end ?? this.#received.length, this.#received.length))
    const rest = this.#received.subarray(this.#sentBytes, sendTo)
    this.#sentBytes = sendTo
    const isCut = this.#cut && end !== undefined && end <= this.#received.length
    const { kind } = this.#cut ?? { kind: 'fin' }
    if (!isCut) this.#browser.write(rest)
    else if (rest.length === 0) this.cut(kind)
    // After the bytes have left, or a reset would take them along.
    else this.#browser.write(rest, () => this.cut(kind))
  }

  #close(): void {
    this.isOpen = false
    this.#upstream.destroy()
  }
}

function headersOf(lines: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [name = '', ...value] = line.split(':')
    if (name !== '') headers.set(name.toLowerCase(), value.join(':').trim())
  }
  return headers
}

function document(target: string, text: string | undefined): string {
  const body = text ?? ''
  const status = text === undefined ? '404 Not Found' : '200 OK'
  const type = target.endsWith('.js') ? 'text/javascript' : 'text/html'
  const length = Buffer.byteLength(body)
  return `HTTP/1.1 ${status}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`
}
