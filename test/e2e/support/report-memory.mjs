// Loaded into a hub's process by --import: answers each message from the parent with what is alive after a collection.
import { setTimeout as pause } from 'node:timers/promises'

process.on('message', () => void report())
process.channel?.unref()

async function report() {
  // Twice, with a turn between: what finalizers let go is collected by the second.
  globalThis.gc?.()
  await pause(50)
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  process.send?.({ liveBytes: heapUsed + external })
}
