import { settle } from './test-clock.ts'

const SIGNS = ['uncaughtException', 'unhandledRejection'] as const

/** What nobody has caught while something ran, and in the turn after it. */
export async function uncaughtIn(run: () => Promise<unknown>): Promise<unknown[]> {
  const uncaught: unknown[] = []
  const others = SIGNS.map((sign) => [sign, process.listeners(sign as 'uncaughtException')] as const)
  for (const sign of SIGNS) {
    process.removeAllListeners(sign)
    process.on(sign, (error) => void uncaught.push(error))
  }
  try {
    await run()
    await settle()
  } finally {
    for (const [sign, listeners] of others) {
      process.removeAllListeners(sign)
      for (const listener of listeners) process.on(sign, listener)
    }
  }
  return uncaught
}
