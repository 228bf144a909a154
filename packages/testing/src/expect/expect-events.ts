import { collectEvents, type CollectOptions, type ExpectOptions } from './collect-events.ts'
import type { EventSourceInput } from './event-source.ts'
import { namedTypes } from './match-event.ts'
import type { ExpectedEvent, ReceivedEvent } from './received-event.ts'

/**
 * Reads a source until exactly these events have come, in this order and each once; then lets it go. To look at one source
 * several times, keep a {@link collectEvents}.
 *
 * @example
 * await expectEvents('http://127.0.0.1:3000/events', [{ type: 'tick', data: { n: 1 } }, { id: /^k/ }])
 *
 * @throws ExpectationError that shows what came and what did not
 */
export async function expectEvents(
  source: EventSourceInput,
  expected: readonly ExpectedEvent[],
  options: ExpectOptions & CollectOptions = {},
): Promise<readonly ReceivedEvent[]> {
  const collector = collectEvents(source, { types: [...namedTypes(expected), ...(options.types ?? [])] })
  try {
    return await collector.expect(expected, options)
  } finally {
    collector.close()
  }
}
