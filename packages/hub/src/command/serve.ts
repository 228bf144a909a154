import { inspect } from 'node:util'
import { startHubServer } from '../http/hub-server.ts'
import { fileLimitWarnings } from './file-limit.ts'
import { readServeArguments } from './read-serve-settings.ts'

export const SERVE_USAGE = `Usage: millrace serve [options]

Runs the hub: publish with POST /events, subscribe with GET /events.

Options
  --port N       the port to listen on; 0 takes a free one          (default 3000)
  --host NAME    the address to listen on                           (default 127.0.0.1)
  --log WHERE    where events are kept: memory: (gone at the end),
                 or sqlite:./millrace.db (a file)                   (default memory:)
  --demo         serve the demo at /
  --insecure     listen beyond loopback without keys: everybody can read and publish everything
  -h, --help     this text

Each option is also MILLRACE_PORT, MILLRACE_HOST, ... in the environment; flags win.
SIGTERM or Ctrl-C ends streams with a farewell over up to 10 s; a second one exits at once.
`

/** Runs the hub until a signal ends it. */
export async function serve(argv: readonly string[]): Promise<void> {
  const { settings, help, warnings } = readServeArguments(argv, process.env)
  if (help) {
    process.stdout.write(SERVE_USAGE)
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
  process.stdout.write(`Millrace is listening on ${server.url}${settings.demo ? ' (demo)' : ''}\n`)
}

/** For whoever has to find out later: when, at what, and the stack with its causes. */
function writeError(error: unknown, context: string): void {
  process.stderr.write(`millrace: ${new Date().toISOString()} ${context}: ${inspect(error)}\n`)
}

function exitAtOnce(): void {
  process.exit(1)
}
