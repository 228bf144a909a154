import { nearestName } from '@millrace/server'
import { demoDefaults } from '../demo/demo-settings.ts'
import { defaultHubSettings, type HubSettings } from '../hub-settings.ts'
import { hubOptions, optionNames, unbuiltOptions, type OptionName } from './hub-options.ts'
import { flagOf, optionVariables, variableOf } from './option-names.ts'
import { problemsTogether } from './problems-together.ts'
import { readConfigFile } from './read-config-file.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Options by their names, as the command line has them. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>

export interface ReadSettings {
  readonly settings: HubSettings
  /** All that is wrong, one sentence each; the settings are of no use then. */
  readonly problems: readonly string[]
  /** What is most likely a mistake, one sentence each. */
  readonly warnings: readonly string[]
}

/** Puts the settings together: flags win over the environment, the environment over the file, the file over the defaults. */
export function readSettings(flags: Flags, environment: Environment): ReadSettings {
  const { values, faulty, problems } = readTexts(flags, environment)
  const path = flags['config'] ?? environment[variableOf('config')]
  if (flags['config'] === '') problems.push('--config is ""; name a file.')
  const file = typeof path === 'string' && path !== '' ? readConfigFile(path) : undefined
  problems.push(...(file?.problems ?? []).map((problem) => `${String(path)}: ${problem}`))
  const given: Partial<HubSettings> = { ...file?.config, ...values }
  const settings = { ...defaultHubSettings, ...(given.demo === true ? demoDefaults : {}), ...given }
  return {
    settings,
    problems: [...problems, ...problemsTogether(settings, new Set([...faulty, ...(file?.faulty ?? [])]))],
    warnings: unknownVariables(environment),
  }
}

interface Texts {
  readonly values: Partial<HubSettings>
  /** The names of options whose values are wrong. */
  readonly faulty: readonly string[]
  readonly problems: string[]
}

/** What flags and variables say. */
function readTexts(flags: Flags, environment: Environment): Texts {
  const values = new Map<string, unknown>()
  const faulty: string[] = []
  const problems: string[] = []
  for (const name of optionNames) {
    const flag = flags[name]
    const from = flag === undefined ? variableOf(name) : `--${flagOf(name)}`
    const text = flag ?? environment[from]
    // An empty variable is one that is not set; an empty flag was meant to say something.
    if (text === undefined || (flag === undefined && text === '')) continue
    const value = valueOf(name, text)
    const fault = faultOf(name, value)
    if (fault === undefined) {
      values.set(name, value)
      continue
    }
    faulty.push(name)
    problems.push(`${from} is ${JSON.stringify(text)}; ${fault}.${hintOf(name, text)}`)
  }
  for (const name of unbuiltOptions) {
    if (environment[variableOf(name)]) problems.push(`${variableOf(name)} is not built yet. Leave it out.`)
  }
  return { values: Object.fromEntries(values), faulty, problems }
}

/** The value that a text stands for; a text that stands for none is left to the schema, which refuses it. */
function valueOf(name: OptionName, text: string | boolean): unknown {
  const { form } = hubOptions[name]
  if (form === 'switch') return { '1': true, true: true, '0': false, false: false }[String(text)] ?? text
  if (form === 'number or false' && text === 'false') return false
  if (form.startsWith('number') && /^[+-]?\d+$/.test(String(text))) return Number(text)
  return text
}

function faultOf(name: OptionName, value: unknown): string | undefined {
  const { schema, form } = hubOptions[name]
  if (form === 'file only') return `${name} belong into the configuration file, see --config`
  if (form === 'switch' && typeof value === 'string') return 'use 1 or 0'
  return schema.safeParse(value).error?.issues[0]?.message
}

function hintOf(name: OptionName, text: string | boolean): string {
  if (name !== 'port' || !String(text).startsWith('tcp://')) return ''
  return ' Kubernetes sets it for a service named "millrace": use --port, or enableServiceLinks: false.'
}

/** Only warned of: the environment is not the hub's alone, and others may take their names from it. */
function unknownVariables(environment: Environment): string[] {
  // MILLRACE_URL is for the commands that talk to a hub.
  const known = [...optionNames, ...unbuiltOptions, 'config', 'url'].map(variableOf)
  return optionVariables(environment)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const near = nearestName(name, known)
      return `${name} is no option and is ignored.${near ? ` Did you mean ${near}?` : ''}`
    })
}
