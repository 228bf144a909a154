import { hubVersion } from './hub-version.ts'
import { nearestName } from '@millrace/server'
import { CommandFailure } from './command/command-failure.ts'
import { UsageError } from './command/usage-error.ts'

const USAGE = `Usage: millrace <command> [options]

Commands
  serve                 run the hub
  publish TOPIC DATA    publish an event, or what comes by a pipe
  tail TOPIC...         print what comes on topics
  check CONFIG          check a configuration file of the hub
  (each has its --help)

Options
  -h, --help   this text
  --version    the version of the command

Not built yet: token, doctor, bench.
`
type Command = (argv: readonly string[]) => void | Promise<void>

/** Loaded when they are called for: what publishes an event need not wait for a server to load. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./command/serve.ts')).serve,
  publish: async () => (await import('./command/publish.ts')).publish,
  tail: async () => (await import('./command/tail.ts')).tail,
  check: async () => (await import('./command/check.ts')).check,
}
const NOT_BUILT = ['token', 'doctor', 'bench']

/** The `millrace` command. */
export async function main(argv: readonly string[]): Promise<void> {
  outliveReaders()
  try {
    await run(argv)
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof CommandFailure)) throw error
    process.stderr.write(`millrace: ${error.message}\n`)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
}

/** Whoever reads what is written may have enough of it, as `head` has. What else keeps it from being written is said. */
function outliveReaders(): void {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') return
    process.stderr.write(`millrace: Standard output cannot be written to (${message}).\n`)
    process.exitCode = 1
  })
  process.stderr.on('error', () => undefined)
}

async function run([command, ...rest]: readonly string[]): Promise<void> {
  if (command !== undefined && Object.hasOwn(COMMANDS, command)) {
    const start = await COMMANDS[command]?.()
    await start?.(rest)
    return
  }
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
    process.stdout.write(USAGE)
    return
  }
  if (command === '--version') {
    process.stdout.write(`${hubVersion()}\n`)
    return
  }
  if (NOT_BUILT.includes(command)) throw new UsageError(`"${command}" is not built yet.`)
  const near = nearestName(command, Object.keys(COMMANDS))
  const kind = command.startsWith('-') ? 'option' : 'command'
  throw new UsageError(
    `There is no ${kind} "${command}".${near ? ` Did you mean "${near}"?` : ''} See millrace --help.`,
  )
}
