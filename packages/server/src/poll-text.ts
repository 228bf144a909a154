import type { PollAnswer } from './poll.ts'
import type { PolledEvent } from './polled-event.ts'

/** The answer as JSON; data goes as it was published, numbers to the last digit. */
export function pollText({ events, cursor, reset, isPartial }: PollAnswer): string {
  const partial = isPartial ? ',"partial":true' : ''
  return `{"events":[${events.map(eventText).join()}],"cursor":${JSON.stringify(cursor)},"reset":${JSON.stringify(reset)}${partial}}`
}

function eventText({ id, topic, type, timeMs, data, json, ...rest }: PolledEvent): string {
  const head = JSON.stringify({ id, topic, type, time: new Date(timeMs).toISOString() }).slice(0, -1)
  const tail = JSON.stringify(rest)
  return `${head},"data":${json ? data : JSON.stringify(data)}${tail === '{}' ? '}' : `,${tail.slice(1)}`}`
}
