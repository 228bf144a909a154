import { Agent, request, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { onTestFinished } from 'vitest'

/** One block of a stream as it stood on the wire. What it did not have is undefined. */
export interface Block {
  readonly comment?: string
  readonly retryMs?: number
  readonly id?: string
  readonly event?: string
  readonly topic?: string
  readonly data?: string
}

export interface OpenOptions {
  readonly headers?: OutgoingHttpHeaders
  /** How long `next` waits for a block, and `until` for the one it looks for. Milliseconds. @default 5000 */
  readonly patienceMs?: number
}

const FIELDS = ['id', 'event', 'topic', 'data']

/** Opens a stream over node:http and closes it when the test is over. */
export async function openStream(url: string, options: OpenOptions = {}): Promise<StreamReader> {
  // One connection for each stream, kept alive: as a browser asks for it.
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(url, { agent, headers: { Accept: 'text/event-stream', ...options.headers } }, resolve)
    outgoing.once('error', reject)
    outgoing.end()
  })
  const reader = new StreamReader(response, options.patienceMs ?? 5_000)
  onTestFinished(() => reader.close())
  return reader
}

/**
 * Reads a stream block by block, and is strict about it: what the hub may write is a subset of what the standard lets
 * clients read, and a line outside of it fails the test.
 */
export class StreamReader {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Every block so far, read by the test or not. */
  readonly all: Block[] = []
  readonly #response: IncomingMessage
  readonly #patienceMs: number
  #taken = 0
  #text = ''
  #isEnded = false
  #fault: unknown
  #wake: (() => void) | undefined

  constructor(response: IncomingMessage, patienceMs: number) {
    this.#response = response
    this.#patienceMs = patienceMs
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    response.on('data', (bytes: Buffer) => this.#take(() => this.#read(decoder.decode(bytes, { stream: true }))))
    response.on('close', () => this.#take(() => (this.#isEnded = true)))
    response.on('error', () => undefined)
  }

  /** Ids of the events (not the control events) so far. */
  get ids(): (string | undefined)[] {
    return this.events.map(({ id }) => id)
  }

  /** The published events so far, control events left out. */
  get events(): Block[] {
    return this.all.filter(isPublished)
  }

  /** Whether the response came to its proper end: the last chunk, and not merely the end of the connection. */
  get isWhole(): boolean {
    return this.#response.complete
  }

  /** The next block; undefined when the stream has ended. */
  async next(): Promise<Block | undefined> {
    while (this.#taken === this.all.length) {
      if (this.#fault !== undefined) throw new Error('The stream is malformed', { cause: this.#fault })
      if (this.#isEnded) return undefined
      await this.#change()
    }
    return this.all[this.#taken++]
  }

  /** Reads on to the block that fits, and returns it with all before it. */
  async until(fits: (block: Block) => boolean): Promise<Block[]> {
    const blocks: Block[] = []
    const endMs = performance.now() + this.#patienceMs
    for (;;) {
      const block = await this.next()
      if (performance.now() > endMs) {
        throw new Error(`It did not come within ${this.#patienceMs} ms; the last blocks: ${shown(blocks)}`)
      }
      if (!block) throw new Error(`The stream ended too soon, after ${shown(this.all)}`)
      blocks.push(block)
      if (fits(block)) return blocks
    }
  }

  /** Reads to the end. */
  async rest(): Promise<Block[]> {
    const blocks: Block[] = []
    for (let block = await this.next(); block; block = await this.next()) blocks.push(block)
    return blocks
  }

  /** The server stops being read from: what follows stays in the kernel and, past that, with the server. */
  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  close(): void {
    this.#response.destroy()
  }

  #take(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#fault ??= error
    }
    this.#wake?.()
  }

  #read(text: string): void {
    this.#text += text
    for (let end = this.#text.indexOf('\n\n'); end !== -1; end = this.#text.indexOf('\n\n')) {
      this.all.push(parseBlock(this.#text.slice(0, end)))
      this.#text = this.#text.slice(end + 2)
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const seen = shown(this.all)
        reject(new Error(`Nothing more came within ${this.#patienceMs} ms; the last blocks were ${seen}`))
      }, this.#patienceMs)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
    })
  }
}

/** The newest blocks, as a message shows them. */
function shown(blocks: readonly Block[]): string {
  return JSON.stringify(blocks.slice(-5), (_key, value: unknown) =>
    typeof value === 'string' ? value.slice(0, 100) : value,
  )
}

export function isPublished(block: Block): boolean {
  return block.topic !== undefined
}

/** A predicate: the block is this control event. */
export function isControl(type: string): (block: Block) => boolean {
  return (block) => block.event === type && block.topic === undefined
}

/** The JSON of a block's data. */
export function json(block: Block | undefined): unknown {
  return block?.data === undefined ? undefined : JSON.parse(block.data)
}

function parseBlock(text: string): Block {
  const lines = text.split('\n').map((line) => splitLine(line))
  const [first] = lines
  if (first?.name === '') return { comment: lines.map(({ value }) => value).join('\n') }
  if (first?.name === 'retry') {
    if (lines.length > 1 || !/^\d+$/.test(first.value)) throw new Error(`A retry block is ${JSON.stringify(text)}`)
    return { retryMs: Number(first.value) }
  }
  let rank = -1
  const block: Record<string, string> = {}
  for (const { name, value } of lines) {
    const at = FIELDS.indexOf(name)
    if (at < rank || at === -1 || (at === rank && name !== 'data')) {
      throw new Error(`${JSON.stringify(name)} is out of place in ${JSON.stringify(text)}`)
    }
    rank = at
    block[name] = name in block ? `${block[name]}\n${value}` : value
  }
  return block
}

function splitLine(line: string): { name: string; value: string } {
  const match = /^([a-z]*): ([^\r]*)$/.exec(line)
  // Data may have NUL, and nothing else: for an id with NUL clients ignore it.
  if (!match || (match[1] !== 'data' && line.includes('\0'))) throw new Error(`A line is ${JSON.stringify(line)}`)
  const [, name = '', value = ''] = match
  return { name, value }
}
