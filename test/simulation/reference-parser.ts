/** One block of an event stream: what stands between two blank lines. */
export interface Block {
  /** The last `id` field, if there was one. */
  readonly id: string | undefined
  /** The last `event` field; empty when there was none. */
  readonly type: string
  /** The last `topic` field, our extension. */
  readonly topic: string | undefined
  /** All `data` lines; undefined when there was none. */
  readonly data: string | undefined
  /** The last valid `retry` field, milliseconds. */
  readonly retryMs: number | undefined
  /** Field names in the order of the block, comments as an empty name. */
  readonly names: readonly string[]
  /** Bytes of the block, with the blank line that ends it. */
  readonly byteLength: number
}

const LF = 10
const CR = 13

/**
 * Reads an event stream by the letter of HTML §9.2.6, byte by byte and without any cleverness: the oracle must not
 * share code with what it judges.
 */
export class ReferenceParser {
  #line: number[] = []
  #afterCr = false
  #names: string[] = []
  #byteLength = 0
  #id: string | undefined
  #type = ''
  #topic: string | undefined
  #data: string | undefined
  #retryMs: number | undefined

  /** The blocks that these bytes complete. */
  push(bytes: Uint8Array): Block[] {
    const blocks: Block[] = []
    for (const byte of bytes) {
      this.#byteLength++
      if (byte === LF && this.#afterCr) {
        this.#afterCr = false
        continue
      }
      this.#afterCr = byte === CR
      if (byte === CR || byte === LF) this.#endLine(blocks)
      else this.#line.push(byte)
    }
    return blocks
  }

  /** True when every byte so far belongs to a whole block. */
  get betweenBlocks(): boolean {
    return this.#line.length === 0 && this.#names.every((name) => name === '')
  }

  #endLine(blocks: Block[]): void {
    const line = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(this.#line))
    this.#line = []
    if (line === '') {
      if (this.#names.length > 0) blocks.push(this.#takeBlock())
      return
    }
    const colon = line.indexOf(':')
    const name = colon === -1 ? line : line.slice(0, colon)
    const rest = colon === -1 ? '' : line.slice(colon + 1)
    this.#names.push(name)
    this.#setField(name, rest.startsWith(' ') ? rest.slice(1) : rest)
  }

  #setField(name: string, value: string): void {
    if (name === 'data') this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
    else if (name === 'event') this.#type = value
    else if (name === 'topic') this.#topic = value
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    else if (name === 'retry' && /^[0-9]+$/.test(value)) this.#retryMs = Number(value)
  }

  #takeBlock(): Block {
    const block = {
      id: this.#id,
      type: this.#type,
      topic: this.#topic,
      data: this.#data,
      retryMs: this.#retryMs,
      names: this.#names,
      byteLength: this.#byteLength,
    }
    this.#byteLength = 0
    this.#id = undefined
    this.#type = ''
    this.#topic = undefined
    this.#data = undefined
    this.#retryMs = undefined
    this.#names = []
    return block
  }
}
