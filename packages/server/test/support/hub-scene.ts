import { EventStreamParser, parseSelector, type ParsedEvent } from '@millrace/protocol'
import {
  createHub,
  memory,
  type Chance,
  type Hub,
  type HubLimits,
  type HubOptions,
  type SubscribeRequest,
  type TopicRule,
} from '@millrace/server'
import { FakeClock } from './fake-clock.ts'
import { FakeTransport } from './fake-transport.ts'

/** Chance without chance: each token is a number, each fraction the middle. */
function orderlyChance(): Chance {
  let count = 0
  return {
    fraction: () => 0.5,
    token: (length) => (++count).toString(36).padStart(length, '0'),
  }
}

export interface Stream {
  readonly transport: FakeTransport
  /** The events so far, without control events. */
  events(): readonly ParsedEvent[]
  /** The types of all events so far, control events too. */
  types(): readonly string[]
  all(): readonly ParsedEvent[]
}

/** A hub in memory, with a clock that the test moves. */
export interface Scene {
  readonly clock: FakeClock
  readonly hub: Hub
  /** Lets promises settle and everything that is due now happen. */
  settle(ms?: number): Promise<void>
  open(topics: string, options?: Partial<SubscribeRequest>, transport?: FakeTransport): Promise<Stream>
  /** Publishes together, and lets the pass go out. */
  publish(topic: string, ...data: readonly unknown[]): Promise<readonly string[]>
}

export async function startScene(
  limits: Partial<HubLimits> = {},
  topics: readonly TopicRule[] = [],
  watch: Pick<HubOptions, 'onError' | 'observer'> = {},
): Promise<Scene> {
  const clock = new FakeClock()
  const chance = orderlyChance()
  const hub = createHub({
    ...limits,
    backend: memory({ topics, clock, chance }),
    clock,
    chance,
    ...watch,
  })
  await hub.ready()
  const scene: Scene = {
    clock,
    hub,
    async settle(ms = 0) {
      for (let i = 0; i < 20; i++) {
        await new Promise((resolve) => {
          setImmediate(resolve)
        })
        clock.advance(i === 0 ? ms : 0)
      }
    },
    async open(names, options = {}, transport = new FakeTransport()) {
      const admission = await hub.admit({ ...request(names), ...options })
      if (admission.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(admission)}`)
      admission.open(transport)
      await scene.settle()
      return streamOf(transport)
    },
    async publish(topic, ...data) {
      const { ids } = await hub.publish(data.map((each) => ({ topic, data: each })))
      await scene.settle(hub.limits.flushIntervalMs)
      return ids.map(String)
    },
  }
  return scene
}

export function request(names: string): SubscribeRequest {
  return {
    selectors: names.split(',').map((name) => parseSelector(name)),
    types: [],
    from: 'now',
    lastEventId: undefined,
    nameBy: 'type',
    envelope: false,
  }
}

function streamOf(transport: FakeTransport): Stream {
  const all = (): readonly ParsedEvent[] => parse(transport.text)
  return {
    transport,
    all,
    events: () => all().filter(({ type }) => !type.startsWith('stream:')),
    types: () => all().map(({ type }) => type),
  }
}

function parse(text: string): readonly ParsedEvent[] {
  const events: ParsedEvent[] = []
  const parser = new EventStreamParser({ onEvent: (event) => events.push(event) })
  parser.push(new TextEncoder().encode(text))
  return events
}
