import { problem } from '@millrace/node'
import { HubError, newEvent, type PublishEvent } from '@millrace/server'
import { isExactNumber, parseExact } from './parse-exact.ts'
import { RequestFault } from './problem-answers.ts'

/** Reads JSON text so that its numbers stay as they came. @throws RequestFault 400; `what` stands for the text */
export function readJson(text: string, what: string): unknown {
  try {
    return parseExact(text)
  } catch (error) {
    if (error instanceof RangeError) throw invalid(`${what} is nested too deeply.`)
    throw invalid(`${what} is not JSON: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

/**
 * Checks what has to be an event as far as only JSON can be wrong; the rest is the engine's to check.
 *
 * @throws RequestFault 400; `which` stands for the event
 */
export function readEvent(value: unknown, which: string): PublishEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isExactNumber(value)) {
    throw invalid(`${which} is ${kindOf(value)}; it must be an object such as {"topic": "news", "data": "hello"}.`)
  }
  const { topic, data } = value as { topic?: unknown; data?: unknown }
  // Among its fields one may have been meant for the one that is missing.
  if (topic === undefined || data === undefined) checkOthers(value, which)
  if (topic === undefined) throw invalid(`${which} has no "topic".`)
  if (data === undefined) throw invalid(`${which} has no "data". Send null if there is nothing to say.`)
  return value as PublishEvent
}

/** The number of the first event that the engine refuses by itself; undefined when it is not the events that are wrong. */
export function firstInvalid(events: readonly PublishEvent[], maxEventBytes: number): number | undefined {
  const index = events.findIndex((event) => {
    try {
      newEvent(event, maxEventBytes)
      return false
    } catch {
      return true
    }
  })
  return index === -1 ? undefined : index
}

export function invalid(detail: string): RequestFault {
  return new RequestFault(problem(400, detail))
}

function checkOthers(value: object, which: string): void {
  try {
    newEvent({ topic: 'a', data: null, ...value }, Number.MAX_SAFE_INTEGER)
  } catch (error) {
    if (error instanceof HubError) throw invalid(`${which}: ${error.message}`)
    throw error
  }
}

/** Names the kind of a value: the value itself may be too large, or nested too deeply, to be written. */
function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (isExactNumber(value)) return 'a number'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
