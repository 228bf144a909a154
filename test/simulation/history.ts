import { parseEventId, type Position } from '@millrace/protocol'
import type { StoredEvent } from '@millrace/server'
import type { Random } from './random.ts'

/** An event that the log ever acknowledged, and what became of it. */
export interface Entry {
  readonly event: StoredEvent
  evicted: boolean
}

/** One life of the log. */
export interface Life {
  readonly epoch: string
  /** By `seq`. Not every number is taken: a new life may begin where the old one ended. */
  readonly entries: Map<number, Entry>
  /** Checks of positions that are no entry: seq 0, and the place where a life began. */
  readonly marks: Map<number, string>
  headSeq: number
}

/** Whether a life of the log has, or had, a position of that number. */
export function hasPosition(life: Life, seq: number): boolean {
  return life.entries.has(seq) || life.marks.has(seq)
}

/** Everything that ever happened to the log: what the oracle knows and no client can. */
export class History {
  readonly lives: Life[] = []
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
    this.#begin(new Map(), 0)
  }

  get life(): Life {
    return this.lives.at(-1) as Life
  }

  get head(): Position {
    return this.positionAt(this.life, this.life.headSeq)
  }

  lifeOf(epoch: string): Life | undefined {
    return this.lives.find((life) => life.epoch === epoch)
  }

  positionAt(life: Life, seq: number): Position {
    const check = life.entries.get(seq)?.event.position.check ?? life.marks.get(seq)
    if (check === undefined) throw new RangeError(`${life.epoch} has no position ${seq}`)
    return { epoch: life.epoch, seq, check }
  }

  /** The position that an id names, if it is one that this log ever had. */
  truePosition(id: string): Position | undefined {
    const position = parseEventId(id)
    const life = position && this.lifeOf(position.epoch)
    if (!position || !life) return undefined
    const check = life.entries.get(position.seq)?.event.position.check ?? life.marks.get(position.seq)
    return check === position.check ? position : undefined
  }

  entryAt(position: Position): Entry | undefined {
    return this.lifeOf(position.epoch)?.entries.get(position.seq)
  }

  /** The value of a state topic that has this number, as a life of the log has it. */
  valueOf(life: Life, number: number): StoredEvent | undefined {
    for (const { event } of life.entries.values()) {
      if (event.topic.startsWith('s.') && (JSON.parse(event.data) as { value: number }).value === number) return event
    }
    return undefined
  }

  append(event: Omit<StoredEvent, 'position'>): Entry {
    const life = this.life
    const position = { epoch: life.epoch, seq: ++life.headSeq, check: this.#random.token(3) }
    const entry = { event: Object.freeze({ ...event, position: Object.freeze(position) }), evicted: false }
    life.entries.set(position.seq, entry)
    return entry
  }

  /**
   * The log loses its newest `lostCount` events and begins a new life with what is left, in the same order under new ids.
   * `seqGoesOn`: the new life begins at the old head's seq instead of at that of the newest survivor.
   */
  beginNewLife(lostCount: number, seqGoesOn: boolean): void {
    const old = this.life
    const lastKept = old.headSeq - Math.min(lostCount, old.headSeq)
    const survivors = new Map<number, Entry>()
    this.#begin(survivors, seqGoesOn ? old.headSeq : lastKept)
    for (const [seq, entry] of old.entries) {
      if (seq > lastKept) continue
      const position = Object.freeze({ epoch: this.life.epoch, seq, check: this.#random.token(3) })
      survivors.set(seq, { event: Object.freeze({ ...entry.event, position }), evicted: entry.evicted })
    }
    for (const [seq] of old.marks) if (seq < lastKept) this.life.marks.set(seq, this.#random.token(3))
  }

  #begin(entries: Map<number, Entry>, headSeq: number): void {
    const marks = new Map([
      [0, this.#random.token(3)],
      [headSeq, this.#random.token(3)],
    ])
    this.lives.push({ epoch: `e${this.lives.length}${this.#random.token(3)}`, entries, marks, headSeq })
  }
}
