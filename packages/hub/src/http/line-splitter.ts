const LF = 0x0a
const BOM = '\ufeff'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A line that cannot be read. */
export class LineFault extends Error {
  override readonly name = 'LineFault'
  readonly status: 400 | 413
  constructor(status: 400 | 413, message: string) {
    super(message)
    this.status = status
  }
}

/** Lines that follow each other. */
export interface Lines {
  /** The number of the first of them, from 1. */
  readonly first: number
  /** Without their ends; a CR before the LF is left, which is white space to JSON. */
  readonly texts: readonly string[]
  /** Why the line after these cannot be read. */
  readonly fault?: LineFault
}

/**
 * Cuts bytes into lines of UTF-8, wherever the chunks are split. It holds the one line that is not finished, of
 * `maxLineBytes` at the most.
 */
export class LineSplitter {
  readonly #maxLineBytes: number
  #pending: Buffer[] = []
  #pendingBytes = 0
  /** The number of the line that is not finished. */
  #number = 1

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes
  }

  /** The lines that the chunk finishes. After a fault nothing more may be pushed. */
  push(chunk: Buffer): Lines {
    const end = chunk.lastIndexOf(LF)
    if (end === -1) {
      this.#hold(chunk)
      return this.#pendingBytes > this.#maxLineBytes ? this.#lines([], this.#tooLong(this.#number)) : this.#lines([])
    }
    const block = this.#take(chunk.subarray(0, end))
    if (end + 1 < chunk.length) this.#hold(chunk.subarray(end + 1))
    return this.#read(block)
  }

  /** The last line, if there is one without an end. */
  end(): Lines {
    return this.#pendingBytes === 0 ? this.#lines([]) : this.#read(this.#take(Buffer.alloc(0)))
  }

  #hold(bytes: Buffer): void {
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
  }

  #take(bytes: Buffer): Buffer {
    if (this.#pendingBytes === 0) return bytes
    const block = Buffer.concat([...this.#pending, bytes])
    this.#pending = []
    this.#pendingBytes = 0
    return block
  }

  #read(block: Buffer): Lines {
    // One decoding for all of them: by far the most blocks are valid, and short.
    if (block.length <= this.#maxLineBytes) {
      const text = decoded(block)
      if (text !== undefined) return this.#lines(text.split('\n'))
    }
    return this.#readSingly(block)
  }

  #readSingly(block: Buffer): Lines {
    const texts: string[] = []
    for (let start = 0; start <= block.length;) {
      const found = block.indexOf(LF, start)
      const end = found === -1 ? block.length : found
      const text = end - start <= this.#maxLineBytes ? decoded(block.subarray(start, end)) : undefined
      const number = this.#number + texts.length
      if (end - start > this.#maxLineBytes) return this.#lines(texts, this.#tooLong(number))
      if (text === undefined) return this.#lines(texts, new LineFault(400, `Line ${number} is not valid UTF-8.`))
      texts.push(text)
      start = end + 1
    }
    return this.#lines(texts)
  }

  #lines(texts: string[], fault?: LineFault): Lines {
    const first = this.#number
    if (first === 1 && texts[0]?.startsWith(BOM)) texts[0] = texts[0].slice(1)
    this.#number += texts.length
    return { first, texts, ...(fault ? { fault } : {}) }
  }

  #tooLong(number: number): LineFault {
    const mend = 'Send references, or end lines'
    return new LineFault(413, `Line ${number} is longer than ${this.#maxLineBytes} bytes. ${mend}.`)
  }
}

function decoded(bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
