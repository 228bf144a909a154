import { z } from 'zod'
import { nearestName } from '@millrace/server'
import type { HubSettings } from '../hub-settings.ts'
import { hubOptions, optionNames, unbuiltOptions } from './hub-options.ts'
import { mend } from './option.ts'
import { topicRuleProblems } from './topic-rule-problems.ts'

/** What the configuration file may say; what it leaves out has its default. */
export type ConfigFile = Partial<HubSettings>

const SCHEMA_KEY = '$schema'

const schema = z.strictObject({
  [SCHEMA_KEY]: z
    .string(mend('the path or the URL of a schema'))
    .meta({ description: 'For editors: where this schema is.' })
    .optional(),
  ...Object.fromEntries(optionNames.map((name) => [name, hubOptions[name].schema.optional()])),
})

/** The JSON Schema of the configuration file. */
export function configJsonSchema(): object {
  const options = { target: 'draft-2020-12', unrepresentable: 'any' } as const
  return { title: 'The configuration of millrace serve', ...z.toJSONSchema(schema, options) }
}

export interface CheckedConfig {
  /** What it says, without what is wrong. */
  readonly config: ConfigFile
  /** The names of options whose values are wrong. */
  readonly faulty: ReadonlySet<string>
  /** Each with its path, the value and what to do. */
  readonly problems: readonly string[]
}

/** The file's content, and everything that is wrong with it. */
export function checkConfig(content: unknown): CheckedConfig {
  const { success, data, error } = schema.safeParse(content)
  const problems = (error?.issues ?? []).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey(key))
      : [`${pathOf(issue.path)} is ${shownValue(valueAt(content, issue.path))}; ${rootFault(issue)}.`],
  )
  const topics = isObject(content) ? content['topics'] : undefined
  if (Array.isArray(topics)) problems.push(...topicRuleProblems(topics))
  const faulty = new Set((error?.issues ?? []).map(({ path }) => String(path[0])))
  const { [SCHEMA_KEY]: _, ...config } = success ? data : soundPart(content, faulty)
  return { config, faulty, problems }
}

function soundPart(content: unknown, faulty: ReadonlySet<string>): Record<string, unknown> {
  if (!isObject(content)) return {}
  return Object.fromEntries(
    optionNames.flatMap((name) => (Object.hasOwn(content, name) && !faulty.has(name) ? [[name, content[name]]] : [])),
  )
}

function rootFault({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? 'it must be an object such as { "port": 3000 }' : message
}

function unknownKey(key: string): string {
  if (unbuiltOptions.includes(key)) return `${key} is not built yet. Leave it out.`
  const near = nearestName(key, optionNames)
  return `There is no option ${JSON.stringify(key.slice(0, 64))}.${near ? ` Did you mean "${near}"?` : ''} See millrace serve --help.`
}

function pathOf(path: readonly PropertyKey[]): string {
  const [first, ...rest] = path
  if (first === undefined) return 'The content'
  return String(first) + rest.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
}

function valueAt(content: unknown, path: readonly PropertyKey[]): unknown {
  let value = content
  for (const key of path) value = isObject(value) ? value[key] : undefined
  return value
}

/** A value as the file has it, cut where it gets long. */
function shownValue(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null
}
