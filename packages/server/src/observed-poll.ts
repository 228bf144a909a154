import type { Engine } from './engine.ts'
import type { PollOutcome } from './hub-observer.ts'
import { Poll, type PollAnswer, type PollOptions } from './poll.ts'
import type { SubscribeRequest } from './subscribe-request.ts'

/** Answers a poll, and tells the observer how it ended. @throws HubError as the poll does */
export async function observedPoll(
  engine: Engine,
  request: SubscribeRequest,
  options: PollOptions,
): Promise<PollAnswer> {
  try {
    const answer = await new Poll(engine, request, options).answer()
    const outcome = options.signal?.aborted ? 'left' : outcomeOf(answer)
    engine.observer.onPolled?.(outcome, outcome === 'left' ? 0 : answer.events.length)
    return answer
  } catch (error) {
    engine.observer.onPolled?.('failed', 0)
    throw error
  }
}

function outcomeOf({ events, reset }: PollAnswer): PollOutcome {
  if (reset) return 'reset'
  return events.length > 0 ? 'events' : 'empty'
}
