// More than 300 lines: a list.
import type { PlantedFault } from './planted-fault.ts'
import { standingFaults } from './planted-standing-faults.ts'

const generalFaults: readonly PlantedFault[] = [
  {
    name: 'a joiner is served by the pass under way, whose events it has',
    file: 'subscriber.ts',
    snippet: 'this.joinedPass = this.#host.flusher.nextPass',
    replacement: 'this.joinedPass = this.#host.flusher.passes',
    breaks: ['§11.3', '§11.1'],
    trySeed: 56,
  },
  {
    name: 'a joiner misses the first pass that it is owed',
    file: 'subscriber.ts',
    snippet: 'this.joinedPass = this.#host.flusher.nextPass',
    replacement: 'this.joinedPass = this.#host.flusher.nextPass + 1',
    breaks: ['§11.3'],
  },
  {
    name: 'joining is off by one: a reader that lacks the last event counts as arrived',
    file: 'catch-up.ts',
    snippet: 'const isThere = isRead && position?.seq === end.seq &&',
    replacement: 'const isThere = isRead && position !== undefined && position.seq >= end.seq - 1 &&',
    breaks: ['§11.3', '§11.1', '§8'],
  },
  {
    name: 'the connected event of a resume carries the id of the present',
    file: 'engine.ts',
    snippet: 'if (reading) subscriber.start(undefined, reading)',
    replacement: 'if (reading) subscriber.start(this.flusher.end, reading)',
    breaks: ['§11.1', '§11.3', '§11.4', '§6'],
  },
  {
    name: 'the members of a pass are not frozen',
    file: 'flusher.ts',
    snippet: 'if (member && member.joinedPass <= this.#passes) member.deliver',
    replacement: 'if (member) member.deliver',
    breaks: ['§11.3', '§11.1'],
    trySeed: 56,
  },
  {
    name: 'a member that a pass has not reached counts as served',
    file: 'flusher.ts',
    snippet: 'return this.#passOwedTo(member)?.previousEnd ?? this.#end',
    replacement: 'return member ? this.#end : this.#end',
    breaks: ['§11.1', '§11.3'],
  },
  {
    name: 'frames for a full transport are dropped',
    file: 'subscriber.ts',
    snippet: `else this.#fallBehind('bytes')
      return
    }
    this.servedPass = pass`,
    replacement: `return
    }
    this.servedPass = pass`,
    breaks: ['§11.3', '§11.1'],
  },
  {
    name: 'an evicted event is passed over in silence',
    file: 'log-answers.ts',
    snippet: 'else this.#tellGap(subscriber, reading, page.reason, page.oldest, page.head)',
    replacement: `else if (page.reason === 'too_old') reading.jump(page.oldest)
      else this.#tellGap(subscriber, reading, page.reason, page.oldest, page.head)`,
    breaks: ['§11.3', '§11.1'],
  },
  {
    name: 'the notice of a gap comes after newer events',
    file: 'log-answers.ts',
    snippet: `subscriber.writeText(controlBlock('stream:sync-required', { reason, from, oldest: formatEventId(oldest) }, id), id)`,
    replacement: `const notice = controlBlock('stream:sync-required', { reason, from, oldest: formatEventId(oldest) }, id)
    setTimeout(() => subscriber.isOpen && subscriber.writeText(notice, id), 0)`,
    breaks: ['§11.3', '§11.4'],
  },
  {
    name: 'the id of a quiet stream is not moved',
    file: 'subscriber.ts',
    snippet: 'if (position && (position.seq !==',
    replacement: 'if (position && !position && (position.seq !==',
    breaks: ['§5', 'liveness'],
  },
  {
    name: 'a position event has no id',
    file: 'subscriber.ts',
    snippet: "this.writeText(controlBlock('stream:position', {}, position), position)",
    replacement: "this.writeText(controlBlock('stream:position', {}), position)",
    breaks: ['§5'],
  },
  {
    name: 'a failed read moves the position on',
    file: 'catch-up.ts',
    snippet: 'reading.failures++',
    replacement: `reading.failures++
    reading.after = this.#host.window.end`,
    breaks: ['§11.3', '§11.1', '§11.4'],
    trySeed: 12,
  },
  {
    name: 'a new epoch does not reset the hot window',
    file: 'engine.ts',
    snippet: 'this.flusher.reset(position)',
    replacement: 'void position',
    breaks: ['liveness', '§11.4', '§11.3', '§11.1'],
    trySeed: 12,
  },
  {
    name: 'a hole in the tail goes unnoticed',
    file: 'flusher.ts',
    snippet: 'if (epoch !== window.end.epoch || seq > window.end.seq + 1) {',
    replacement: 'if (epoch !== window.end.epoch) {',
    breaks: ['§11.3', 'liveness', '§5'],
    trySeed: 8,
  },
  {
    name: 'a hole in the tail is filled with what follows',
    file: 'flusher.ts',
    snippet: `if (epoch !== window.end.epoch || seq > window.end.seq + 1) {`,
    replacement: `if (seq > window.end.seq + 1) window.push(new Frame(event, nowMs))
      else if (epoch !== window.end.epoch) {`,
    breaks: ['§11.3', '§11.1', 'liveness', '§5'],
    trySeed: 7,
  },
  {
    name: 'the check of a resumed id is not compared',
    file: 'hot-window.ts',
    snippet: 'return here?.check === position.check',
    replacement: 'return here !== undefined',
    breaks: ['§11.4', '§6'],
    trySeed: 58,
  },
  {
    name: 'caught-up is told after the first page',
    file: 'catch-up.ts',
    snippet: `const note = hasAll ? this.#note(subscriber, reading, end, isFinished) : ''`,
    replacement: `const note = reading.position ? this.#note(subscriber, reading, reading.position, isFinished) : ''`,
    breaks: ['§11.1', '§11.3', '§8'],
  },
  {
    name: 'a replay ignores the type filter',
    file: 'audience.ts',
    snippet: 'if (this.acceptsType(frame) && (client',
    replacement: 'if ((client',
    breaks: ['S2'],
  },
  {
    name: 'readers with different selectors share a page',
    file: 'log-reader.ts',
    snippet: 'const key = `${formatEventId(after)} ${audience.key}`',
    replacement: 'const key = formatEventId(after)',
    breaks: ['S2', '§11.3', '§11.1'],
    trySeed: 59,
  },
  {
    name: 'the hot window drops frames that are still to be sent',
    file: 'hot-window.ts',
    snippet: 'if (!oldest || oldest.seq > keepAfterSeq) break',
    replacement: 'if (!oldest) break',
    breaks: ['§11.3', '§11.1', '§5', 'liveness'],
  },
  {
    name: 'leaving shifts the others while a pass goes through them',
    file: 'audience.ts',
    snippet: `this.#members[slot] = undefined
    this.#memberCount--`,
    replacement: `this.#members.splice(slot, 1)
    for (const [place, member] of this.#members.entries()) if (member) member.slot = place
    this.#memberCount--`,
    breaks: ['§11.3', '§11.1', 'liveness', '§5'],
    trySeed: 9,
  },
  {
    name: 'a catch-up does not look how full its transport is',
    file: 'subscriber.ts',
    snippet: 'Math.max(0, this.#host.limits.maxBufferBytes - this.#transport.bufferedBytes)',
    replacement: 'this.#host.limits.maxBufferBytes',
    breaks: ['§7'],
    trySeed: 23,
  },
  {
    name: 'a transport that is gone stays in its audience',
    file: 'subscriber.ts',
    snippet: `  onClose(): void {
    this.#leaveAudience()`,
    replacement: '  onClose(): void {',
    breaks: ['Transport'],
  },
  {
    name: 'a destroyed transport stays in its audience',
    file: 'subscriber.ts',
    snippet: `  destroy(reason: EndReason): void {
    this.#leaveAudience()`,
    replacement: '  destroy(reason: EndReason): void {',
    breaks: ['Transport'],
    trySeed: 3,
  },
  {
    name: 'more waits in a transport than it may hold',
    file: 'subscriber.ts',
    snippet: 'buffered + list.byteLength > this.#host.limits.maxBufferBytes',
    replacement: 'buffered > 2 * this.#host.limits.maxBufferBytes',
    breaks: ['§7'],
    trySeed: 3,
  },
  {
    name: 'the bytes that wait in all transports have no bound',
    file: 'pending-bytes.ts',
    snippet: 'return this.#mostBytes > this.#maxBytes',
    replacement: 'return this.#mostBytes > 100 * this.#maxBytes',
    breaks: ['§7'],
    trySeed: 484,
  },
  {
    name: 'what has left still counts as waiting in all transports',
    file: 'unsent-payloads.ts',
    snippet: 'if (waitingBytes > 0 && this.#byteLength - byteLength < waitingBytes) break',
    replacement: 'if (waitingBytes > 0) break',
    breaks: ['§7'],
    trySeed: 37,
  },
  {
    name: 'bytes that several transports wait for count for each of them',
    file: 'pending-bytes.ts',
    snippet: 'if (count === 0) bytes += payload.chunk.byteLength\n        holders',
    replacement: 'bytes += payload.chunk.byteLength\n        holders',
    breaks: ['§7'],
    trySeed: 24,
  },
  {
    name: 'a subscriber stays live however long its bytes are unsent',
    file: 'subscriber.ts',
    snippet: 'this.#progress.unsentMs(nowMs) > maxUnsentMs',
    replacement: 'this.#progress.unsentMs(nowMs) > 100 * maxUnsentMs',
    breaks: ['§7'],
    trySeed: 189,
  },
  {
    name: 'a connection that takes nothing is kept for ever',
    file: 'subscriber.ts',
    snippet: 'this.#progress.stuckMs(nowMs) > staleMs',
    replacement: 'this.#progress.stuckMs(nowMs) > 100 * staleMs',
    breaks: ['§7'],
    trySeed: 8,
  },
  {
    name: 'an id beyond the head waits for the head',
    file: 'catch-up.ts',
    snippet: 'return reading.trusted && isAhead ? this.#wait',
    replacement: 'return isAhead ? this.#wait',
    breaks: ['§11.3', '§11.1', '§11.4', '§6', 'liveness'],
  },
  {
    name: 'the notice of an unknown id vouches for events that were evicted',
    file: 'log-answers.ts',
    snippet: "return page.kind === 'gap' ? page : bounds",
    replacement: 'return bounds',
    breaks: ['§11.3', '§6'],
    trySeed: 3,
  },
  {
    name: 'a reader goes on after a gap from where the node is, not from where the log is',
    file: 'log-answers.ts',
    snippet: `const place = placeAfterGap(subscriber, reason, oldest, head)`,
    replacement: `const place = placeAfterGap(subscriber, reason, oldest, this.#host.window.end)`,
    breaks: ['§11.1', '§11.3', '§11.4', 'liveness'],
    trySeed: 12,
  },
  {
    name: 'the log is read without a pause until the tail has heard of its epoch',
    file: 'log-answers.ts',
    snippet: 'isStuck && (after.epoch !== window.base.epoch || after.seq < window.base.seq)',
    replacement: 'isStuck && after.epoch === window.base.epoch && after.seq < window.base.seq',
    breaks: ['liveness'],
    trySeed: 12,
  },
  {
    name: 'from=now starts at the newest event, flushed or not',
    file: 'engine.ts',
    snippet: `const { end } = this.flusher
    const isKnown`,
    replacement: `const end = this.flusher.newest
    const isKnown`,
    breaks: ['§11.3', '§11.1'],
  },
  {
    name: 'streams are ended without a farewell',
    file: 'farewell.ts',
    snippet: "subscriber.end('shutdown', encodeRetry(retryMs) + notice)",
    replacement: "subscriber.end('shutdown')",
    breaks: ['§8'],
  },
  {
    name: 'a reader inside the process jumps over an event',
    file: 'in-process.ts',
    snippet: 'return page.frames',
    replacement: 'return page.frames.slice(1)',
    breaks: ['§11.3', 'liveness'],
    trySeed: 15,
  },
  {
    name: 'audiences are never released',
    file: 'engine.ts',
    snippet: 'this.index.release(subscriber.audience)',
    replacement: 'void subscriber.audience',
    breaks: ['§11.8'],
  },
  {
    name: 'closing leaves a timer',
    file: 'flusher.ts',
    snippet: `this.#isClosed = true
    this.#unschedule()`,
    replacement: 'this.#isClosed = true',
    breaks: ['§11.8'],
    trySeed: 127,
  },
  {
    name: 'a stream that opens after the farewell stays open',
    file: 'engine-hub.ts',
    snippet: 'if (this.#closing) sendAway(',
    replacement: 'if (!connection) sendAway(',
    breaks: ['liveness', '§8', '§11.8'],
    trySeed: 480,
  },
]

/** Each is caught by the simulation: `planted-faults.test.ts` shows it. */
export const plantedFaults: readonly PlantedFault[] = [...generalFaults, ...standingFaults]
