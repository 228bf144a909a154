import { LogError } from '@millrace/server'
import type { HubSettings } from '../hub-settings.ts'
import { startHubServer } from '../http/hub-server.ts'
import type { OnError } from '../http/problem-answers.ts'
import { logLines } from '../observe/log-lines.ts'
import { LogOutput } from '../observe/log-output.ts'
import { stopOnSignals } from './end-signals.ts'
import { fileLimitWarnings } from './file-limit.ts'
import { processEnd } from './process-end.ts'
import { readServeArguments } from './read-serve-settings.ts'
import { serveUsage } from './serve-usage.ts'

/** Lines of the log that wait to be written; beyond it new ones are dropped. Characters. */
const MAX_UNWRITTEN = 4 * 1024 * 1024
/** How long the log is written at the end, and so when a second signal asks for an exit at once. Milliseconds. */
const LAST_LINES_MS = 1_000
const AT_ONCE_MS = 100

/** Runs the hub until a signal ends it. */
export async function serve(argv: readonly string[]): Promise<void> {
  const { settings, warnings } = readServeArguments(argv, process.env)
  if (!settings) {
    process.stdout.write(serveUsage())
    return
  }
  for (const warning of [...warnings, ...fileLimitWarnings()]) process.stderr.write(`millrace: ${warning}\n`)
  const output = new LogOutput(process.stderr.fd, MAX_UNWRITTEN)
  process.once('exit', () => output.flush())
  const end = processEnd(output)
  const log = logLines(settings.logLevel, output)
  const writeError: OnError = (error, context) => {
    log.error({ err: error }, context)
    // Nothing can be published or read any more, and only a new process can change that.
    if (error instanceof LogError && error.code === 'closed') void end(1, LAST_LINES_MS)
  }
  const server = await startHubServer(settings, { onError: writeError, log })
  const stop = (): void => {
    void server.close().then(
      () => end(0, LAST_LINES_MS),
      (error: unknown) => {
        writeError(error, 'closing the hub')
        return end(1, LAST_LINES_MS)
      },
    )
  }
  stopOnSignals(stop, () => void end(1, AT_ONCE_MS))
  // Last: whoever reads it may send a signal at once.
  process.stdout.write(
    `Millrace is listening on ${server.url}${settings.demo ? ' (demo)' : ''} ${whereEventsAre(settings.log)}\n`,
  )
}

function whereEventsAre(log: HubSettings['log']): string {
  return log === 'memory:' ? 'with its events in memory' : `with its events in ${log.slice('sqlite:'.length)}`
}
