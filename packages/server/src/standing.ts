import type { Position } from '@millrace/protocol'
import type { Audience } from './audience.ts'
import { FinishedTopics } from './finished-topics.ts'
import type { Frame } from './frame.ts'
import { LogError } from './log.ts'
import type { LogReader } from './log-reader.ts'
import { StateValues } from './state-values.ts'
import type { TopicKinds } from './topic-kinds.ts'

const RETRY_MS = 250
/** Events that may be passed on while the log answers; beyond it the answer is dropped, and asked for again. */
const MAX_MEANWHILE_COUNT = 100_000

export interface StandingHost {
  readonly kinds: TopicKinds
  readonly reader: LogReader
  readonly isClosed: boolean
  pause(ms: number, signal: AbortSignal | undefined): Promise<void>
  /** It was loaded: who waited for that may look again. */
  onStanding(): void
}

interface Loaded {
  readonly frames: readonly Frame[]
  readonly at: Position
}

/**
 * What holds, besides what happens: the newest values of state topics, and which topics are finished. Read from the log
 * once, then kept up to date by each pass; read again when the tail has a hole or the log a new epoch.
 */
export class Standing {
  readonly values: StateValues
  readonly finished: FinishedTopics = new FinishedTopics()
  readonly #host: StandingHost
  /** It is of here or later; undefined while it is read. */
  #at: Position | undefined
  #loads = 0
  /** What passes took along since the log was asked: some of it may be newer than the answer. */
  #meanwhile: Frame[] | undefined

  constructor(host: StandingHost) {
    this.#host = host
    this.values = new StateValues(host.kinds)
  }

  /** Whether it is complete, and no newer than the newest pass. */
  isReady(passEnd: Position): boolean {
    return this.#at !== undefined && this.#at.epoch === passEnd.epoch && this.#at.seq <= passEnd.seq
  }

  /** Takes note of the events of a pass. */
  note(frames: readonly Frame[]): void {
    for (const { event } of frames) this.finished.note(event)
    if (this.#meanwhile && this.#meanwhile.length <= MAX_MEANWHILE_COUNT) this.#meanwhile.push(...frames)
  }

  /** Whether all that the audience has selected is finished, as of the newest pass. */
  isFinished({ topics }: Pick<Audience, 'topics'>, passEnd: Position): boolean {
    return topics?.every((topic) => this.finished.endOf(topic, passEnd) !== undefined) === true
  }

  /** Whether the audience may be owed values of state topics. */
  mayHaveValues({ topics, selectors }: Audience): boolean {
    const { kinds } = this.#host
    if (!kinds.hasState) return false
    return topics?.some((topic) => kinds.isState(topic)) ?? selectors.some((selector) => kinds.mayBeState(selector))
  }

  /** Reads it from the log. What comes meanwhile is not lost: it is newer, and part of passes to come. Rejects as reads do. */
  async load(): Promise<void> {
    const load = ++this.#loads
    const meanwhile: Frame[] = []
    this.#at = undefined
    this.#meanwhile = meanwhile
    try {
      const ended = await this.#read('ended', load)
      const state = this.#host.kinds.hasState ? await this.#read('state', load) : { frames: [], at: ended.at }
      if (load === this.#loads) this.#take(ended, state, meanwhile)
    } finally {
      if (load === this.#loads) this.#meanwhile = undefined
    }
  }

  #take(ended: Loaded, state: Loaded, meanwhile: readonly Frame[]): void {
    if (state.at.epoch !== ended.at.epoch || meanwhile.length > MAX_MEANWHILE_COUNT) {
      throw new LogError('unavailable', 'The log was too busy to say what holds.')
    }
    this.finished.clear()
    for (const { event } of ended.frames) if (event.end) this.finished.note(event)
    this.values.load([...state.frames, ...meanwhile.filter((frame) => frame.isState)])
    for (const { event } of meanwhile) this.finished.note(event)
    this.#at = state.at.seq >= ended.at.seq ? state.at : ended.at
    this.#host.onStanding()
  }

  /** Reads it anew, and tries until it is there. */
  async reload(): Promise<void> {
    this.#at = undefined
    const load = this.#loads + 1
    try {
      await this.load()
    } catch {
      await this.#host.pause(RETRY_MS, undefined)
      if (load === this.#loads && !this.#host.isClosed) void this.reload()
    }
  }

  /** Of a load that is given up it is not all: whoever has begun anew reads that too. */
  async #read(of: 'ended' | 'state', load: number): Promise<Loaded> {
    const { reader } = this.#host
    for (;;) {
      let page = await reader.standing(of, undefined)
      const frames = [...page.frames]
      try {
        while (page.next && load === this.#loads) {
          page = await reader.standing(of, page.next)
          frames.push(...page.frames)
        }
        return { frames, at: page.at }
      } catch (error) {
        // A cursor of another epoch: begin anew.
        if (!(error instanceof LogError) || error.code !== 'invalid') throw error
      }
    }
  }
}
