import assert from 'node:assert/strict'

/** A response as it was read from the wire, as far as it has come. */
export interface Http1Response {
  readonly statusLine: string
  readonly status: number
  /** Names in lower case, in the order of the wire, duplicates included. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly framing: 'chunked' | 'length' | 'close' | 'none'
  /** The body without its framing. */
  body: Buffer[]
  /** How many chunks the body came in. */
  chunkCount: number
  /** True when its end was read; a body without framing ends with the connection. */
  isComplete: boolean
}

type Expecting = 'head' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailer' | 'length' | 'close'

const LINE_END = Buffer.from('\r\n')
const HEAD_END = Buffer.from('\r\n\r\n')

/**
 * Reads what a server sends on one connection, to the letter of RFC 9112, and mends nothing: a byte that does not
 * belong where it is throws. That is how bytes are found that strayed from one response into another.
 */
export class Http1Reader {
  readonly responses: Http1Response[] = []
  /** The methods of the requests that were sent, which decide whether a response has a body. */
  readonly methods: string[] = []
  #expecting: Expecting = 'head'
  #unread: Buffer = Buffer.alloc(0)
  #leftBytes = 0

  push(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes])
    while (this.#unread.length > 0 && this.#step());
  }

  /** The server will send no more. */
  finish(): void {
    const last = this.responses.at(-1)
    if (last && this.#expecting === 'close') last.isComplete = true
    this.#expecting = 'head'
  }

  /** Takes one element. False: it has not come in full yet. */
  #step(): boolean {
    switch (this.#expecting) {
      case 'head':
        return this.#readHead()
      case 'chunk-size':
        return this.#readChunkSize()
      case 'chunk-data':
      case 'length':
        return this.#readData()
      case 'chunk-end':
        return this.#readLine((line) => {
          assert.equal(line, '', 'a chunk must end with CRLF')
          this.#expecting = 'chunk-size'
        })
      case 'trailer':
        return this.#readLine((line) => {
          assert.equal(line, '', 'the last chunk must be followed by an empty line')
          this.#complete()
        })
      case 'close':
        this.#last.body.push(this.#take(this.#unread.length))
        return true
    }
  }

  #readHead(): boolean {
    const end = this.#unread.indexOf(HEAD_END)
    if (end === -1) {
      const shown = this.#unread.subarray(0, 5).toString('latin1')
      assert.ok('HTTP/'.startsWith(shown), `a response must begin with HTTP/, not ${JSON.stringify(shown)}`)
      return false
    }
    const [statusLine = '', ...lines] = this.#take(end + HEAD_END.length)
      .toString('latin1')
      .trimEnd()
      .split('\r\n')
    const match = /^HTTP\/1\.1 ([1-5][0-9][0-9]) /.exec(statusLine)
    assert.ok(match, `a response must begin with a status line, not ${JSON.stringify(statusLine.slice(0, 80))}`)
    const headers = lines.map(headerOf)
    const status = Number(match[1])
    const method = this.methods[this.responses.length]
    assert.ok(method, `there is a response that nobody asked for: ${statusLine}`)
    const framing = framingOf(status, method, headers)
    this.responses.push({ statusLine, status, headers, framing, body: [], chunkCount: 0, isComplete: false })
    this.#expectBody(framing, headers)
    return true
  }

  #expectBody(framing: Http1Response['framing'], headers: Http1Response['headers']): void {
    if (framing === 'chunked') this.#expecting = 'chunk-size'
    else if (framing === 'close') this.#expecting = 'close'
    else {
      this.#leftBytes = framing === 'none' ? 0 : Number(headers.find(([name]) => name === 'content-length')?.[1])
      this.#expecting = 'length'
      if (this.#leftBytes === 0) this.#complete()
    }
  }

  #readChunkSize(): boolean {
    return this.#readLine((line) => {
      assert.match(line, /^[0-9a-fA-F]{1,8}$/, 'a chunk must begin with its size')
      this.#leftBytes = Number.parseInt(line, 16)
      this.#expecting = this.#leftBytes === 0 ? 'trailer' : 'chunk-data'
      if (this.#leftBytes > 0) this.#last.chunkCount++
    })
  }

  #readData(): boolean {
    const bytes = this.#take(Math.min(this.#leftBytes, this.#unread.length))
    this.#last.body.push(bytes)
    this.#leftBytes -= bytes.length
    if (this.#leftBytes > 0) return true
    if (this.#expecting === 'chunk-data') this.#expecting = 'chunk-end'
    else this.#complete()
    return true
  }

  #readLine(use: (line: string) => void): boolean {
    const end = this.#unread.indexOf(LINE_END)
    if (end === -1) {
      assert.ok(
        this.#unread.length < 20,
        `the framing is broken near ${JSON.stringify(this.#unread.toString('latin1', 0, 80))}`,
      )
      return false
    }
    use(this.#take(end + LINE_END.length).toString('latin1', 0, end))
    return true
  }

  #take(length: number): Buffer {
    const taken = this.#unread.subarray(0, length)
    this.#unread = this.#unread.subarray(length)
    return taken
  }

  #complete(): void {
    this.#last.isComplete = true
    this.#expecting = 'head'
  }

  get #last(): Http1Response {
    const last = this.responses.at(-1)
    assert.ok(last)
    return last
  }
}

function headerOf(line: string): readonly [string, string] {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line)
  assert.ok(match, `a header must be a name, a colon and a value, not ${JSON.stringify(line)}`)
  return [(match[1] ?? '').toLowerCase(), match[2] ?? '']
}

/** RFC 9112, 6.3. */
function framingOf(status: number, method: string, headers: Http1Response['headers']): Http1Response['framing'] {
  if (method === 'HEAD' || status === 204 || status === 304) return 'none'
  const codings = headers.filter(([name]) => name === 'transfer-encoding')
  const lengths = headers.filter(([name]) => name === 'content-length')
  assert.ok(codings.length + lengths.length <= 1, 'a response must say once how its body is framed')
  if (codings.length > 0) {
    assert.equal(codings[0]?.[1], 'chunked')
    return 'chunked'
  }
  return lengths.length > 0 ? 'length' : 'close'
}
