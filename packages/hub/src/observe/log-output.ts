import { write, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** How long a reader that takes nothing is left alone before it is tried again, and so at the end. Milliseconds. */
const BUSY_MS = 50
const BUSY_AT_END_MS = 5
/** How often the end looks whether all is written, in milliseconds, and how often it then still waits for one write. */
const END_STEP_MS = 5
const MAX_END_STEPS = 20
/** How many times a process that ends without `end` tries such a reader: for a second. */
const MAX_LAST_TRIES = 20

const NOTHING = new Uint8Array()

/**
 * Writes lines to a file descriptor without waiting for whoever reads it: a pipe that is full is tried again later, and
 * what cannot be written at all (the disk is full, the terminal is gone) is dropped. Neither holds up the hub. Its end is
 * held up by a terminal that is stopped (Ctrl-S), whose write the system does not give back: `end` tells of it.
 */
export class LogOutput {
  readonly #fd: number
  readonly #maxWaiting: number
  #waiting: string[] = []
  #waitingCount = 0
  /** What is not written yet of the lines that were taken together. */
  #part: Uint8Array = NOTHING
  #isUnderWay = false
  #isEnding = false
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
    if (!this.#isBusy) this.#writeMore()
  }

  /**
   * Resolves when all lines are written, or cannot be. What is left after `maxMs` is dropped.
   *
   * @returns false when a write is under way even then: the system keeps it, and with it a process that exits
   */
  async end(maxMs: number): Promise<boolean> {
    this.#isEnding = true
    const endMs = performance.now() + maxMs
    while (this.#isBusy && performance.now() < endMs) await delay(END_STEP_MS)
    this.#drop()
    for (let steps = 0; steps < MAX_END_STEPS && this.#isUnderWay; steps++) await delay(END_STEP_MS)
    return !this.#isUnderWay
  }

  /**
   * Writes what waits, for a process that ends on the spot, by a fault of its own. How much of a write that is under way
   * will have been taken cannot be known any more: it is given time to be first, and its rest is dropped.
   */
  flush(): void {
    if (this.#isUnderWay) {
      sleep(BUSY_MS)
      this.#part = NOTHING
    }
    for (let tries = 0; tries < MAX_LAST_TRIES && this.#hasPart();) {
      try {
        this.#part = this.#part.subarray(writeSync(this.#fd, this.#part))
      } catch (error) {
        if (!isBusy(error)) return
        tries++
        sleep(BUSY_MS)
      }
    }
  }

  /** Something is written or waits. */
  get #isBusy(): boolean {
    return this.#isUnderWay || this.#timer !== undefined
  }

  #writeMore(): void {
    this.#timer = undefined
    if (!this.#hasPart()) return
    this.#isUnderWay = true
    write(this.#fd, this.#part, (error, bytes) => {
      this.#isUnderWay = false
      if (error && isBusy(error)) {
        this.#timer = setTimeout(() => this.#writeMore(), this.#isEnding ? BUSY_AT_END_MS : BUSY_MS)
        return
      }
      this.#part = error ? NOTHING : this.#part.subarray(bytes)
      this.#writeMore()
    })
  }

  /** Takes the lines that wait when there is nothing else to write; false when there is nothing at all. */
  #hasPart(): boolean {
    if (this.#part.length > 0) return true
    const lines = this.#waiting.join('')
    this.#drop()
    this.#part = new TextEncoder().encode(lines)
    return this.#part.length > 0
  }

  #drop(): void {
    this.#part = NOTHING
    this.#waiting = []
    this.#waitingCount = 0
  }
}

/** Lets nothing else happen in this thread. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EAGAIN' || code === 'EBUSY'
}
