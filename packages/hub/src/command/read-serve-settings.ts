import { nearestName } from '@millrace/server'
import { parseArgs } from 'node:util'
import type { HubSettings } from '../hub-settings.ts'
import { hubOptions, optionNames, unbuiltOptions } from '../settings/hub-options.ts'
import { flagOf } from '../settings/option-names.ts'
import { readSettings, type Environment, type Flags } from '../settings/read-settings.ts'
import { parsed } from './parsed.ts'
import { UsageError } from './usage-error.ts'

export interface ServeArguments {
  /** Undefined when the help was asked for. */
  readonly settings: HubSettings | undefined
  /** What is most likely a mistake, one sentence each. */
  readonly warnings: readonly string[]
}

/**
 * Reads the options of `millrace serve`: flags win over the environment, the environment over the configuration file.
 *
 * @throws UsageError that names everything that is wrong
 */
export function readServeArguments(argv: readonly string[], environment: Environment): ServeArguments {
  const flags = readFlags(argv)
  if (flags['help'] === true) return { settings: undefined, warnings: [] }
  const { settings, problems, warnings } = readSettings(flags, environment)
  if (problems.length > 0) throw new UsageError(listed(problems))
  return { settings, warnings }
}

/** One problem on its line; several below each other. */
export function listed(problems: readonly string[]): string {
  const [first = ''] = problems
  return problems.length === 1
    ? first
    : `${problems.length} problems:\n${problems.map((each) => `  ${each}`).join('\n')}`
}

const FLAGS: Readonly<Record<string, string>> = Object.fromEntries(
  [...optionNames, 'config', 'help'].map((name) => [flagOf(name), name]),
)
const OPTIONS = Object.fromEntries(Object.entries(FLAGS).map(([flag, name]) => [flag, parsedAs(name)]))

function parsedAs(name: string): { type: 'string' | 'boolean'; short?: string } {
  if (name === 'help') return { type: 'boolean', short: 'h' }
  const known = optionNames.find((option) => option === name)
  return { type: known && hubOptions[known].form === 'switch' ? 'boolean' : 'string' }
}

function readFlags(argv: readonly string[]): Flags {
  const problems = argv.flatMap((argument) => flagProblem(argument) ?? [])
  if (problems.length > 0) throw new UsageError(listed(problems))
  const { values } = parsed('serve', OPTIONS, (options) =>
    parseArgs({ args: [...argv], options, strict: true, allowPositionals: false, allowNegative: true }),
  )
  return Object.fromEntries(Object.entries(values).map(([flag, value]) => [FLAGS[flag] ?? flag, value]))
}

function flagProblem(argument: string): string | undefined {
  const name = /^--([^=]+)/.exec(argument)?.[1]
  if (name === undefined || name in OPTIONS || OPTIONS[name.replace(/^no-/, '')]?.type === 'boolean') return undefined
  if (unbuiltOptions.some((option) => flagOf(option) === name)) return `--${name} is not built yet. Leave it out.`
  const near = nearestName(name, Object.keys(OPTIONS))
  return `There is no option --${name}.${near ? ` Did you mean --${near}?` : ''} See millrace serve --help.`
}
