import { write, writeSync } from 'node:fs'

/** How long a reader that takes nothing is left alone before it is tried again. Milliseconds. */
const BUSY_MS = 50
/** How many times at the end, so that such a reader holds up no exit for longer than a second. */
const MAX_LAST_TRIES = 20

const NOTHING = new Uint8Array()

/**
 * Writes lines to a file descriptor without waiting for whoever reads it: a pipe that is full is tried again later, and
 * what cannot be written at all (the disk is full, the terminal is gone) is dropped. Neither holds up the hub, nor its end.
 */
export class LogOutput {
  readonly #fd: number
  readonly #maxWaiting: number
  #waiting: string[] = []
  #waitingCount = 0
  /** What is not written yet of the lines that were taken together. */
  #part: Uint8Array = NOTHING
  #isUnderWay = false
  #timer: NodeJS.Timeout | undefined

  /** @param maxWaiting characters of lines that wait, beside those that are being written; a line beyond it is dropped */
  constructor(fd: number, maxWaiting: number) {
    this.#fd = fd
    this.#maxWaiting = maxWaiting
  }

  write(line: string): void {
    if (this.#waitingCount + line.length > this.#maxWaiting) return
    this.#waiting.push(line)
    this.#waitingCount += line.length
    if (!this.#isUnderWay && this.#timer === undefined) this.#writeMore()
  }

  /** Writes what waits, before the process ends; what is under way is written by itself. */
  flush(): void {
    if (this.#isUnderWay) this.#part = NOTHING
    for (let tries = 0; tries < MAX_LAST_TRIES && this.#hasPart();) {
      try {
        this.#part = this.#part.subarray(writeSync(this.#fd, this.#part))
      } catch (error) {
        if (!isBusy(error)) return
        tries++
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS)
      }
    }
  }

  #writeMore(): void {
    this.#timer = undefined
    if (!this.#hasPart()) return
    this.#isUnderWay = true
    write(this.#fd, this.#part, (error, bytes) => {
      this.#isUnderWay = false
      if (error && isBusy(error)) {
        this.#timer = setTimeout(() => this.#writeMore(), BUSY_MS)
        return
      }
      this.#part = error ? NOTHING : this.#part.subarray(bytes)
      this.#writeMore()
    })
  }

  /** Takes the lines that wait when there is nothing else to write; false when there is nothing at all. */
  #hasPart(): boolean {
    if (this.#part.length > 0) return true
    this.#part = new TextEncoder().encode(this.#waiting.join(''))
    this.#waiting = []
    this.#waitingCount = 0
    return this.#part.length > 0
  }
}

function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EAGAIN' || code === 'EBUSY'
}
