import { calmDown } from './calm.ts'
import type { EngineUnderTest } from './fake-node.ts'
import { deeds } from './happenings.ts'
import { leave, probe } from './probes.ts'
import type { Happening } from './scenario.ts'
import { World } from './world.ts'

export interface RunOptions {
  readonly seed: number
  readonly stepCount: number
  readonly engine: EngineUnderTest
  /** Keeps the story of the run. */
  readonly tells?: boolean
}

export interface RunReport {
  readonly seed: number
  /** Undefined: every invariant held. */
  readonly fault: Error | undefined
  readonly story: readonly string[]
  readonly eventsDelivered: number
  readonly noticesDelivered: number
}

/** One run: trouble, calm, questions, and everybody leaves. The same seed always tells the same story. */
export async function runSeed(options: RunOptions): Promise<RunReport> {
  const world = new World(options.seed, options.engine, options.tells === true)
  let fault: Error | undefined
  try {
    await makeTrouble(world, options.stepCount)
    await calmDown(world)
    if (world.scenario.probes) await probe(world)
    await leave(world)
  } catch (error) {
    fault = error instanceof Error ? error : new Error(String(error))
  }
  for (const node of world.nodes) node.die()
  let eventsDelivered = 0
  let noticesDelivered = 0
  for (const { ledger } of world.clients) {
    eventsDelivered += ledger.events
    noticesDelivered += ledger.notices
  }
  return { seed: options.seed, fault, story: world.story, eventsDelivered, noticesDelivered }
}

async function makeTrouble(world: World, stepCount: number): Promise<void> {
  const choices = Object.entries(world.scenario.pace).map(([name, weight]) => [weight, name as Happening] as const)
  await world.settle()
  while (!world.scenario.startsInTrouble && world.log.answerOldest()) await world.settle()
  for (let step = 0; step < stepCount;) {
    const name = world.random.weighted(choices)
    if (!(await deeds[name](world))) continue
    step++
    await world.settle()
  }
  if (world.scenario.endsInNewEpoch) await deeds['new-epoch'](world)
}
