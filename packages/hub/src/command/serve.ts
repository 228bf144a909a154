import { inspect } from 'node:util'
import type { HubSettings } from '../hub-settings.ts'
import { startHubServer } from '../http/hub-server.ts'
import { fileLimitWarnings } from './file-limit.ts'
import { readServeArguments } from './read-serve-settings.ts'
import { serveUsage } from './serve-usage.ts'

/** Runs the hub until a signal ends it. */
export async function serve(argv: readonly string[]): Promise<void> {
  const { settings, warnings } = readServeArguments(argv, process.env)
  if (!settings) {
    process.stdout.write(serveUsage())
    return
  }
  for (const warning of [...warnings, ...fileLimitWarnings()]) process.stderr.write(`millrace: ${warning}\n`)
  const server = await startHubServer(settings, { onError: writeError })
  const stop = (): void => {
    process.once('SIGTERM', exitAtOnce).once('SIGINT', exitAtOnce)
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        writeError(error, 'closing the hub')
        process.exit(1)
      },
    )
  }
  let isStopping = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      if (isStopping) return
      isStopping = true
      stop()
    })
  }
  // Last: whoever reads it may send a signal at once.
  process.stdout.write(
    `Millrace is listening on ${server.url}${settings.demo ? ' (demo)' : ''} ${whereEventsAre(settings.log)}\n`,
  )
}

function whereEventsAre(log: HubSettings['log']): string {
  return log === 'memory:' ? 'with its events in memory' : `with its events in ${log.slice('sqlite:'.length)}`
}

/** For whoever has to find out later: when, at what, and the stack with its causes. */
function writeError(error: unknown, context: string): void {
  process.stderr.write(`millrace: ${new Date().toISOString()} ${context}: ${inspect(error)}\n`)
}

function exitAtOnce(): void {
  process.exit(1)
}
