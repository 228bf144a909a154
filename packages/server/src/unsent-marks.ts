import type { Position } from '@millrace/protocol'

/** No more than one mark in this time: what is asked for is seconds. */
const MARK_EVERY_MS = 50

/**
 * When some of the published events were stored, until everybody was sent them: how far delivery lags behind, the time
 * included that events wait in the log because the engine takes no more.
 */
export class UnsentMarks {
  #marks: { readonly position: Position; readonly atMs: number }[] = []

  /** Notes that everything up to a position is stored. */
  note(position: Position | undefined, nowMs: number): void {
    const last = this.#marks.at(-1)
    if (position && (!last || nowMs - last.atMs >= MARK_EVERY_MS)) this.#marks.push({ position, atMs: nowMs })
  }

  /** How long ago the oldest event that is not sent was stored, give or take the time between two marks. Milliseconds. */
  ageMs(sentTo: Position, nowMs: number): number {
    const sent = this.#marks.findIndex(({ position }) => position.epoch === sentTo.epoch && position.seq > sentTo.seq)
    if (sent !== 0) this.#marks = sent === -1 ? [] : this.#marks.slice(sent)
    const [oldest] = this.#marks
    return oldest ? nowMs - oldest.atMs : 0
  }
}
