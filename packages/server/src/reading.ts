import type { Position } from '@millrace/protocol'
import type { Frame } from './frame.ts'

/**
 * What a catch-up waits for: its turn, the log's answer, room in its transport, the end of a pass that reaches its
 * position, or the time of another try at a log that is away.
 */
export type ReadingPhase = 'queued' | 'reading' | 'draining' | 'waiting' | 'retrying'

/** How far a subscriber that is catching up has read. */
export class Reading {
  /** Everything up to here was written. `'unknown'`: the client's id is nobody's, and that is still to be told. */
  after: Position | 'oldest' | 'unknown'
  /** Whether `after` was judged to be a place of this log. */
  trusted: boolean
  /** Whether `stream:caught-up` is owed at the end. */
  readonly announce: boolean
  /** The id as the client sent it. */
  readonly clientId: string | undefined
  phase: ReadingPhase = 'draining'
  replayed = 0
  /** Whether the log had to be asked. */
  source: 'window' | 'log' = 'window'
  /** When the subscriber began to catch up, by {@link Clock.now}. */
  startedAtMs = 0
  /** Failed attempts at the log in a row. */
  failures = 0
  retryAtMs = 0
  #backlog: readonly Frame[] = []
  #written = 0
  #end: Position | undefined

  constructor(
    after: Position | 'oldest' | 'unknown',
    options: { trusted: boolean; announce: boolean; clientId?: string | undefined },
  ) {
    this.after = after
    this.trusted = options.trusted
    this.announce = options.announce
    this.clientId = options.clientId
  }

  /** The newest position that may be vouched for. */
  get position(): Position | undefined {
    return this.trusted && typeof this.after === 'object' ? this.after : undefined
  }

  get hasBacklog(): boolean {
    return this.#end !== undefined
  }

  /** Frames that were read and are to be written; when all are, everything up to `end` is. */
  fill(frames: readonly Frame[], end: Position): void {
    this.#backlog = frames
    this.#written = 0
    this.#end = end
    this.trusted = true
    this.#finish()
  }

  /** Takes the next frames that fit into `maxBytes`, but at least one, and moves on behind them. */
  take(maxBytes: number, sizeOf: (frame: Frame) => number): readonly Frame[] {
    let bytes = 0
    let next = this.#written
    for (; next < this.#backlog.length; next++) {
      const frame = this.#backlog[next]
      if (!frame) break
      bytes += sizeOf(frame)
      if (bytes > maxBytes && next > this.#written) break
      this.after = frame.event.position
    }
    const taken = this.#backlog.slice(this.#written, next)
    this.#written = next
    this.replayed += taken.length
    this.#finish()
    return taken
  }

  #finish(): void {
    if (!this.#end || this.#written < this.#backlog.length) return
    this.after = this.#end
    this.#backlog = []
    this.#end = undefined
  }
}
