import { nearestName } from '@millrace/server'
import { readFileSync } from 'node:fs'
import { check } from './command/check.ts'
import { serve } from './command/serve.ts'
import { UsageError } from './command/usage-error.ts'

const USAGE = `Usage: millrace <command> [options]

Commands
  serve            run the hub                        (millrace serve --help)
  check CONFIG     check a configuration file         (millrace check --help)

Options
  -h, --help   this text
  --version    the version of the command

Not built yet: publish, tail, token, doctor, bench.
`
type Command = (argv: readonly string[]) => void | Promise<void>

const COMMANDS: Readonly<Record<string, Command>> = { serve, check }
const NOT_BUILT = ['publish', 'tail', 'token', 'doctor', 'bench']

/** The `millrace` command. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await run(argv)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`millrace: ${error.message}\n`)
    process.exitCode = 2
  }
}

async function run([command, ...rest]: readonly string[]): Promise<void> {
  if (command !== undefined && Object.hasOwn(COMMANDS, command)) {
    await COMMANDS[command]?.(rest)
    return
  }
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
    process.stdout.write(USAGE)
    return
  }
  if (command === '--version') {
    process.stdout.write(`${version()}\n`)
    return
  }
  if (NOT_BUILT.includes(command)) throw new UsageError(`"${command}" is not built yet.`)
  const near = nearestName(command, Object.keys(COMMANDS))
  const kind = command.startsWith('-') ? 'option' : 'command'
  throw new UsageError(
    `There is no ${kind} "${command}".${near ? ` Did you mean "${near}"?` : ''} See millrace --help.`,
  )
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return manifest.version
}
